import { anthropicMessagesVendor } from './anthropic-messages/anthropic-messages.ts';
import { bedrockConverseVendor } from './bedrock-converse/bedrock-converse.ts';
import type { DialectName } from './chat-request.ts';
import { cohereChatVendor } from './cohere-chat/cohere-chat.ts';
import type { VendorDialect } from './dialect.ts';
import { geminiVendor } from './gemini/gemini.ts';
import { openAiChatVendor } from './openai-chat/openai-chat.ts';
import { openAiResponsesVendor } from './openai-responses/openai-responses.ts';

/** The dialects that vendors speak, by name. */
export const vendorDialects: Readonly<Partial<Record<DialectName, VendorDialect>>> = {
  'openai-chat': openAiChatVendor,
  'openai-responses': openAiResponsesVendor,
  'anthropic-messages': anthropicMessagesVendor,
  gemini: geminiVendor,
  'bedrock-converse': bedrockConverseVendor,
  'cohere-chat': cohereChatVendor,
};
