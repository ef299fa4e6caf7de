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

describe('the limit of the first content', () => {
  const limitOf = (estimate: Estimate | undefined, asked: object = {}) =>
    attemptLimits({}, {}, estimate, { ...request, ...asked }).firstContentMs;

  test('is the default until enough is known', () => {
    expect([limitOf(undefined), limitOf(wait(29))]).toEqual([120_000, 120_000]);
  });

  test('is four times what is rare already, within bounds', () => {
    expect(limitOf(wait(30))).toBe(40_000);
    expect(limitOf(wait(30, 100))).toBe(30_000);
    expect(limitOf(wait(30, 400_000))).toBe(600_000);
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
    expect(hedgeTerms({ afterMs: 700 }, undefined, wait(1, 10))?.afterMs).toBe(700);
    expect(hedgeTerms({}, wait(12, 800), wait(1, 10))?.afterMs).toBe(800);
    expect(hedgeTerms({}, wait(11, 800), wait(1, 10))).toBeUndefined();
    expect(hedgeTerms({}, wait(12, 5), wait(1, 5))?.afterMs).toBe(100);
  });

  test('is not done where the next target is unknown, or slow as well', () => {
    expect(hedgeTerms({}, wait(12, 800), undefined)).toBeUndefined();
    expect(hedgeTerms({}, wait(12, 800), wait(12, 801))).toBeUndefined();
    expect(hedgeTerms(undefined, wait(12, 800), wait(12, 10))).toBeUndefined();
  });

  test.each([
    [0.2, 0.8],
    [0.5, 0.9],
    [2, 0.98],
  ])('is there nearly always with a steady traffic of %d requests a second', (perSecond, least) => {
    expect(learntShare(perSecond)).toBeGreaterThan(least);
  });
});

const foldEveryMs = 8_000;
const folds = 1_000;

/** In how many of the folds of a steady target its p95 is known well enough to be helped out after it. */
function learntShare(perSecond: number): number {
  const random = seededRandom(0.42);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let knowledge = noKnowledge;
  let nowMs = 1_800_000_000_000;
  let nextMs = nowMs;
  let learnt = 0;
  const warmUp = 50;
  for (let fold = 0; fold < warmUp + folds; fold++) {
    const samples = [];
    for (; nextMs < nowMs + foldEveryMs; nextMs += (-1000 / perSecond) * Math.log(1 - random()))
      samples.push(aSample({ target: 'a/m', atMs: nextMs, waitMs: 400 * Math.exp(normal() / 2) }));
    nowMs += foldEveryMs;
    knowledge = foldScores(knowledge, slicesOf(...samples), nowMs);
    const scores = scoresOf(knowledge);
    const score = scores.targets['a/m'];
    const estimate = score && estimateWait(score, waitQuestion(request, scores, nowMs + foldEveryMs / 2));
    if (fold >= warmUp && hedgeTerms({}, estimate, wait(1, 10))) learnt++;
  }
  return learnt / folds;
}
