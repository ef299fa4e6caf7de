/** At least so fast in this share of requests. */
export type PercentileLimits = Partial<Record<'p50' | 'p75' | 'p90' | 'p99', number>>;

/**
 * Whom a caller wants asked, as in OpenRouter's `provider` object
 * (https://openrouter.ai/docs/guides/routing/provider-selection). Names are those of this gateway's providers.
 */
export type Preferences = {
  /** These first, in this order. */
  order?: readonly string[];
  /** Nobody but these. */
  only?: readonly string[];
  ignore?: readonly string[];
  sort?: 'price' | 'throughput' | 'latency';
  /** US dollars per million tokens; what costs more, or nobody knows how much, is not asked. */
  maxPrice?: { input?: number; output?: number };
  /** False: nobody but the first of the order, and no other model. */
  allowFallbacks?: boolean;
  /** Slower ones come last. */
  preferredMaxLatencyMs?: PercentileLimits;
  /** Tokens per second; slower ones come last. */
  preferredMinThroughput?: PercentileLimits;
  /** Only what can honour all that was asked for. */
  requireParameters?: boolean;
};
