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
  /** Takes that a lease until then has been given back. */
  learnRelease(target: string, leasedUntilMs: number): void;
  /** Whether the fleet has a breaker of it. */
  isPolled(target: string): boolean;
  /** How many attempts the fleet makes per second, as far as it was polled. */
  attemptsPerSecond(target: string): number | undefined;
};

/** `releasedUntilMs`: the end that a lease would have had which was given back; polls may still show it. */
type Own = { breaker: Breaker | undefined; atMs: number; releasedUntilMs?: number };

type Polled = { breakers: Breakers; atMs: number };

/** By then every poll shows what was written here; before, what was written here is newer than what was polled. */
const polledByMs = 15_000;

export function knownBreakers(now: () => number): KnownBreakers {
  const own = new Map<string, Own>();
  let polled = emptyLiveStats;
  let polledAtMs = Number.NEGATIVE_INFINITY;
  const latest = (): Polled => ({ breakers: polled.breakers, atMs: polledAtMs });
  const breaker = (target: string) => newer(own.get(target), target, latest(), now());
  return {
    overlay(live) {
      if (live.breakers !== polled.breakers) polledAtMs = now();
      polled = live;
      return own.size === 0 ? live : { ...live, breakers: overlaid(own, latest(), now()) };
    },
    breaker,
    state: (target) => breakerState(breaker(target), now()),
    learn: (target, known) => remember(own, target, { breaker: known, atMs: now() }),
    learnRelease(target, leasedUntilMs) {
      const known = breaker(target);
      if (!known || known.leasedUntilMs !== leasedUntilMs) return;
      const { leasedUntilMs: releasedUntilMs, ...unleased } = known;
      remember(own, target, { breaker: unleased, atMs: now(), releasedUntilMs });
    },
    isPolled: (target) => Object.hasOwn(polled.breakers, target),
    attemptsPerSecond: (target) => polled.scores.targets[target]?.attemptsPerSecond,
  };
}

/** A poll that came so long after something was learnt here had begun later, and shows it or what has become of it. */
const pollTakesMs = 3_000;

function newer(own: Own | undefined, target: string, latest: Polled, nowMs: number): Breaker | undefined {
  const polled = latest.breakers[target];
  if (!own) return polled;
  const { breaker, atMs, releasedUntilMs } = own;
  const isRecent = nowMs - atMs < polledByMs;
  if (!breaker) return isRecent && polled && polled.openedAtMs <= atMs ? undefined : polled;
  // Where no poll shows it any more, somebody has closed it.
  if (!polled) return isRecent || nowMs < breaker.openUntilMs + polledByMs ? breaker : undefined;
  if (polled.openedAtMs !== breaker.openedAtMs) return polled.openedAtMs > breaker.openedAtMs ? polled : breaker;
  // A lease ends early when it is given back: then what says less is what is true.
  if (releasedUntilMs !== undefined && polled.leasedUntilMs === releasedUntilMs) return breaker;
  if (latest.atMs - atMs >= pollTakesMs) return polled;
  return endOf(polled) > endOf(breaker) ? polled : breaker;
}

function endOf({ openUntilMs, leasedUntilMs = 0 }: Breaker): number {
  return Math.max(openUntilMs, leasedUntilMs);
}

function overlaid(own: ReadonlyMap<string, Own>, polled: Polled, nowMs: number): Breakers {
  const breakers: Record<string, Breaker> = { ...polled.breakers };
  for (const [target, known] of own) {
    const breaker = newer(known, target, polled, nowMs);
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
