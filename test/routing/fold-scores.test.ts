import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AttemptSample } from '../../lambda/routing/attempt-sample.ts';
import { foldScores, longestHalfLifeMs, mostTargets } from '../../lambda/routing/fold-scores.ts';
import { forgottenAfterMs, type Knowledge, noKnowledge } from '../../lambda/routing/knowledge.ts';
import { createSampleBuffer } from '../../lambda/routing/sample-slice.ts';
import { scoresOf } from '../../lambda/routing/scores-of.ts';
import { aSample as sampleAt, slicesOf } from '../support/samples.ts';

const startMs = 1_800_000_000_000;
const target = 'openai/gpt-4o';

function aSample(fields: Partial<AttemptSample> = {}): AttemptSample {
  return sampleAt({ atMs: startMs, target, ...fields });
}

const times = (count: number, fields: Partial<AttemptSample> = {}) =>
  Array.from({ length: count }, () => aSample(fields));

function scoreOf(knowledge: Knowledge, name = target) {
  return scoresOf(knowledge).targets[name];
}

describe('foldScores', () => {
  test('knows nothing of targets that were never heard of', () => {
    expect(scoresOf(foldScores(noKnowledge, [], startMs))).toEqual({ foldedAtMs: startMs, targets: {} });
  });

  test('learns waits by mode and prompt size, apart from each other', () => {
    const knowledge = foldScores(
      noKnowledge,
      slicesOf(
        ...times(9, { waitMs: 400 }),
        aSample({ waitMs: 4_000 }),
        aSample({ promptSize: 'large', waitMs: 9_000 }),
        aSample({ streamed: false, waitMs: 2_500, outputTokens: 120 }),
        aSample({ streamed: false, waitMs: 2_500, outputTokens: 80 }),
      ),
      startMs,
    );

    const { streamed, buffered } = scoreOf(knowledge)!;
    expect(Object.keys(streamed)).toEqual(['small', 'large']);
    expect(streamed.small).toMatchObject({ samples: 10 });
    expect(streamed.small!.p50Ms).toBeGreaterThan(350);
    expect(streamed.small!.p50Ms).toBeLessThan(450);
    expect(streamed.small!.p95Ms).toBeGreaterThan(3_500);
    expect(streamed.large!.p50Ms).toBeGreaterThan(8_000);
    expect(buffered.small).toMatchObject({ samples: 2, meanOutputTokens: 100 });
  });

  test('believes little of what was known of a target as soon as that turns out to have changed', () => {
    const slow = foldScores(noKnowledge, slicesOf(...times(40, { waitMs: 3_000 })), startMs);
    const atMs = startMs + 10_000;
    const asBefore = foldScores(slow, slicesOf(aSample({ atMs, waitMs: 3_000 })), atMs);
    const recovered = foldScores(slow, slicesOf(...times(4, { atMs, waitMs: 300 })), atMs);

    expect(scoreOf(asBefore)!.streamed.small!.samples).toBeGreaterThan(30);
    expect(scoreOf(recovered)!.streamed.small!.samples).toBeLessThan(5);
    expect(scoreOf(recovered)!.streamed.small!.p90Ms).toBeLessThan(350);
  });

  test('keeps what was rare before a doubt, until as much is known again', () => {
    const known = foldScores(noKnowledge, slicesOf(...times(40, { waitMs: 3_000 })), startMs);
    const atMs = startMs + 10_000;
    const doubted = foldScores(known, slicesOf(...times(4, { atMs, waitMs: 300 })), atMs);
    const later = atMs + longestHalfLifeMs;
    const learnt = foldScores(doubted, slicesOf(...times(25, { atMs, waitMs: 300 })), atMs);

    const { p95Ms, p99Ms } = scoreOf(known)!.streamed.small!;
    const beforeDoubt = { samples: expect.closeTo(39.09, 1), p95Ms: Math.round(p95Ms), p99Ms: Math.round(p99Ms) };
    expect(scoreOf(known)!.streamed.small).not.toHaveProperty('beforeDoubt');
    expect(scoreOf(doubted)!.streamed.small).toMatchObject({ beforeDoubt });
    expect(scoreOf(foldScores(doubted, [], later))!.streamed.small!.beforeDoubt!.samples).toBeCloseTo(19.55, 1);
    expect(foldScores(doubted, [], atMs + 4 * longestHalfLifeMs).targets[target]).not.toHaveProperty('beforeDoubt');
    expect(scoreOf(learnt)!.streamed.small).not.toHaveProperty('beforeDoubt');
  });

  test('keeps nothing of a doubted pace, by which nothing is limited', () => {
    const paced = (generationMs: number) => ({ outputTokens: 100, generationMs });
    const known = foldScores(noKnowledge, slicesOf(...times(40, paced(2_000))), startMs);
    const doubted = foldScores(known, slicesOf(...times(4, paced(20_000))), startMs);

    expect(scoreOf(doubted)!.outputTokensPerSecond!.samples).toBeLessThan(10);
    expect(doubted.targets[target]).not.toHaveProperty('beforeDoubt');
  });

  test('does not know how long answers are whose length nobody told', () => {
    const knowledge = foldScores(noKnowledge, slicesOf(aSample({ streamed: false, waitMs: 2_500 })), startMs);

    expect(scoreOf(knowledge)!.buffered.small).not.toHaveProperty('meanOutputTokens');
  });

  test('counts outcomes and second tries, and nothing that says nothing of the target', () => {
    const knowledge = foldScores(
      noKnowledge,
      slicesOf(
        ...times(5),
        aSample({ outcome: 'rate_limited' }),
        aSample({ outcome: 'server_error' }),
        aSample({ outcome: 'answered', retry: true }),
        aSample({ outcome: 'timeout', waitMs: 5_000 }),
        aSample({ outcome: 'context_length' }),
        aSample({ outcome: 'cancelled', waitMs: 300 }),
        aSample({ outcome: 'no_secret' }),
      ),
      startMs,
    );

    const { outcomes, retryShare } = scoreOf(knowledge)!;
    expect(outcomes).toEqual({ attempts: 10, failures: 3, timeouts: 1, rateLimited: 1 });
    expect(retryShare).toBeCloseTo(1 / 10, 3);
  });

  test('learns the pace of answers that were streamed, and takes no single burst for one', () => {
    const fields = { outputTokens: 100, waitMs: 1_000 };

    const streamed = foldScores(noKnowledge, slicesOf(aSample({ ...fields, generationMs: 2_000 })), startMs);
    const atOnce = foldScores(noKnowledge, slicesOf(aSample({ ...fields, generationMs: 1 })), startMs);
    const tooShort = foldScores(noKnowledge, slicesOf(aSample({ outputTokens: 3, generationMs: 50 })), startMs);

    expect(scoreOf(streamed)!.outputTokensPerSecond!.mean).toBeGreaterThan(45);
    expect(scoreOf(streamed)!.outputTokensPerSecond!.mean).toBeLessThan(56);
    expect(scoreOf(atOnce)!.outputTokensPerSecond!.mean).toBeLessThan(112);
    expect(scoreOf(tooShort)!.outputTokensPerSecond).toBeUndefined();
  });

  test('lets what was seen count for half after the half-life, and disappear in the end', () => {
    const known = foldScores(noKnowledge, slicesOf(...times(8)), startMs);

    const later = foldScores(known, [], startMs + longestHalfLifeMs);
    const muchLater = foldScores(later, [], startMs + forgottenAfterMs + 1);

    expect(scoreOf(later)!.streamed.small).toMatchObject({ samples: 4, p50Ms: scoreOf(known)!.streamed.small!.p50Ms });
    expect(scoreOf(later)!.updatedAtMs).toBe(startMs);
    expect(scoreOf(muchLater)).toBeUndefined();
  });

  test('forgets outcomes after half a minute, and sooner what a busy fleet soon learns anew', () => {
    const quiet = foldScores(noKnowledge, slicesOf(...times(8)), startMs);
    let busy = noKnowledge;
    for (let atMs = startMs - 300_000; atMs < startMs; atMs += 10_000)
      busy = foldScores(busy, slicesOf(...times(100, { atMs, target: 'groq/busy' })), atMs + 10_000);
    busy = foldScores(busy, slicesOf(...times(8)), startMs);

    const left = (known: Knowledge, ms: number) => scoreOf(foldScores(known, [], startMs + ms))!;

    expect(left(quiet, 30_000).outcomes.attempts).toBeCloseTo(4, 2);
    expect(left(quiet, 30_000).streamed.small!.samples).toBeGreaterThan(7);
    expect(left(busy, 90_000).streamed.small!.samples).toBeCloseTo(4, 2);
  });

  test('lets new waits push old ones out where there are many', () => {
    const known = foldScores(noKnowledge, slicesOf(...times(1_000)), startMs);

    const later = foldScores(known, slicesOf(...times(10)), startMs);

    expect(scoreOf(later)!.streamed.small!.samples).toBeCloseTo(40, 2);
  });

  test('gives late news the weight of its age', () => {
    const late = slicesOf(...times(8));

    expect(scoreOf(foldScores(noKnowledge, late, startMs + longestHalfLifeMs))!.streamed.small!.samples).toBe(4);
  });

  test('does not depend on how often it is folded', () => {
    const later = slicesOf(...times(4, { atMs: startMs + 60_000 }));
    const first = foldScores(noKnowledge, slicesOf(...times(4)), startMs);
    const between = foldScores(first, [], startMs + 30_000);

    const once = scoreOf(foldScores(first, later, startMs + 60_000))!;
    const twice = scoreOf(foldScores(between, later, startMs + 60_000))!;

    expect(twice.streamed.small!.samples).toBeCloseTo(once.streamed.small!.samples, 2);
    expect(twice.streamed.small!.meanMs).toBeCloseTo(once.streamed.small!.meanMs, 0);
    expect(twice.attemptsPerSecond).toBeCloseTo(once.attemptsPerSecond, 1);
  });

  test('does not depend on which gateway saw what', () => {
    const many = [...times(7), ...times(3, { waitMs: 2_000 }), ...times(2, { outcome: 'timeout', waitMs: 9_000 })];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: many.length }), (cut) => {
        const apart = [...slicesOf(...many.slice(0, cut)), ...slicesOf(...many.slice(cut))];
        expect(foldScores(noKnowledge, apart, startMs)).toEqual(foldScores(noKnowledge, slicesOf(...many), startMs));
      }),
    );
  });

  test('notices within seconds of dense traffic that a target has become slow', () => {
    const fast = foldScores(noKnowledge, slicesOf(...times(1_000, { waitMs: 300 })), startMs);

    const slow = foldScores(fast, slicesOf(...times(100, { waitMs: 3_000, atMs: startMs + 10_000 })), startMs + 10_000);

    expect(scoreOf(slow)!.streamed.small!.p50Ms).toBeGreaterThan(2_500);
  });

  test('says how many attempts there are per second', () => {
    let knowledge = noKnowledge;
    for (let atMs = startMs; atMs < startMs + 300_000; atMs += 10_000)
      knowledge = foldScores(knowledge, slicesOf(...times(20, { atMs })), atMs + 10_000);

    expect(scoreOf(knowledge)!.attemptsPerSecond).toBeCloseTo(2, 1);
    const idle = foldScores(knowledge, [], knowledge.foldedAtMs + 120_000);
    expect(scoreOf(idle)!.attemptsPerSecond).toBeCloseTo(0.5, 1);
  });

  test('takes a time that lies ahead for now', () => {
    const ahead = foldScores(noKnowledge, slicesOf(aSample({ atMs: startMs + 50_000 })), startMs);

    expect(scoreOf(ahead)).toMatchObject({ updatedAtMs: startMs, streamed: { small: { samples: 1 } } });
  });

  test('keeps the latest probe', () => {
    const buffer = createSampleBuffer();
    buffer.addProbe(target, { atMs: startMs, streams: true });
    const probed = foldScores(noKnowledge, buffer.take(), startMs);
    const later = foldScores(probed, slicesOf(aSample()), startMs + 1_000);

    expect(scoreOf(later)!.probe).toEqual({ atMs: startMs, streams: true });
  });

  test('keeps the busiest of too many targets', () => {
    const everyKind = ['small', 'medium', 'large'] as const;
    const busy = Array.from({ length: mostTargets + 50 }, (_, index) =>
      everyKind.flatMap((promptSize) =>
        [true, false].flatMap((streamed) =>
          times(index < 50 ? 1 : 2, {
            ...{ target: `some-provider-${index}/some-model-of-it-${index}`, promptSize, streamed },
            ...{ waitMs: 400 + index, outputTokens: 100, generationMs: 2_000 },
          }),
        ),
      ),
    );
    const written = busy.flatMap((samples) => slicesOf(...samples));

    const scores = scoresOf(foldScores(noKnowledge, written, startMs));

    expect(Object.keys(scores.targets)).toHaveLength(mostTargets);
    expect(scores.targets['some-provider-49/some-model-of-it-49']).toBeUndefined();
    expect(scores.targets['some-provider-50/some-model-of-it-50']).toBeDefined();
  });
});

describe('a sample buffer', () => {
  test('is empty after everything was taken', () => {
    const buffer = createSampleBuffer();
    buffer.add(aSample());

    expect(buffer.take()).toHaveLength(1);
    expect(buffer.take()).toEqual([]);
  });

  test('keeps apart what was seen in different slices of ten seconds', () => {
    const taken = slicesOf(aSample(), aSample({ atMs: startMs + 9_999 }), aSample({ atMs: startMs + 10_000 }));

    expect(taken.map((slice) => slice.startMs)).toEqual([startMs, startMs + 10_000]);
    expect(taken[0]!.targets[target]!.counters).toMatchObject({ attempts: 2 });
  });

  test('is not filled up by names that callers make up', () => {
    const buffer = createSampleBuffer();
    for (let index = 0; index < 1_000; index++) buffer.add(aSample({ target: `openai/${index}` }));
    buffer.add(aSample({ target: `openai/${'x'.repeat(10_000)}` }));

    expect(Object.keys(buffer.take()[0]!.targets)).toHaveLength(200);
  });
});
