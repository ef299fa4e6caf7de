import type { Breaker } from '../routing/breaker.ts';
import { noKnowledge } from '../routing/knowledge.ts';
import { emptyScores } from '../routing/score.ts';
import { type SampleBatch, type StatsStore, sampleLifeMs } from './stats-store.ts';
import { sampleKindsBetween, samplesKind } from './table-schema.ts';

/** The stats table in the memory of one process. */
export type MemoryStatsStore = StatsStore & {
  /** Open breakers by target name, as `readLive` shows them. */
  breakers: Map<string, Breaker>;
};

/** Keeps samples, knowledge and scores in memory; samples for as long as the table would. */
export function memoryStatsStore(): MemoryStatsStore {
  const breakers = new Map<string, Breaker>();
  const batches = new Map<string, SampleBatch[]>();
  let knowledge = noKnowledge;
  let scores = emptyScores;
  let leasedUntilMs = 0;

  function forgetBefore(atMs: number): void {
    for (const [kind, [first]] of batches) if (first && first.atMs < atMs - sampleLifeMs) batches.delete(kind);
  }

  return {
    breakers,
    readLive: async () => ({ scores, breakers: Object.fromEntries(breakers) }),
    async writeSamples(batch) {
      const kind = samplesKind(batch.atMs);
      batches.set(kind, [...(batches.get(kind) ?? []).filter(({ name }) => name !== batch.name), batch]);
      forgetBefore(batch.atMs);
    },
    async readSamples(sinceMs, untilMs) {
      const found = sampleKindsBetween(sinceMs, untilMs).flatMap((kind) => batches.get(kind) ?? []);
      return found.flatMap(({ slices }) => slices);
    },
    async takeFoldLease(nowMs, untilMs) {
      if (leasedUntilMs >= nowMs) return false;
      leasedUntilMs = untilMs;
      return true;
    },
    readKnowledge: async () => knowledge,
    async writeKnowledge(folded, previousMs) {
      if (knowledge.foldedAtMs !== previousMs) return false;
      ({ knowledge, scores } = folded);
      return true;
    },
  };
}
