import type { Breaker, OutcomeSlice } from '../routing/breaker.ts';

/** Who asks for a lease: one request of one gateway, by an id that nobody else has. */
export type LeaseWish = { holder: string; nowMs: number; untilMs: number };

/** `writer`: an id of this one write, by which it is known again when the answer to it was lost on the way. */
export type OpenOptions = { writer: string; nowMs: number; asked?: boolean; holder?: string };

/**
 * The breakers of the fleet. Whoever writes does so on a condition, so that of many gateways that see the same at the
 * same time one is heard; the others learn what is in force instead.
 */
export type BreakerStore = {
  /** Adds to what was seen of a target in a slice of time; gives all that was reported in the same minute. */
  report(target: string, slice: OutcomeSlice): Promise<OutcomeSlice[]>;
  /**
   * Opens a breaker, unless one is in force: then that stays, but for one whose `asked` length, the vendor's wish, ends
   * later. With `holder`, as the outcome of its lease. Gives what is in force now.
   */
  open(target: string, breaker: Breaker, options: OpenOptions): Promise<Written>;
  /** Takes the lease of a half-open breaker: of all who ask, exactly one gets it. */
  lease(target: string, breaker: Breaker, wish: LeaseWish): Promise<Written>;
  /** Ends a lease ahead of its time, for the next one to ask; false when that holder has none any more. */
  release(target: string, holder: string): Promise<boolean>;
  /** Removes a breaker that was opened before an attempt that succeeded had begun. True when there was one. */
  close(target: string, startedAtMs: number): Promise<boolean>;
};

/** Whether the caller's write is what is in force, and what that is: nothing when the breaker is closed. */
export type Written = { mine: boolean; inForce: Breaker | undefined };

/** Reports of one minute lie in one item. */
export const reportMs = 60_000;
