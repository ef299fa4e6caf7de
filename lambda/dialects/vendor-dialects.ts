import type { DialectName } from './chat-request.ts';
import type { VendorDialect } from './dialect.ts';
import { onDemand } from './on-demand.ts';
import { openAiChatVendor } from './openai-chat/openai-chat.ts';

/** The dialects that vendors speak, by name. */
export const vendorDialects: Readonly<Partial<Record<DialectName, () => VendorDialect | Promise<VendorDialect>>>> = {
  'openai-chat': () => openAiChatVendor,
  'openai-responses': onDemand(
    async () => (await import('./openai-responses/openai-responses.ts')).openAiResponsesVendor,
  ),
  'anthropic-messages': onDemand(
    async () => (await import('./anthropic-messages/anthropic-messages.ts')).anthropicMessagesVendor,
  ),
  gemini: onDemand(async () => (await import('./gemini/gemini.ts')).geminiVendor),
  'bedrock-converse': onDemand(
    async () => (await import('./bedrock-converse/bedrock-converse.ts')).bedrockConverseVendor,
  ),
  'cohere-chat': onDemand(async () => (await import('./cohere-chat/cohere-chat.ts')).cohereChatVendor),
  replicate: onDemand(async () => (await import('./replicate/replicate.ts')).replicateVendor),
};
