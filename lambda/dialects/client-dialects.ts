import type { ClientDialect } from './dialect.ts';
import { openAiChatClient } from './openai-chat/openai-chat.ts';

/** Which dialect callers of a path speak, by the path without `/v1`. */
export const clientDialectsByPath: Readonly<Record<string, ClientDialect>> = {
  '/chat/completions': openAiChatClient,
};
