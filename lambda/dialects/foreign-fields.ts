import type { ChatRequest, DialectName } from './chat-request.ts';
import { isObject } from './json-value.ts';

/** Fields that ask for nothing in the answer: what the vendor keeps or caches, what the gateway itself reads. */
const withoutEffect = new Set([
  ...['store', 'models', 'provider', 'usage', 'include_reasoning', 'include'],
  ...['stream_options', 'prompt_cache_retention', 'prompt_cache_options'],
  // Of Anthropic's callers: how their blocks and tools were written, beside what the vocabulary says of them.
  ...['cache_control', 'diagnostics', 'block_details', 'tool_details', 'thinking_display'],
]);

/**
 * Names of the fields that callers of other dialects wrote and that have no place in the vocabulary, but for those that
 * the encoder honours nevertheless.
 */
export function foreignFields(request: ChatRequest, own: DialectName, honoured: readonly string[] = []): string[] {
  return Object.entries(request.extensions)
    .filter(([dialect]) => dialect !== own)
    .flatMap(([, fields]) => Object.entries(fields ?? {}))
    .filter(([name, value]) => asksForSomething(value) && !withoutEffect.has(name) && !honoured.includes(name))
    .map(([name]) => name);
}

function asksForSomething(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== false;
}
