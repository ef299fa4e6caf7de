import type { DialectName } from '../dialects/chat-request.ts';
import type { TokenCounterName } from '../dialects/token-counters.ts';

/** Where a vendor counts tokens: a path as in the catalogue, and how it is asked. */
export type VendorCounter = { path: string; counter: TokenCounterName };

/** The vendors that count tokens for those who ask, by the dialect in which they are asked about a model. */
const counters: Readonly<Record<string, Readonly<Partial<Record<DialectName, VendorCounter>>>>> = {
  openai: { 'openai-chat': { path: '/responses/input_tokens', counter: 'responses' } },
  'azure-openai': { 'anthropic-messages': { path: '/anthropic/v1/messages/count_tokens', counter: 'messages' } },
  anthropic: { 'anthropic-messages': { path: '/messages/count_tokens', counter: 'messages' } },
  'google-ai-studio': { gemini: { path: '/models/{model}:countTokens', counter: 'gemini' } },
  'google-vertex-ai': {
    gemini: { path: '/v1beta1{location}/publishers/google/models/{model}:countTokens', counter: 'vertex-gemini' },
    // https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
    'anthropic-messages': {
      path: '/v1{location}/publishers/anthropic/models/count-tokens:rawPredict',
      counter: 'vertex-messages',
    },
  },
  'aws-bedrock': { 'bedrock-converse': { path: '/model/{model}/count-tokens', counter: 'converse' } },
};

/** Where a vendor of the catalogue counts the tokens of a model that it is asked about in this dialect, if it does. */
export function vendorCounter(vendor: string, dialect: DialectName): VendorCounter | undefined {
  return counters[vendor]?.[dialect];
}
