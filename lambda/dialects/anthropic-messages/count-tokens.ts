import type { ChatRequest } from '../chat-request.ts';
import type { RequestContext, VendorRequest } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';
import { decodePrompt } from './decode-request.ts';
import { encodeMessagesRequest } from './encode-request.ts';

/** What `POST /v1/messages/count_tokens` takes of a request (https://platform.claude.com/docs/en/api/messages/count_tokens). */
const counted = [
  'model',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'cache_control',
  'mcp_servers',
];

/** Reads a request to count tokens: one to answer, without its limit. */
export function decodeCountRequest(body: JsonObject, context: RequestContext = {}): ChatRequest {
  return decodePrompt(body, context);
}

/** The body that asks a vendor to count the input tokens of a request. */
export function encodeCountRequest(request: ChatRequest, target: { model: string }): VendorRequest {
  const { body } = encodeMessagesRequest(request, target);
  return { body: Object.fromEntries(Object.entries(body).filter(([name]) => counted.includes(name))) };
}

/** The count in a vendor's answer; undefined when it is none. */
export function decodeCountResponse(body: JsonObject): number | undefined {
  const count = body['input_tokens'];
  return typeof count === 'number' ? count : undefined;
}

export function encodeCountResponse(inputTokens: number): JsonObject {
  return { input_tokens: inputTokens };
}
