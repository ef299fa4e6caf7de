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
