import type { DialectName } from './chat-request.ts';
import type { VendorDialect } from './dialect.ts';
import { openAiChatVendor } from './openai-chat/openai-chat.ts';

/** The dialects that vendors speak, by name. */
export const vendorDialects: Readonly<Partial<Record<DialectName, VendorDialect>>> = {
  'openai-chat': openAiChatVendor,
};
