import { anthropicMessagesClient } from './anthropic-messages/anthropic-messages.ts';
import type { ClientDialect, RequestContext } from './dialect.ts';
import { geminiArrayClient, geminiClient } from './gemini/gemini.ts';
import { openAiChatClient } from './openai-chat/openai-chat.ts';
import { openAiCompletionsClient } from './openai-completions/openai-completions.ts';
import { openAiResponsesClient } from './openai-responses/openai-responses.ts';

/** The dialect that callers of a path speak, by the path without `/v1`. */
export const clientDialectsByPath: Readonly<Record<string, ClientDialect>> = {
  '/chat/completions': openAiChatClient,
  '/completions': openAiCompletionsClient,
  '/responses': openAiResponsesClient,
  '/messages': anthropicMessagesClient,
};

/** Gemini's paths name the model and what to do with it; a stream without `alt=sse` is one JSON array. */
export function geminiConversation(
  path: string,
  query: string,
): { client: ClientDialect; context: RequestContext } | undefined {
  const [, model, method] = /^(?:\/v1beta)?\/models\/(.+):(generateContent|streamGenerateContent)$/.exec(path) ?? [];
  if (model === undefined) return undefined;
  const stream = method === 'streamGenerateContent';
  const client = stream && new URLSearchParams(query).get('alt') !== 'sse' ? geminiArrayClient : geminiClient;
  return { client, context: { model, stream } };
}
