import { remember } from './known-breakers.ts';

/** Caps second targets that are started besides a silent one, at a share of the requests that could have one. */
export type HedgeBudget = {
  /** A request goes to a target that may be helped out. */
  earn(target: string, maxShare: number): void;
  /** Takes the right to start another target besides; false when the share is used up. */
  spend(target: string): boolean;
};

/** Saved up for a target that is silent for several requests at the same time. */
const largestReserve = 5;

/** Counts in this process: the share holds in each environment, so it holds in the fleet. */
export function createHedgeBudget(): HedgeBudget {
  const reserves = new Map<string, number>();
  return {
    earn(target, maxShare) {
      remember(reserves, target, Math.min((reserves.get(target) ?? 0) + maxShare, largestReserve));
    },
    spend(target) {
      const reserve = reserves.get(target) ?? 0;
      // Shares are fractions, whose sums are a little less than whole.
      if (reserve < 1 - 1e-9) return false;
      remember(reserves, target, Math.max(reserve - 1, 0));
      return true;
    },
  };
}
