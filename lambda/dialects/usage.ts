/** Tokens as the provider counted them; cached ones are part of `inputTokens`, reasoning is part of `outputTokens`. */
export type Usage = {
  inputTokens: number;
  outputTokens: number;
  cacheReadInputTokens: number;
  /** Written into the vendor's cache, also a part of `inputTokens`. */
  cacheCreationInputTokens: number;
  reasoningOutputTokens: number;
};

/** What two answers cost together. */
export function addUsage(one: Usage, other: Usage): Usage {
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    cacheReadInputTokens: one.cacheReadInputTokens + other.cacheReadInputTokens,
    cacheCreationInputTokens: one.cacheCreationInputTokens + other.cacheCreationInputTokens,
    reasoningOutputTokens: one.reasoningOutputTokens + other.reasoningOutputTokens,
  };
}

/** The usage of an answer that reads and writes, and caches and reasons about nothing. */
export function plainUsage(inputTokens: number, outputTokens = 0): Usage {
  return { inputTokens, outputTokens, cacheReadInputTokens: 0, cacheCreationInputTokens: 0, reasoningOutputTokens: 0 };
}
