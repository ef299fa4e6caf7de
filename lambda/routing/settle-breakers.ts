import type { LeftOut, Placed } from './plan.ts';

/** A target that stays in the plan; `breaker` when it is tried although that is not closed. */
export type Settled = Placed & { breaker?: 'half-open' | 'open' };

type Settlement = { kept: Settled[]; leftOut: LeftOut[] };

/**
 * Leaves out targets that are down while any other is not; when all are down, only the least bad is tried. One that may be
 * back comes first, for the one request that gets the lease, if it is as good a first as the one that would be: whom this
 * request would not have asked first, it does not ask first to find out either. Without `mayReturn` none is moved.
 */
export function settleBreakers(
  placed: readonly Placed[],
  nowMs: number,
  { mayReturn }: { mayReturn: boolean },
): Settlement {
  if (placed.every(({ candidate }) => candidate.state === 'closed')) return { kept: [...placed], leftOut: [] };
  const usable = placed.filter(({ candidate }) => candidate.state !== 'open');
  const open = placed.filter(({ candidate }) => candidate.state === 'open');
  const [first] = usable;
  if (!first) return leastBad(open, nowMs);
  const returning = mayReturn ? usable.find((one) => isHalfOpen(one) && arePeers(one, first)) : undefined;
  const ordered = returning ? [returning, ...usable.filter((one) => one !== returning)] : usable;
  return {
    kept: ordered.map((one) => (isHalfOpen(one) ? halfOpen(one) : one)),
    leftOut: open.map((one) => leftOutOf(one, nowMs)),
  };
}

function isHalfOpen({ candidate }: Placed): boolean {
  return candidate.state === 'half-open';
}

function arePeers(one: Placed, other: Placed): boolean {
  return one.model === other.model && one.peers === other.peers;
}

function halfOpen(one: Placed): Settled {
  const reason = `may be back after ${failureOf(one)}; one request finds out; else ${one.reason}`;
  return { ...one, breaker: 'half-open', reason };
}

function leastBad(open: readonly Placed[], nowMs: number): Settlement {
  const untilMs = ({ candidate }: Placed) => candidate.breaker?.openUntilMs ?? 0;
  const [first, ...rest] = open.toSorted((a, b) => untilMs(a) - untilMs(b));
  if (!first) return { kept: [], leftOut: [] };
  const reason = `all targets are kept away from; the soonest to return, after ${failureOf(first)}`;
  return { kept: [{ ...first, breaker: 'open', reason }], leftOut: rest.map((one) => leftOutOf(one, nowMs)) };
}

function leftOutOf(one: Placed, nowMs: number): LeftOut {
  const { target, breaker } = one.candidate;
  const ms = Math.max(
    (breaker?.openUntilMs ?? nowMs) - nowMs,
    breaker?.leasedUntilMs ? breaker.leasedUntilMs - nowMs : 0,
  );
  return {
    provider: target.provider,
    model: target.model,
    reason: `kept away from for ${Math.ceil(ms / 1000)} s more, for ${failureOf(one)}`,
  };
}

function failureOf({ candidate }: Placed): string {
  return candidate.breaker?.reason ?? 'failures';
}
