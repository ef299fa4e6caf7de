import type { Knowledge } from '../routing/knowledge.ts';
import type { LiveStats } from '../routing/live-stats.ts';
import type { SampleSlice } from '../routing/sample-slice.ts';
import type { Scores } from '../routing/score.ts';

/** What one gateway writes at once, under a name that no other write has. */
export type SampleBatch = { name: string; atMs: number; slices: readonly SampleSlice[] };

/** The stats table as gateways and the prober use it. Every call may fail; none of them is worth a request. */
export type StatsStore = {
  /** Scores and open breakers. */
  readLive(): Promise<LiveStats>;
  writeSamples(batch: SampleBatch): Promise<void>;
  /** What was written and complete between the two times; what is older than two minutes is left out. */
  readSamples(sinceMs: number, untilMs: number): Promise<SampleSlice[]>;
  /** True for one of all who ask, until the lease has run out. */
  takeFoldLease(nowMs: number, untilMs: number): Promise<boolean>;
  readKnowledge(): Promise<Knowledge>;
  /** Writes what was folded, unless somebody else has done so since `previousMs`: then false. */
  writeKnowledge(folded: Folded, previousMs: number): Promise<boolean>;
};

/** What a fold results in: all that is remembered, and what planning needs of it. */
export type Folded = { knowledge: Knowledge; scores: Scores };

/** How long items may be needed; DynamoDB removes them some time after that. */
export const sampleLifeMs = 3_600_000;
export const knowledgeLifeMs = 86_400_000;
