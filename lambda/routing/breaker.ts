import type { FailureKind } from './failure.ts';

/** A target that the whole fleet keeps away from; a healthy target has none. */
export type Breaker = {
  openedAtMs: number;
  /** From then on one request of the fleet at a time may try it, the one that holds the lease. */
  openUntilMs: number;
  /** How often it was opened in a row without a success in between. */
  openings: number;
  reason: FailureKind;
  /** Until then the trying request has it for itself. */
  leasedUntilMs?: number;
};

/** The open breakers, by target name. */
export type Breakers = Readonly<Record<string, Breaker>>;

/** `closed`: ask freely. `open`: keep away. `half-open`: one request of the fleet may find out, with a lease. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** Nobody has tried it for so long after it might have been: what it was opened for says nothing any more. */
export const forgottenAfterMs = 600_000;

export function breakerState(breaker: Breaker | undefined, nowMs: number): BreakerState {
  if (!breaker || nowMs - breaker.openUntilMs > forgottenAfterMs) return 'closed';
  return nowMs < breaker.openUntilMs || nowMs < (breaker.leasedUntilMs ?? 0) ? 'open' : 'half-open';
}

/** What is seen of a target in a slice of time; slices are `sliceMs` long and begin at multiples of it. */
export type OutcomeSlice = { startMs: number; failures: number; attempts: number };

export const sliceMs = 10_000;
/** So many slices back an opening may be founded on. */
const mostSlices = 3;
const leastFailures = 3;
const failingShare = 0.5;
/** In less time chance alone brings some failures in a row where there are many attempts. */
const leastSpanMs = 1_000;

/**
 * Whether a target fails so often that its breaker opens: at least half of its attempts, and three at least, in the
 * last 10, 20 or 30 seconds. Slices hold what was reported, and successes are not always: `attemptsPerSecond`, known
 * from the scores, says how many attempts there must have been at least.
 */
export function isFailing(slices: readonly OutcomeSlice[], nowMs: number, attemptsPerSecond = 0): boolean {
  const current = Math.floor(nowMs / sliceMs) * sliceMs;
  let failures = 0;
  let attempts = 0;
  for (let back = 0; back < mostSlices; back++) {
    const startMs = current - back * sliceMs;
    for (const slice of slices) {
      if (slice.startMs !== startMs) continue;
      failures += slice.failures;
      attempts += slice.attempts;
    }
    const expected = (attemptsPerSecond * Math.max(nowMs - startMs, leastSpanMs)) / 1000;
    if (failures >= leastFailures && failures >= failingShare * Math.max(attempts, expected)) return true;
  }
  return false;
}

const openingMs = 5_000;
const longestOpeningMs = 15_000;
const shortestOpeningMs = 1_000;
/** A vendor may ask for a day; whether it has changed its mind is worth a look now and then. */
const longestWaitMs = 300_000;
/** A key that is refused stays so until a person does something. */
const refusedMs = 60_000;

export type Opening = { reason: FailureKind; nowMs: number; retryAfterMs?: number | undefined };

/** The breaker after one more opening: as long as the vendor asks for, else longer each time up to 15 seconds. */
export function openedBreaker(previous: Breaker | undefined, { reason, nowMs, retryAfterMs }: Opening): Breaker {
  const known = breakerState(previous, nowMs) === 'closed' ? undefined : previous;
  const openings = (known?.openings ?? 0) + 1;
  const usual = reason === 'unauthorized' ? refusedMs : Math.min(openings * openingMs, longestOpeningMs);
  const asked = retryAfterMs === undefined ? usual : Math.max(retryAfterMs, shortestOpeningMs);
  return { openedAtMs: nowMs, openUntilMs: nowMs + Math.min(asked, longestWaitMs), openings, reason };
}

/**
 * What an attempt says of the health of its target. `down` counts towards opening the breaker; `limited` and `refused`
 * open it at once when no other key is left; `neither` is no news of it.
 */
export type HealthSign = 'up' | 'down' | 'limited' | 'refused' | 'neither';

const healthSigns: Readonly<Record<FailureKind | 'answered', HealthSign>> = {
  answered: 'up',
  rate_limited: 'limited',
  unauthorized: 'refused',
  overloaded: 'down',
  timeout: 'down',
  connection: 'down',
  server_error: 'down',
  bad_response: 'down',
  not_found: 'down',
  // It has read the request and judged it: whatever is wrong, the target works.
  context_length: 'up',
  content_policy: 'up',
  rejected: 'up',
  generation_failed: 'up',
  // It was not asked, or not until the end.
  no_secret: 'neither',
  not_offered: 'neither',
  unsupported: 'neither',
  cancelled: 'neither',
};

export function healthSign(outcome: FailureKind | 'answered'): HealthSign {
  return healthSigns[outcome];
}

/** What concerns a key, and its target only when no other key is left. */
export function isAboutKey(sign: HealthSign): boolean {
  return sign === 'limited' || sign === 'refused';
}

const shortestProbeMs = 10_000;
const unknownProbeMs = 15_000;

/**
 * How long the trying request waits for the first content (buffered: for the answer): twice the target's usual p95, else
 * 15 seconds, and more after each attempt in vain, since the target may just be slower than that. Never more than
 * `limitMs`, what any other request would wait.
 */
export function probeLimitMs({ openings }: Breaker, usualP95Ms: number | undefined, limitMs: number): number {
  const base = usualP95Ms === undefined ? unknownProbeMs : Math.max(2 * usualP95Ms, shortestProbeMs);
  return Math.min(base * Math.max(openings, 1), limitMs);
}
