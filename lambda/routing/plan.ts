import type { Snapshot } from '../config/snapshot.ts';
import type { StreamFailurePolicy } from '../config/stream-failure.ts';
import type { Candidate } from './candidate.ts';
import type { LiveStats } from './live-stats.ts';
import type { RequestedModel } from './requested-model.ts';
import type { RoutingRequest } from './routing-request.ts';

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
  /** The model that was asked for, as its rules made it. */
  model: RequestedModel;
  /** The rule that did. */
  rule?: string;
  live: LiveStats;
  request: RoutingRequest;
  nowMs: number;
  entropy: number;
  /** Models that the caller wants tried when this one fails, before the configured ones. */
  alternatives?: readonly RequestedModel[] | undefined;
  /** The next turn, over the whole fleet, of what takes turns under a name; asked only for models whose strategy does. */
  turn?: ((name: string) => number | undefined) | undefined;
  /** Whether the caller may use a model; absent: any. */
  mayUse?: ((model: string) => boolean) | undefined;
  /** Whether the caller's preferences are left to the vendor of a provider, which reads them itself; absent: to none. */
  leavesRouting?: ((provider: string) => boolean) | undefined;
};

/** A target in its place, before breakers have their say; any of those with the same `peers` might as well come first. */
export type Placed = {
  candidate: Candidate;
  reason: string;
  peers: number;
  model: RequestedModel;
  /** The model that was asked for, where this one stands in for it. */
  fallbackOf?: string;
};

/** The tries in their order, and the targets that are not tried, each with its reason. */
export type Plan = {
  attempts: readonly PlannedAttempt[];
  leftOut: readonly LeftOut[];
  /** What becomes of a stream that breaks off, where the model says so. */
  onStreamFailure?: StreamFailurePolicy;
  /** The rule of the model that decided, by its name. */
  rule?: string;
  /** What of the caller's preferences was of no use, in words. */
  notes?: readonly string[];
};

/** `isForbidden`: this API key may not use its model, so that its caller is not told of it. */
export type LeftOut = { provider: string; model: string; reason: string; isForbidden?: true };
