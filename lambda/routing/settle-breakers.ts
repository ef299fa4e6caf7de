import type { Hedge } from '../config/routing-schema.ts';
import type { Breaker, BreakerState } from './breaker.ts';
import type { Estimate } from './estimate-wait.ts';
import type { LeftOut, PlannedAttempt } from './plan.ts';

/** An attempt in its place, with what decides about its helper and its breaker. */
export type Ordered = {
  attempt: PlannedAttempt;
  state: BreakerState;
  breaker: Breaker | undefined;
  wait: Estimate | undefined;
  hedge: Hedge | undefined;
  /** Requests like this one are sent to it first at times. */
  mayLead: boolean;
};

type Settled = { settled: readonly Ordered[]; leftOut: LeftOut[] };

/**
 * Puts a target that may be back first, for the one request that gets the lease, and leaves out those that are down
 * while any other is not. When all are down, only the least bad is tried. A target that such requests are never sent to
 * first keeps its place: it is tried when those before it have failed.
 */
export function settleBreakers(ordered: readonly Ordered[], nowMs: number): Settled {
  if (ordered.every(({ state }) => state === 'closed')) return { settled: ordered, leftOut: [] };
  const usable = ordered.filter(({ state }) => state !== 'open');
  const open = ordered.filter(({ state }) => state === 'open');
  if (usable.length === 0) return leastBad(open, nowMs);
  const returning = usable.find(({ state, mayLead }) => state === 'half-open' && mayLead);
  const others = usable.filter((one) => one !== returning);
  const settled = [...(returning ? [returning] : []), ...others].map((one) =>
    one.state === 'half-open' ? halfOpen(one) : one,
  );
  return { settled, leftOut: open.map((one) => leftOutOf(one, nowMs)) };
}

function halfOpen(one: Ordered): Ordered {
  const { attempt, breaker } = one;
  const reason = `may be back after ${breaker?.reason ?? 'failures'}; one request finds out; else ${attempt.reason}`;
  return { ...one, attempt: { ...attempt, breaker: 'half-open', reason } };
}

function leastBad(open: readonly Ordered[], nowMs: number): Settled {
  const [first, ...rest] = [...open].sort((a, b) => (a.breaker?.openUntilMs ?? 0) - (b.breaker?.openUntilMs ?? 0));
  if (!first) return { settled: [], leftOut: [] };
  const reason = `all targets are kept away from; the soonest to return, after ${first.breaker?.reason ?? 'failures'}`;
  return {
    settled: [{ ...first, attempt: { ...first.attempt, breaker: 'open', reason } }],
    leftOut: rest.map((one) => leftOutOf(one, nowMs)),
  };
}

function leftOutOf({ attempt: { provider, model }, breaker }: Ordered, nowMs: number): LeftOut {
  const ms = Math.max(
    (breaker?.openUntilMs ?? nowMs) - nowMs,
    breaker?.leasedUntilMs ? breaker.leasedUntilMs - nowMs : 0,
  );
  return {
    provider,
    model,
    reason: `kept away from for ${Math.ceil(ms / 1000)} s more, for ${breaker?.reason ?? 'failures'}`,
  };
}
