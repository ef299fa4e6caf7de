import type { SampleBuffer } from '../routing/sample-slice.ts';
import type { MeasurementParts } from './measurement.ts';

export type SampleWriterParts = Omit<MeasurementParts, 'onError'> & {
  buffer: SampleBuffer;
  /** When the scores that are known here were folded. */
  foldedAtMs: () => number;
  onError: (what: 'write' | 'fold') => (error: unknown) => void;
};

/** Writes what one gateway has seen, every few seconds, and folds what all have written when it is time. Never fails. */
export type SampleWriter = {
  flush(): Promise<void>;
};

const flushEveryMs = 3_000;
const foldAfterMs = 4_000;
/** By then somebody of a busy fleet has folded; until then ever more of them try. */
const foldSpreadMs = 1_500;

export function sampleWriter({ store, now, random, newId, buffer, ...parts }: SampleWriterParts): SampleWriter {
  const { foldedAtMs, onError } = parts;
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  /** What was written here waits to be learnt from. */
  let isWaiting = false;

  async function flush(): Promise<void> {
    const atMs = now();
    if (atMs - writtenAtMs < flushEveryMs) return;
    const slices = buffer.take();
    if (slices.length === 0) return foldRest(atMs);
    const isFirst = writtenAtMs === Number.NEGATIVE_INFINITY;
    writtenAtMs = atMs;
    const batch = { name: newId(), atMs, slices };
    isWaiting = (await store.writeSamples(batch).then(() => true, onError('write'))) ?? false;
    // Where nobody has folded yet there is nothing but this, and a fold takes what was written a little before.
    if (!isWaiting || (isFirst && foldedAtMs() === 0)) return;
    if (random() * foldSpreadMs < atMs - foldedAtMs() - foldAfterMs) await fold(atMs);
  }

  /** When nothing follows any more, what was written last would never be learnt from. */
  async function foldRest(atMs: number): Promise<void> {
    if (isWaiting && atMs - writtenAtMs >= foldAfterMs && (await fold(atMs))) isWaiting = false;
  }

  async function fold(atMs: number): Promise<boolean> {
    // Loaded by those who fold, and not while a function starts.
    const { foldSamples } = await import('./fold-samples.ts');
    return (await foldSamples(store, atMs).catch(onError('fold'))) ?? false;
  }

  return { flush };
}
