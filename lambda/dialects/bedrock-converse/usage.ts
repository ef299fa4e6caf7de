import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject, numberOrZero, stringOrUndefined } from '../json-value.ts';

/** What a complete answer, or the `metadata` of a stream, tells about tokens and tier; undefined when it tells nothing. */
export function readUsage(body: JsonObject): ChatEvent | undefined {
  const usage = body['usage'];
  if (!isObject(usage)) return undefined;
  const cacheRead = numberOrZero(usage['cacheReadInputTokens'] ?? usage['cacheReadInputTokenCount']);
  const cacheWrite = numberOrZero(usage['cacheWriteInputTokens'] ?? usage['cacheWriteInputTokenCount']);
  const tier = isObject(body['serviceTier']) ? stringOrUndefined(body['serviceTier']['type']) : undefined;
  return {
    type: 'usage',
    usage: {
      // Bedrock leaves cached tokens out of inputTokens.
      inputTokens: numberOrZero(usage['inputTokens']) + cacheRead + cacheWrite,
      outputTokens: numberOrZero(usage['outputTokens']),
      cacheReadInputTokens: cacheRead,
      cacheCreationInputTokens: cacheWrite,
      // Never told apart; they are part of outputTokens.
      reasoningOutputTokens: 0,
    },
    ...(tier ? { serviceTier: tier } : {}),
  };
}
