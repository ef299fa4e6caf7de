/** Tokens as the provider counted them; cached ones are part of `inputTokens`, reasoning is part of `outputTokens`. */
export type Usage = {
  inputTokens: number;
  outputTokens: number;
  cacheReadInputTokens: number;
  /** Written into the vendor's cache, also a part of `inputTokens`. */
  cacheCreationInputTokens: number;
  reasoningOutputTokens: number;
};
