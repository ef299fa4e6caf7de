import { anthropicMessagesFixture } from './anthropic-messages.ts';
import { bedrockConverseFixture } from './bedrock-converse.ts';
import { cohereChatFixture } from './cohere-chat.ts';
import type { DialectFixture } from './dialect-fixture.ts';
import { geminiFixture } from './gemini.ts';
import { openAiChatFixture } from './openai-chat.ts';
import { openAiResponsesFixture } from './openai-responses.ts';
import { replicateFixture } from './replicate.ts';

/** One for every dialect that vendors speak. */
export const dialectFixtures: readonly DialectFixture[] = [
  openAiChatFixture,
  openAiResponsesFixture,
  anthropicMessagesFixture,
  geminiFixture,
  bedrockConverseFixture,
  cohereChatFixture,
  replicateFixture,
];
