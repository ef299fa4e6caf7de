import { foldScores } from '../routing/fold-scores.ts';
import { scoresOf } from '../routing/scores-of.ts';
import type { StatsStore } from './stats-store.ts';

/** A fold takes some hundred milliseconds; one that was frozen in the middle must not block the others for long. */
const leaseMs = 8_000;

/** Folds what gateways have written into the scores, if nobody else does at the moment. Says whether it did. */
export async function foldSamples(store: StatsStore, nowMs: number): Promise<boolean> {
  if (!(await store.takeFoldLease(nowMs, nowMs + leaseMs))) return false;
  const previous = await store.readKnowledge();
  // By the clock of another machine it was folded later than now: those samples must not be counted twice.
  if (previous.foldedAtMs >= nowMs) return false;
  const slices = await store.readSamples(previous.foldedAtMs, nowMs);
  const knowledge = foldScores(previous, slices, nowMs);
  return await store.writeKnowledge({ knowledge, scores: scoresOf(knowledge) }, previous.foldedAtMs);
}
