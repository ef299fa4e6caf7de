import { isObject, numberOrZero } from '../json-value.ts';
import type { Usage } from '../usage.ts';

/**
 * `tokens` are what the model read and wrote, with what Cohere adds to a prompt; `billed_units` leave that out and stand
 * in where there are no `tokens`. Undefined when neither is there.
 */
export function readCohereUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const counts = isObject(value['tokens']) ? value['tokens'] : value['billed_units'];
  if (!isObject(counts)) return undefined;
  const inputTokens = numberOrZero(counts['input_tokens']);
  return {
    inputTokens,
    outputTokens: numberOrZero(counts['output_tokens']),
    cacheReadInputTokens: Math.min(inputTokens, numberOrZero(value['cached_tokens'])),
    cacheCreationInputTokens: 0,
    reasoningOutputTokens: numberOrZero(counts['reasoning_tokens']),
  };
}
