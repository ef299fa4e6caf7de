import { isObject, numberOrZero } from '../json-value.ts';
import type { Usage } from '../usage.ts';

/** OpenAI's `usage` object in neutral terms; undefined when there is none. */
export function readUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const input = numberOrZero(value['prompt_tokens']);
  const completion = numberOrZero(value['completion_tokens']);
  const total = numberOrZero(value['total_tokens']);
  const details = isObject(value['completion_tokens_details']) ? value['completion_tokens_details'] : {};
  const inputDetails = isObject(value['prompt_tokens_details']) ? value['prompt_tokens_details'] : {};
  const reasoning = numberOrZero(details['reasoning_tokens']);
  return {
    inputTokens: input,
    // xAI leaves reasoning out of completion_tokens and counts it in the total only.
    outputTokens: reasoning > 0 && total === input + completion + reasoning ? completion + reasoning : completion,
    cacheReadInputTokens: numberOrZero(inputDetails['cached_tokens'] ?? value['prompt_cache_hit_tokens']),
    cacheCreationInputTokens: numberOrZero(inputDetails['cache_write_tokens']),
    reasoningOutputTokens: reasoning,
  };
}
