import { isObject, type JsonObject, numberOrZero } from '../json-value.ts';
import type { Usage } from '../usage.ts';
import { encodeServiceTier } from './service-tier.ts';

/** `usageMetadata` in neutral terms; undefined when it counts nothing, as in most events of Vertex AI. */
export function decodeUsage(metadata: unknown): Usage | undefined {
  if (!isObject(metadata)) return undefined;
  if (metadata['promptTokenCount'] === undefined && metadata['totalTokenCount'] === undefined) return undefined;
  const thoughts = numberOrZero(metadata['thoughtsTokenCount']);
  return {
    // What tools of the vendor's own put into the prompt is counted apart from it.
    inputTokens: numberOrZero(metadata['promptTokenCount']) + numberOrZero(metadata['toolUsePromptTokenCount']),
    outputTokens: numberOrZero(metadata['candidatesTokenCount']) + thoughts,
    cacheReadInputTokens: numberOrZero(metadata['cachedContentTokenCount']),
    cacheCreationInputTokens: 0,
    reasoningOutputTokens: thoughts,
  };
}

/** The other way round; tokens written into a cache have no field there. */
export function encodeUsage(usage: Usage, serviceTier: string | undefined): JsonObject {
  const { inputTokens, outputTokens, cacheReadInputTokens: cached, reasoningOutputTokens: thoughts } = usage;
  const tier = encodeServiceTier(serviceTier);
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: Math.max(0, outputTokens - thoughts),
    totalTokenCount: inputTokens + outputTokens,
    ...(cached > 0 ? { cachedContentTokenCount: cached } : {}),
    ...(thoughts > 0 ? { thoughtsTokenCount: thoughts } : {}),
    ...(tier ? { serviceTier: tier } : {}),
  };
}
