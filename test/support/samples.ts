import type { AttemptSample } from '../../lambda/routing/attempt-sample.ts';
import type { Knowledge } from '../../lambda/routing/knowledge.ts';
import { createSampleBuffer, type SampleSlice } from '../../lambda/routing/sample-slice.ts';
import { scoresOf } from '../../lambda/routing/scores-of.ts';
import type { Folded } from '../../lambda/store/stats-store.ts';

const waitless = (outcome = 'answered') => !['answered', 'timeout', 'cancelled'].includes(outcome);

/** A streamed answer of `openai/gpt-4o` after 400 ms, or what `fields` makes of it. */
export function aSample(fields: Partial<AttemptSample> & Pick<AttemptSample, 'atMs'>): AttemptSample {
  return {
    ...{ target: 'openai/gpt-4o', streamed: true, promptSize: 'small', outcome: 'answered', retry: false },
    ...(waitless(fields.outcome) ? {} : { waitMs: 400 }),
    ...fields,
  };
}

/** What one gateway would write of these samples. */
export function slicesOf(...samples: AttemptSample[]): SampleSlice[] {
  const buffer = createSampleBuffer();
  for (const sample of samples) buffer.add(sample);
  return buffer.take();
}

/** What a fold would write. */
export function folded(knowledge: Knowledge): Folded {
  return { knowledge, scores: scoresOf(knowledge) };
}
