import { isObject, type JsonObject, numberOrZero, stringOrUndefined } from '../json-value.ts';
import type { Usage } from '../usage.ts';

/**
 * Anthropic's `usage` in neutral terms: its `input_tokens` leave out what was read from or written to the cache
 * (https://platform.claude.com/docs/en/build-with-claude/prompt-caching). Undefined where nothing was counted.
 */
export function readUsage(usage: JsonObject): Usage | undefined {
  if (typeof usage['input_tokens'] !== 'number' && typeof usage['output_tokens'] !== 'number') return undefined;
  const details = isObject(usage['output_tokens_details']) ? usage['output_tokens_details'] : {};
  const read = numberOrZero(usage['cache_read_input_tokens']);
  const created = numberOrZero(usage['cache_creation_input_tokens']);
  return {
    inputTokens: numberOrZero(usage['input_tokens']) + read + created,
    outputTokens: numberOrZero(usage['output_tokens']),
    cacheReadInputTokens: read,
    cacheCreationInputTokens: created,
    reasoningOutputTokens: numberOrZero(details['thinking_tokens']),
  };
}

/** Anthropic's `usage`, without what the caller cannot know yet when a stream begins. */
export function writeUsage(usage: Usage | undefined, serviceTier?: string): JsonObject {
  const cached = (usage?.cacheReadInputTokens ?? 0) + (usage?.cacheCreationInputTokens ?? 0);
  const reasoning = usage?.reasoningOutputTokens ?? 0;
  return {
    input_tokens: Math.max(0, (usage?.inputTokens ?? 0) - cached),
    cache_creation_input_tokens: usage?.cacheCreationInputTokens ?? 0,
    cache_read_input_tokens: usage?.cacheReadInputTokens ?? 0,
    output_tokens: usage?.outputTokens ?? 0,
    ...(reasoning > 0 ? { output_tokens_details: { thinking_tokens: reasoning } } : {}),
    ...(serviceTier ? { service_tier: serviceTier === 'default' ? 'standard' : serviceTier } : {}),
  };
}

/** The tier that served, in OpenAI's words. */
export function readServiceTier(usage: JsonObject): string | undefined {
  const tier = stringOrUndefined(usage['service_tier']);
  return tier === 'standard' ? 'default' : tier;
}
