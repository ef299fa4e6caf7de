import type { FailureKind } from './failure.ts';

/** What may be asked of the same target after a failure, before it is given up. */
export type Retry = 'other_key' | 'fresh_secret' | 'same_key';

export type Reaction = {
  /** Absent: this target is not asked again. */
  retry?: Retry;
  next: 'next_target' | 'larger_context' | 'stop';
  /**
   * When nobody else is left: `asked` waits as long as the vendor asked for, `backoff` also a moment of our own choice;
   * then the target gets its last chance.
   */
  wait?: 'asked' | 'backoff';
};

/** What follows a failure, by its kind: the one table of it. */
export const reactions: Readonly<Record<FailureKind, Reaction>> = {
  rate_limited: { retry: 'other_key', next: 'next_target', wait: 'asked' },
  overloaded: { next: 'next_target', wait: 'backoff' },
  // A target that stayed silent once is not asked again: the next silence would cost as much.
  timeout: { next: 'next_target' },
  connection: { retry: 'same_key', next: 'next_target' },
  server_error: { retry: 'same_key', next: 'next_target' },
  bad_response: { next: 'next_target' },
  // The model wrote what its own vendor would not take, such as a call of no tool; another may do better.
  generation_failed: { next: 'next_target' },
  unauthorized: { retry: 'fresh_secret', next: 'next_target' },
  no_secret: { next: 'next_target' },
  not_found: { next: 'next_target' },
  context_length: { next: 'larger_context' },
  // The caller's request is at fault: every target would say the same, or should.
  content_policy: { next: 'stop' },
  rejected: { next: 'stop' },
  // Another vendor may have it.
  not_offered: { next: 'next_target' },
  // Another target may honour what this one cannot.
  unsupported: { next: 'next_target' },
  cancelled: { next: 'stop' },
};

/** Nobody is asked more often for one request, whatever the failures; but for a last chance, which is one try. */
export const mostTriesPerTarget = 3;

type Sized = { model: string; contextTokens?: number; fallback?: true };

/**
 * Whether a request that was too long for one target may fit another: never the same model; one that is known to hold
 * more, or where that is unknown, a model that the operator named as a fallback.
 */
export function mayFit(tooSmall: Sized, other: Sized): boolean {
  if (other.model === tooSmall.model) return false;
  if (tooSmall.contextTokens === undefined || other.contextTokens === undefined) return other.fallback === true;
  return other.contextTokens > tooSmall.contextTokens;
}

/** From what a caller can mend by waiting, over what it can mend itself, to what only the operator can. */
const byTelling: readonly FailureKind[] = [
  'cancelled',
  'rejected',
  'content_policy',
  'rate_limited',
  'overloaded',
  'timeout',
  'server_error',
  'connection',
  'bad_response',
  'generation_failed',
  'context_length',
  'unsupported',
  'not_offered',
  'unauthorized',
  'not_found',
  'no_secret',
];

/** Of several failures the one that the caller is told; of equally telling ones the first. */
export function mostTelling<T>(failures: readonly T[], kindOf: (failure: T) => FailureKind): T | undefined {
  return failures.toSorted((a, b) => byTelling.indexOf(kindOf(a)) - byTelling.indexOf(kindOf(b)))[0];
}

const firstBackoffMs = 250;
const longestBackoffMs = 2_000;

/** A pause before a target is asked again: longer with each try, and never in step with other requests. */
export function backoffMs(tries: number, random: number): number {
  const most = Math.min(firstBackoffMs * 2 ** Math.max(tries - 1, 0), longestBackoffMs);
  return Math.round(most * (0.5 + random / 2));
}
