import type { AttemptSample } from '../routing/attempt-sample.ts';
import { forgottenAfterMs } from '../routing/knowledge.ts';
import { emptyLiveStats, type LiveStats } from '../routing/live-stats.ts';
import { type OwnWait, rememberWait } from '../routing/own-waits.ts';
import { createSampleBuffer } from '../routing/sample-slice.ts';
import { emptyScores, type TargetScore } from '../routing/score.ts';
import { cached } from './cached.ts';
import type { StatsStore } from './stats-store.ts';

/** What one gateway sees and knows of the targets. Nothing here fails, and no request waits long for it. */
export type Measurement = {
  /**
   * What is known here, read again behind the request when that was a while ago. Older knowledge is waited for, so that a
   * gateway with few requests does not plan each by what was true at the one before; not for long, and not by the first.
   */
  live(): Promise<LiveStats>;
  measure(sample: AttemptSample): void;
  /** Takes what a probe saw of a target's promises. */
  probed(target: string, probe: NonNullable<TargetScore['probe']>): void;
  /** Reads what is known ahead of the first request, unless that takes long. */
  warm(): Promise<void>;
  /** After an answer, or every few seconds: writes what was seen, and folds, when it is time. */
  settle(): Promise<void>;
};

export type MeasurementParts = {
  store: StatsStore;
  now: () => number;
  random: () => number;
  newId: () => string;
  /** Hears what failed: reading scores, writing samples, or folding. */
  onError: (what: 'read' | 'write' | 'fold', error: unknown) => void;
};

const flushEveryMs = 3_000;
const readEveryMs = 2_000;
/** What is older has to be read anew before it is planned by, unless that takes longer than a better choice is worth. */
const oldAfterMs = 4_000;
const longestReadMs = 30;
const foldAfterMs = 4_000;
/** By then somebody of a busy fleet has folded; until then ever more of them try. */
const foldSpreadMs = 1_500;
const longestWarmUpMs = 1_000;
/** The caller has its answer; a table that hangs costs the operator this much of the function's time at most. */
const longestSettleMs = 2_500;

export function createMeasurement({ store, now, random, newId, onError }: MeasurementParts): Measurement {
  const buffer = createSampleBuffer();
  const own = new Map<string, readonly OwnWait[]>();
  const failed = (what: Parameters<typeof onError>[0]) => (error: unknown) => onError(what, error);
  const live = cached(() => store.readLive(), {
    freshForMs: readEveryMs,
    staleForMs: oldAfterMs,
    waitMs: longestReadMs,
    now,
    onError: failed('read'),
  });
  let flushedAtMs = Number.NEGATIVE_INFINITY;
  let flushing: Promise<void> | undefined;

  async function flush(): Promise<void> {
    const slices = buffer.take();
    if (slices.length === 0) return;
    const atMs = now();
    const isFirst = flushedAtMs === Number.NEGATIVE_INFINITY;
    flushedAtMs = atMs;
    const written = await store.writeSamples({ name: newId(), atMs, slices }).then(() => true, failed('write'));
    const { foldedAtMs } = current().scores;
    // Where nobody has folded yet there is nothing but this, and a fold takes what was written a little before.
    if (isFirst && foldedAtMs === 0) return;
    const dueForMs = atMs - foldedAtMs - foldAfterMs;
    if (written && random() * foldSpreadMs < dueForMs) await fold(atMs).catch(failed('fold'));
  }

  async function fold(atMs: number): Promise<void> {
    // Loaded by those who fold, and not while a function starts.
    const { foldSamples } = await import('./fold-samples.ts');
    await foldSamples(store, atMs);
  }

  function current(): LiveStats {
    const known = { ...(live.peek() ?? emptyLiveStats), own };
    return now() - known.scores.foldedAtMs > forgottenAfterMs ? { ...known, scores: emptyScores } : known;
  }

  return {
    async live() {
      if (live.peek()) await live.get();
      return current();
    },
    measure(sample) {
      buffer.add(sample);
      rememberWait(own, sample);
    },
    probed: buffer.addProbe,
    warm: () => within(longestWarmUpMs, live.get().then(ignore, ignore)),
    async settle() {
      if (!flushing && now() - flushedAtMs >= flushEveryMs) {
        flushing = flush().finally(() => {
          flushing = undefined;
        });
      }
      await within(longestSettleMs, Promise.all([flushing, live.settled()]));
    },
  };
}

function ignore(): void {}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
