import { isObject, type JsonObject, numberOrZero } from '../json-value.ts';
import type { Usage } from '../usage.ts';

/** The `usage` of a response in neutral terms; undefined when there is none. */
export function readResponsesUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const inputDetails = isObject(value['input_tokens_details']) ? value['input_tokens_details'] : {};
  const outputDetails = isObject(value['output_tokens_details']) ? value['output_tokens_details'] : {};
  return {
    inputTokens: numberOrZero(value['input_tokens']),
    outputTokens: numberOrZero(value['output_tokens']),
    cacheReadInputTokens: numberOrZero(inputDetails['cached_tokens']),
    cacheCreationInputTokens: numberOrZero(inputDetails['cache_write_tokens']),
    reasoningOutputTokens: numberOrZero(outputDetails['reasoning_tokens']),
  };
}

/** The same as callers of this dialect read it. */
export function writeResponsesUsage(usage: Usage): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cacheReadInputTokens,
      ...(usage.cacheCreationInputTokens > 0 ? { cache_write_tokens: usage.cacheCreationInputTokens } : {}),
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningOutputTokens },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}
