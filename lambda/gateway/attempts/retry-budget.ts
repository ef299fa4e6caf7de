import type { TargetScore } from '../../routing/score.ts';
import { remember } from './known-breakers.ts';

/**
 * Keeps second tries of the same target from adding much to the load of a target in trouble: at most a fifth of its
 * attempts, over the fleet as far as the scores tell, and here by a reserve that every attempt adds to.
 */
export type RetryBudget = {
  /** An attempt was made. */
  earn(target: string): void;
  /** Takes one second try out of the reserve; false when there is none left, or the fleet makes too many. */
  spend(target: string, score: TargetScore | undefined): boolean;
};

const retryShare = 0.2;
/** Fewer attempts say nothing about a share. */
const leastAttempts = 20;
const firstReserve = 3;
const largestReserve = 10;
/** So that a gateway with little traffic may try again too. */
const refillEveryMs = 10_000;

type Reserve = { retries: number; atMs: number };

export function createRetryBudget(now: () => number): RetryBudget {
  const reserves = new Map<string, Reserve>();
  const reserve = (target: string): Reserve => {
    const nowMs = now();
    const { retries, atMs } = reserves.get(target) ?? { retries: firstReserve, atMs: nowMs };
    // Time fills it up to what it began with, no further.
    const refilled = Math.min(firstReserve, retries + (nowMs - atMs) / refillEveryMs);
    return { retries: Math.max(retries, refilled), atMs: nowMs };
  };
  return {
    earn(target) {
      const { retries, atMs } = reserve(target);
      remember(reserves, target, { retries: Math.min(retries + retryShare, largestReserve), atMs });
    },
    spend(target, score) {
      if (score && score.outcomes.attempts >= leastAttempts && score.retryShare > retryShare) return false;
      const { retries, atMs } = reserve(target);
      if (retries < 1) return false;
      remember(reserves, target, { retries: retries - 1, atMs });
      return true;
    },
  };
}
