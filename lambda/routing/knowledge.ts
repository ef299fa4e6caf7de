import type { BeforeDoubt } from './before-doubt.ts';
import type { Counters } from './sample-counters.ts';
import type { TargetSamples } from './sample-slice.ts';

/** What the fleet remembers of one target; scores are made from it. */
export type TargetKnowledge = {
  /** When it was last heard of. */
  updatedAtMs: number;
  /** Attempts of the whole fleet per second, lately. */
  attemptsPerSecond: number;
  /** Weights that have decayed since they were counted. */
  counters: Counters;
  /** Where a doubt has left little: what was rare before it. */
  beforeDoubt?: BeforeDoubt;
  probe?: NonNullable<TargetSamples['probe']>;
};

/** Everything that was learnt, by target name, as of the last fold. */
export type Knowledge = { foldedAtMs: number; targets: Readonly<Record<string, TargetKnowledge>> };

export const noKnowledge: Knowledge = { foldedAtMs: 0, targets: {} };

/** A target that nobody has heard of for so long is as good as never heard of. */
export const forgottenAfterMs = 3_600_000;
