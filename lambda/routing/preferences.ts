import type { Strategy } from '../config/routing-schema.ts';
import type { ModelConfig, ModelTarget } from '../config/snapshot.ts';
import type { Candidate } from './candidate.ts';
import type { Estimate } from './estimate-wait.ts';
import type { RequestedModel } from './requested-model.ts';

/** A limit for the shares of requests that it is meant for. */
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
  /** False: nobody but the first, or those of `order`, and no model but those that the caller named. */
  allowFallbacks?: boolean;
  /** Slower ones come last. */
  preferredMaxLatencyMs?: PercentileLimits;
  /** Tokens per second; slower ones come last. */
  preferredMinThroughput?: PercentileLimits;
  /** Nobody but those that honour all that was asked for. */
  requireParameters?: boolean;
  /** Fields that only a vendor can honour that reads them itself. */
  foreign?: readonly string[];
};

const strategiesOfSort = { price: 'cost', throughput: 'throughput', latency: 'latency' } as const;

/** How the targets of a model are ordered for this caller. */
export function strategyOf({ strategy }: Pick<ModelConfig, 'strategy'>, { sort }: Preferences): Strategy {
  return sort ? strategiesOfSort[sort] : strategy;
}

/** Why a caller's preferences leave a target out; undefined when they do not. */
export function whyNotPreferred(
  { provider, price }: ModelTarget,
  { only, ignore, maxPrice, order, allowFallbacks, foreign }: Preferences,
): string | undefined {
  if (foreign) return `provider.${foreign[0]} cannot be honoured there`;
  if (only && !only.includes(provider)) return `provider.only does not name ${provider}`;
  if (ignore?.includes(provider)) return `provider.ignore names ${provider}`;
  if (order && allowFallbacks === false && !order.includes(provider))
    return `provider.order does not name ${provider}, and provider.allow_fallbacks is false`;
  if (!maxPrice) return undefined;
  if (!price) return 'its price is unknown, and provider.max_price sets a limit';
  const { input = Infinity, output = Infinity } = maxPrice;
  if (price.input > input) return `its price of $${price.input} per million input tokens is above provider.max_price`;
  if (price.output > output)
    return `its price of $${price.output} per million output tokens is above provider.max_price`;
  return undefined;
}

/** Names in a caller's preferences that no target of the model goes by. */
export function uselessNames(
  { targets, name }: Pick<RequestedModel, 'targets' | 'name'>,
  { order = [], only = [] }: Preferences,
): string[] {
  const fields = [
    ['order', order],
    ['only', only],
  ] as const;
  return fields.flatMap(([field, names]) =>
    names
      .filter((provider) => !targets.some((target) => target.provider === provider))
      .map((provider) => `provider.${field} names "${provider}", which serves no target of ${name}`),
  );
}

/** What of a caller's wishes a target is known to miss; such ones come last. */
export function missedWish({ wait, score }: Candidate, wishes: Preferences): string | undefined {
  const { preferredMaxLatencyMs: latency, preferredMinThroughput: throughput } = wishes;
  if (latency && wait) {
    for (const [percentile, mostMs] of limitsOf(latency)) {
      const ms = waitAt(wait, percentile);
      if (ms > mostMs) return `${percentile} of ${Math.round(ms)} ms is above provider.preferred_max_latency`;
    }
  }
  const pace = score?.outputTokensPerSecond;
  if (throughput && pace) {
    const [least] = limitsOf(throughput)
      .map(([, tokens]) => tokens)
      .sort((a, b) => b - a);
    if (least !== undefined && pace.p50 < least)
      return `${Math.round(pace.p50)} tokens per second are below provider.preferred_min_throughput`;
  }
  return undefined;
}

type Percentile = keyof PercentileLimits;

function limitsOf(limits: PercentileLimits): [Percentile, number][] {
  return Object.entries(limits) as [Percentile, number][];
}

function waitAt({ p50Ms, p95Ms, p99Ms }: Estimate, percentile: Percentile): number {
  switch (percentile) {
    case 'p50':
      return p50Ms;
    case 'p75':
      return Math.sqrt(p50Ms * p90(p50Ms, p95Ms));
    case 'p90':
      return p90(p50Ms, p95Ms);
    case 'p99':
      return p99Ms;
  }
}

/** Between the percentiles that are known, on the curve of a logarithmic normal distribution. */
function p90(p50Ms: number, p95Ms: number): number {
  return p50Ms * (p95Ms / Math.max(p50Ms, 1)) ** 0.78;
}
