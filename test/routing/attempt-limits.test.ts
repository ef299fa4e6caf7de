import { describe, expect, test } from '@jest/globals';
import { attemptLimits, hedgeTerms } from '../../lambda/routing/attempt-limits.ts';
import { seededRandom } from '../../lambda/routing/draw.ts';
import { type Estimate, estimateWait, waitQuestion } from '../../lambda/routing/estimate-wait.ts';
import { foldScores } from '../../lambda/routing/fold-scores.ts';
import { noKnowledge } from '../../lambda/routing/knowledge.ts';
import { defaultLimits } from '../../lambda/routing/plan.ts';
import { scoresOf } from '../../lambda/routing/scores-of.ts';
import { aSample, slicesOf } from '../support/samples.ts';

const request = { stream: true, inputTokens: 0, maxOutputTokens: undefined };
const wait = (samples: number, ms = 10_000): Estimate => ({ samples, meanMs: ms, p50Ms: ms, p95Ms: ms, p99Ms: ms });
const doubted = (left: Estimate, samples: number, ms: number): Estimate => ({
  ...left,
  beforeDoubt: { samples, p95Ms: ms, p99Ms: ms },
});

describe('the limit of the first content', () => {
  const limitOf = (estimate: Estimate | undefined, asked: object = {}) =>
    attemptLimits({}, {}, estimate, { ...request, ...asked }).firstContentMs;

  test('is the default until enough is known', () => {
    expect([limitOf(undefined), limitOf(wait(19))]).toEqual([120_000, 120_000]);
  });

  test('is four times what is rare already, within bounds', () => {
    expect(limitOf(wait(20))).toBe(40_000);
    expect(limitOf(wait(30, 100))).toBe(30_000);
    expect(limitOf(wait(30, 400_000))).toBe(600_000);
  });

  test('is the longer one when waits have changed', () => {
    expect(limitOf(doubted(wait(3, 20_000), 30, 10_000))).toBe(80_000);
    expect(limitOf(doubted(wait(3, 1_000), 30, 10_000))).toBe(40_000);
  });

  test('is longer for prompts that take long to read, and for thinking', () => {
    expect(limitOf(wait(30, 100), { inputTokens: 100_000 })).toBe(54_000);
    expect(limitOf(wait(30, 100), { thinks: true })).toBe(120_000);
  });

  test('is learnt of streams only, and never where it is configured', () => {
    expect(limitOf(wait(30), { stream: false })).toBe(120_000);
    expect(attemptLimits({ firstContentMs: 7 }, { firstContentMs: 8 }, wait(30), request).firstContentMs).toBe(7);
    expect(attemptLimits({}, { firstContentMs: 8 }, wait(30), request)).toEqual({
      ...defaultLimits,
      firstContentMs: 8,
    });
  });
});

describe('hedging', () => {
  test('waits for what is configured, else for the p95 once a dozen answers are known', () => {
    expect(hedgeTerms({ afterMs: 700 }, undefined, { wait: wait(1, 10) })?.afterMs).toBe(700);
    expect(hedgeTerms({}, wait(12, 800), { wait: wait(1, 10) })?.afterMs).toBe(800);
    expect(hedgeTerms({}, wait(11, 800), { wait: wait(1, 10) })).toBeUndefined();
    expect(hedgeTerms({}, wait(12, 5), { wait: wait(1, 5) })?.afterMs).toBe(100);
  });

  test('waits for the p95 from before a doubt where that has left less', () => {
    expect(hedgeTerms({}, doubted(wait(3, 200), 12, 800), { wait: wait(1, 10) })?.afterMs).toBe(800);
    expect(hedgeTerms({}, doubted(wait(13, 200), 12, 800), { wait: wait(1, 10) })?.afterMs).toBe(200);
    expect(hedgeTerms({}, doubted(wait(3, 200), 11, 800), { wait: wait(1, 10) })).toBeUndefined();
  });

  test('is not done where there is no next target, or one that is slow as well', () => {
    expect(hedgeTerms({ afterMs: 700 }, wait(12, 800), undefined)).toBeUndefined();
    expect(hedgeTerms({}, wait(12, 800), { wait: wait(12, 801) })).toBeUndefined();
    expect(hedgeTerms(undefined, wait(12, 800), { wait: wait(12, 10) })).toBeUndefined();
  });

  test('helps by a target that is not measured only after what is configured', () => {
    expect(hedgeTerms({ afterMs: 700 }, undefined, { wait: undefined })?.afterMs).toBe(700);
    expect(hedgeTerms({}, wait(12, 800), { wait: undefined })).toBeUndefined();
  });

  test.each([
    { perSecond: 0.2, hedges: 0.99, limits: 0.8 },
    { perSecond: 0.5, hedges: 1, limits: 0.99 },
    { perSecond: 2, hedges: 1, limits: 1 },
  ])(
    'and the learnt limit stay, with a steady traffic of $perSecond requests a second',
    ({ perSecond, hedges, limits }) => {
      const shares = learntShares(perSecond);

      expect(shares.hedges).toBeGreaterThanOrEqual(hedges);
      expect(shares.limits).toBeGreaterThanOrEqual(limits);
    },
  );

  test.each([0.2, 5])(
    'comes to wait for the new p95 within two minutes of a target that is %d times as slow',
    (times) => {
      const world = steadyTarget(0.5, 0.42);
      for (let fold = 0; fold < 50; fold++) world.fold(400);
      const before = hedgeTerms({}, world.estimate(), { wait: wait(1, 10) })!.afterMs;

      for (let fold = 0; fold < 15; fold++) world.fold(400 * times);
      const after = hedgeTerms({}, world.estimate(), { wait: wait(1, 10) })!.afterMs;

      expect(after / before / times).toBeGreaterThan(0.6);
      expect(after / before / times).toBeLessThan(1.7);
    },
  );
});

const foldEveryMs = 8_000;
const folds = 1_000;

/** In how many of the folds of a steady target as much is known of it as a hedge, and a limit, takes. */
function learntShares(perSecond: number): { hedges: number; limits: number } {
  const world = steadyTarget(perSecond, 0.42);
  for (let fold = 0; fold < 50; fold++) world.fold(400);
  let [hedges, limits] = [0, 0];
  for (let fold = 0; fold < folds; fold++) {
    world.fold(400);
    const estimate = world.estimate();
    if (hedgeTerms({}, estimate, { wait: wait(1, 10) })) hedges++;
    if (attemptLimits({}, {}, estimate, request).firstContentMs < defaultLimits.firstContentMs) limits++;
  }
  return { hedges: hedges / folds, limits: limits / folds };
}

/** A target that is asked by chance, and whose waits are spread as those of vendors are. */
function steadyTarget(perSecond: number, seed: number) {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let knowledge = noKnowledge;
  let nowMs = 1_800_000_000_000;
  let nextMs = nowMs;
  return {
    fold(medianMs: number): void {
      const samples = [];
      for (; nextMs < nowMs + foldEveryMs; nextMs += (-1000 / perSecond) * Math.log(1 - random()))
        samples.push(aSample({ target: 'a/m', atMs: nextMs, waitMs: medianMs * Math.exp(normal() / 2) }));
      nowMs += foldEveryMs;
      knowledge = foldScores(knowledge, slicesOf(...samples), nowMs);
    },
    /** What is known half-way to the next fold. */
    estimate(): Estimate | undefined {
      const scores = scoresOf(knowledge);
      const score = scores.targets['a/m'];
      return score && estimateWait(score, waitQuestion(request, scores, nowMs + foldEveryMs / 2));
    },
  };
}
