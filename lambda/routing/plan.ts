import type { Timeouts } from '../config/schema.ts';
import type { Snapshot } from '../config/snapshot.ts';
import type { LiveStats } from './live-stats.ts';
import type { RequestedModel } from './requested-model.ts';
import type { RoutingRequest } from './routing-request.ts';
import { targetName } from './target-name.ts';

/** Limits in milliseconds. */
export type Limits = {
  connectMs: number;
  /** To the first content of a streamed answer. */
  firstContentMs: number;
  /** To the whole of a buffered answer; absent: as long as the request may take. */
  answerMs?: number;
  /** Between two pieces of a streamed answer. */
  idleMs: number;
  /** The longest `Retry-After` that is waited for when no other target is left; absent: 5 seconds. */
  waitMs?: number;
  /** For the whole request, all its attempts together. */
  totalMs: number;
};

/** One try: whom to ask for what, how long to wait, what to do with what it cannot honour, and why it stands here. */
export type PlannedAttempt = {
  provider: string;
  model: string;
  limits: Limits;
  dropsUnsupported?: true;
  /** It can be asked to go on behind the beginning of an answer. */
  continuesPartial?: true;
  reason: string;
  /** It stands for a fallback model, not for the one that was asked for. */
  fallback?: true;
  /** It is tried although its breaker is not closed: with the lease, or because everything is open. */
  breaker?: 'half-open' | 'open';
  /** The usual (median) time to first content, or to the whole buffered answer; unknown when absent. */
  expectedWaitMs?: number;
  /** What this request costs there, about, in millionths of a US dollar; unknown when absent. */
  costMicroUsd?: number;
  /** What its model can read and write together, in tokens; unknown when absent. */
  contextTokens?: number;
  /** When the next target may be started besides; absent: never. */
  hedge?: HedgeTerms;
};

/** A silent target is helped out after its usual p95: at most this share of requests, at most so much dearer. */
export type HedgeTerms = { afterMs: number; maxShare: number; maxCostFactor: number };

/** Long enough for models that think before they speak: an unfinished answer costs more than a late one. */
export const defaultLimits: Limits = { connectMs: 5_000, firstContentMs: 120_000, idleMs: 60_000, totalMs: 900_000 };

/** Everything that a plan depends on; `entropy` in [0, 1) is the only chance in it. */
export type PlanInput = {
  snapshot: Snapshot;
  model: RequestedModel;
  live: LiveStats;
  request: RoutingRequest;
  nowMs: number;
  entropy: number;
  /** Counts the requests for this model over the whole fleet, for `round-robin`. */
  turn?: number;
  /** Whether the caller may use a model; absent: any. */
  mayUse?(model: string): boolean;
};

/** The tries in their order, and the targets that are not tried, each with its reason. */
export type Plan = { attempts: readonly PlannedAttempt[]; leftOut: readonly LeftOut[] };
export type LeftOut = { provider: string; model: string; reason: string };

/**
 * Orders the targets of a model, then those of its fallback models. Pure: the same arguments always give the same plan.
 * Never lists a target twice.
 */
export function planAttempts({ snapshot, model, entropy }: PlanInput): Plan {
  const random = seededRandom(entropy);
  const fallbacks = model.fallbacks.flatMap((name) => {
    const config = Object.hasOwn(snapshot.models, name) ? snapshot.models[name] : undefined;
    return config ? [{ name, ...config, fallbackOf: model.name }] : [];
  });
  const attempts = new Map<string, PlannedAttempt>();
  for (const candidate of [{ ...model, fallbackOf: undefined }, ...fallbacks]) {
    const limits = limitsOf(candidate.timeouts, snapshot.settings.timeouts ?? {});
    const policy = candidate.unsupportedParameters ?? snapshot.settings.unsupportedParameters;
    const drops = policy === 'drop' ? { dropsUnsupported: true as const } : {};
    for (const { target, reason } of orderTargets(candidate, random)) {
      const key = targetName(target);
      const why = candidate.fallbackOf ? `fallback ${candidate.name} of ${candidate.fallbackOf}, ${reason}` : reason;
      if (!attempts.has(key))
        attempts.set(key, {
          provider: target.provider,
          model: target.model,
          limits,
          ...drops,
          ...(candidate.fallbackOf ? { fallback: true } : {}),
          ...(target.continuesPartial ? { continuesPartial: true } : {}),
          reason: why,
        });
    }
  }
  return { attempts: [...attempts.values()], leftOut: [] };
}

/** The limits of a model, with those that hold in general where it has none. */
export function limitsOf(own: Timeouts, general: Timeouts): Limits {
  return {
    connectMs: own.connectMs ?? general.connectMs ?? defaultLimits.connectMs,
    firstContentMs: own.firstContentMs ?? general.firstContentMs ?? defaultLimits.firstContentMs,
    idleMs: own.idleMs ?? general.idleMs ?? defaultLimits.idleMs,
    totalMs: own.totalMs ?? general.totalMs ?? defaultLimits.totalMs,
    ...optionalLimit('answerMs', own, general),
    ...optionalLimit('waitMs', own, general),
  };
}

function optionalLimit(name: 'answerMs' | 'waitMs', own: Timeouts, general: Timeouts): Partial<Limits> {
  const value = own[name] ?? general[name];
  return value === undefined ? {} : { [name]: value };
}

type OrderedTarget = { target: RequestedModel['targets'][number]; reason: string };

function orderTargets(
  { targets, strategy }: Pick<RequestedModel, 'targets' | 'strategy'>,
  random: () => number,
): OrderedTarget[] {
  if (targets.length === 1) return targets.map((target) => ({ target, reason: 'the only target' }));
  if (strategy === 'priority') {
    return targets.map((target, index) => ({
      target,
      reason: `place ${index + 1} of ${targets.length} as configured`,
    }));
  }
  // Without measurements all targets are equal before `latency`, so none is preferred.
  const weighted = strategy === 'weighted';
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  return drawInTurn(targets, weighted ? ({ weight }) => weight : () => 1, random).map((target) => ({
    target,
    reason: weighted ? `drawn by weight ${target.weight} of ${total}` : 'drawn among equals, nothing measured yet',
  }));
}

/** Draws without replacement, each time in proportion to the weights that are left; weight 0 comes last. */
function drawInTurn<T>(items: readonly T[], weightOf: (item: T) => number, random: () => number): T[] {
  // Efraimidis and Spirakis: sorting by u^(1/w) is weighted drawing without replacement; the logarithm is exact near 1.
  return items
    .map((item) => ({ item, draw: -Math.log(1 - random()), weight: weightOf(item) }))
    .map(({ item, draw, weight }) => ({ item, place: weight > 0 ? draw / weight : Infinity }))
    .sort((a, b) => a.place - b.place || 0)
    .map(({ item }) => item);
}

/** mulberry32: many numbers from the one that the caller gave. */
function seededRandom(entropy: number): () => number {
  let state = Math.floor(entropy * 0x1_0000_0000);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
