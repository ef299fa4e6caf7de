import type { Breaker } from './breaker.ts';
import type { LeftOut, PlannedAttempt } from './plan.ts';

/** An attempt as it was ordered, before breakers have their say. */
export type Ordered = { attempt: PlannedAttempt; breaker?: Breaker; state: 'closed' | 'open' | 'half-open' };

type Settled = { attempts: PlannedAttempt[]; leftOut: LeftOut[] };

/**
 * Puts a target that may be back first, for the one request that gets the lease, and leaves out those that are down
 * while any other is not. When all are down, only the least bad is tried.
 */
export function settleBreakers(ordered: readonly Ordered[], nowMs: number): Settled {
  if (ordered.every(({ state }) => state === 'closed'))
    return { attempts: ordered.map(({ attempt }) => attempt), leftOut: [] };
  const usable = ordered.filter(({ state }) => state !== 'open');
  const open = ordered.filter(({ state }) => state === 'open');
  if (usable.length === 0) return leastBad(open, nowMs);
  // A fallback model's target must not come before the model that was asked for.
  const returning = usable.find(({ state, attempt }) => state === 'half-open' && !attempt.fallback);
  const others = usable.filter((one) => one !== returning);
  const attempts = [...(returning ? [returning] : []), ...others].map(({ attempt, state, breaker }) =>
    state === 'half-open' ? halfOpen(attempt, breaker) : attempt,
  );
  return { attempts, leftOut: open.map((one) => leftOutOf(one, nowMs)) };
}

function halfOpen(attempt: PlannedAttempt, breaker: Breaker | undefined): PlannedAttempt {
  const reason = `may be back after ${breaker?.reason ?? 'failures'}; one request finds out; else ${attempt.reason}`;
  return { ...attempt, breaker: 'half-open', reason };
}

function leastBad(open: readonly Ordered[], nowMs: number): Settled {
  const [first, ...rest] = [...open].sort((a, b) => (a.breaker?.openUntilMs ?? 0) - (b.breaker?.openUntilMs ?? 0));
  if (!first) return { attempts: [], leftOut: [] };
  const reason = `all targets are kept away from; the soonest to return, after ${first.breaker?.reason ?? 'failures'}`;
  return {
    attempts: [{ ...first.attempt, breaker: 'open', reason }],
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
