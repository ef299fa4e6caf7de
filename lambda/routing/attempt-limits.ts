import type { Hedge } from '../config/routing-schema.ts';
import type { Timeouts } from '../config/schema.ts';
import type { Estimate } from './estimate-wait.ts';
import { defaultLimits, type HedgeTerms, type Limits } from './plan.ts';
import type { RoutingRequest } from './routing-request.ts';
import type { RareWaits } from './score.ts';

/** So many samples of a target make its own percentiles a limit: what is rarer than they show would be cut off. */
const enoughToLimit = 20;
/** A silence of so many times what is rare already is no slow answer. */
const timesP99 = 4;
/** Never less: the same target may think longer about the next question. */
const leastFirstContentMs = 30_000;
/** What is asked to think may be silent for minutes where thoughts are not streamed. */
const leastThinkingMs = 120_000;
/** Reading a prompt of a million tokens takes about four minutes. */
const perInputTokenMs = 0.24;
const mostFirstContentMs = 600_000;

/** The limits of an attempt: what is configured, else what the target's own waits say, else the defaults. */
export function attemptLimits(
  own: Timeouts,
  general: Timeouts,
  wait: Estimate | undefined,
  request: Pick<RoutingRequest, 'inputTokens' | 'thinks' | 'stream'>,
): Limits {
  const { answerMs = general.answerMs, waitMs = general.waitMs } = own;
  return {
    connectMs: own.connectMs ?? general.connectMs ?? defaultLimits.connectMs,
    firstContentMs: own.firstContentMs ?? general.firstContentMs ?? learntFirstContentMs(wait, request),
    idleMs: own.idleMs ?? general.idleMs ?? defaultLimits.idleMs,
    totalMs: own.totalMs ?? general.totalMs ?? defaultLimits.totalMs,
    ...(answerMs !== undefined && { answerMs }),
    ...(waitMs !== undefined && { waitMs }),
  };
}

function learntFirstContentMs(
  wait: Estimate | undefined,
  { inputTokens, thinks, stream }: Pick<RoutingRequest, 'inputTokens' | 'thinks' | 'stream'>,
): number {
  const reading = inputTokens * perInputTokenMs;
  const rare = wait && rareWaits(wait);
  if (!stream || !rare || rare.samples < enoughToLimit) return Math.round(defaultLimits.firstContentMs + reading);
  const least = (thinks ? leastThinkingMs : leastFirstContentMs) + reading;
  return Math.round(Math.min(Math.max(timesP99 * Math.max(rare.p99Ms, wait.p99Ms), least), mostFirstContentMs));
}

/** What is rare, as far as enough is known of it; where a doubt has left little, as it was before. */
function rareWaits(wait: Estimate): RareWaits {
  const { beforeDoubt } = wait;
  return beforeDoubt && beforeDoubt.samples > wait.samples ? beforeDoubt : wait;
}

const usualMaxShare = 0.05;
const usualMaxCostFactor = 3;
const leastHedgeMs = 100;
/** Fewer than make a limit: a little too early costs a second request, of which `maxShare` allows few. */
const enoughToHedge = 12;

/**
 * When to start the next target besides: after what is configured, or what 19 of 20 answers take less than; never where
 * that is unknown, or where the next one is not expected to be faster than going on waiting. Of a next one that is not
 * measured nothing is expected: it is started only after what is configured.
 */
export function hedgeTerms(
  hedge: Hedge | undefined,
  wait: Estimate | undefined,
  next: { wait: Estimate | undefined } | undefined,
): HedgeTerms | undefined {
  if (!hedge || !next) return undefined;
  const rare = wait && next.wait && rareWaits(wait);
  const learnt = rare && rare.samples >= enoughToHedge ? Math.max(rare.p95Ms, leastHedgeMs) : undefined;
  const afterMs = hedge.afterMs ?? learnt;
  if (afterMs === undefined || (next.wait && next.wait.p50Ms > afterMs)) return undefined;
  const { maxShare = usualMaxShare, maxCostFactor = usualMaxCostFactor } = hedge;
  return { afterMs: Math.round(afterMs), maxShare, maxCostFactor };
}
