import type { AttemptSample } from '../routing/attempt-sample.ts';
import { forgottenAfterMs } from '../routing/knowledge.ts';
import { emptyLiveStats, type LiveStats } from '../routing/live-stats.ts';
import { type OwnWait, rememberWait } from '../routing/own-waits.ts';
import { createSampleBuffer } from '../routing/sample-slice.ts';
import { emptyScores, type TargetScore } from '../routing/score.ts';
import { cached } from './cached.ts';
import { sampleWriter } from './sample-writer.ts';
import type { StatsStore } from './stats-store.ts';
import { within } from './within.ts';

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
  /**
   * After an answer, or every few seconds: writes what was seen, and folds, when it is time. As long as the table takes
   * for that; who cannot wait so long bounds it together with what else runs behind.
   */
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

const readEveryMs = 2_000;
/** What is older has to be read anew before it is planned by, unless that takes longer than a better choice is worth. */
const oldAfterMs = 4_000;
const longestReadMs = 30;
const longestWarmUpMs = 1_000;

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
  const writer = sampleWriter({
    ...{ store, now, random, newId, buffer, onError: failed },
    foldedAtMs: () => current().scores.foldedAtMs,
  });
  let flushing: Promise<void> | undefined;

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
      flushing ??= writer.flush().finally(() => {
        flushing = undefined;
      });
      await Promise.all([flushing, live.settled()]);
    },
  };
}

function ignore(): void {}
