import { type Breaker, type BreakerState, type Breakers, breakerState } from '../../routing/breaker.ts';
import { emptyLiveStats, type LiveStats } from '../../routing/live-stats.ts';
import { setLatest } from '../../routing/set-latest.ts';

/** What one gateway knows of the breakers: what was polled, and what it has found out itself since. */
export type KnownBreakers = {
  /** What was polled, with what is known here and newer laid over. */
  overlay(polled: LiveStats): LiveStats;
  breaker(target: string): Breaker | undefined;
  state(target: string): BreakerState;
  /** Takes what is in force from now on; without a breaker, that there is none. */
  learn(target: string, breaker: Breaker | undefined): void;
  /** How many attempts the fleet makes per second, as far as it was polled. */
  attemptsPerSecond(target: string): number | undefined;
};

type Own = { breaker: Breaker | undefined; atMs: number };

/** By then every poll shows what was written here; before, what was written here is newer than what was polled. */
const polledByMs = 15_000;

export function knownBreakers(now: () => number): KnownBreakers {
  const own = new Map<string, Own>();
  let polled = emptyLiveStats;
  const breaker = (target: string) => newer(own.get(target), polled.breakers[target], now());
  return {
    overlay(latest) {
      polled = latest;
      return own.size === 0 ? latest : { ...latest, breakers: overlaid(own, latest.breakers, now()) };
    },
    breaker,
    state: (target) => breakerState(breaker(target), now()),
    learn: (target, known) => remember(own, target, { breaker: known, atMs: now() }),
    attemptsPerSecond: (target) => polled.scores.targets[target]?.attemptsPerSecond,
  };
}

function newer(own: Own | undefined, polled: Breaker | undefined, nowMs: number): Breaker | undefined {
  if (!own) return polled;
  const { breaker, atMs } = own;
  const isRecent = nowMs - atMs < polledByMs;
  if (!breaker) return isRecent && polled && polled.openedAtMs <= atMs ? undefined : polled;
  // Where no poll shows it any more, somebody has closed it.
  if (!polled) return isRecent || nowMs < breaker.openUntilMs + polledByMs ? breaker : undefined;
  if (polled.openedAtMs !== breaker.openedAtMs) return polled.openedAtMs > breaker.openedAtMs ? polled : breaker;
  return endOf(polled) > endOf(breaker) ? polled : breaker;
}

function endOf({ openUntilMs, leasedUntilMs = 0 }: Breaker): number {
  return Math.max(openUntilMs, leasedUntilMs);
}

function overlaid(own: ReadonlyMap<string, Own>, polled: Breakers, nowMs: number): Breakers {
  const breakers: Record<string, Breaker> = { ...polled };
  for (const [target, known] of own) {
    const breaker = newer(known, polled[target], nowMs);
    if (breaker) breakers[target] = breaker;
    else delete breakers[target];
  }
  return breakers;
}

/** Callers may name any target. */
const mostTargets = 1_000;

/** Puts a value into a map that forgets the oldest ones. */
export function remember<T>(map: Map<string, T>, target: string, value: T): void {
  setLatest(map, target, value, mostTargets);
}
