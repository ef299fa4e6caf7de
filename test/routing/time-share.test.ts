import { describe, expect, test } from '@jest/globals';
import { defaultLimits } from '../../lambda/routing/plan.ts';
import { fairWaitMs, limitsWithin } from '../../lambda/routing/time-share.ts';

const limits = defaultLimits;

describe('limitsWithin', () => {
  test.each<[string, Parameters<typeof limitsWithin>[1], number, number]>([
    ['alone', undefined, 60_000, 60_000],
    ['alone with much time', undefined, 800_000, 120_000],
    ['before one that is not known', {}, 60_000, 30_000],
    ['before one that needs little', { expectedWaitMs: 2_000 }, 60_000, 56_000],
    ['before one that needs much', { expectedWaitMs: 50_000 }, 60_000, 30_000],
  ])('gives the first content of a target %s its share', (_, next, untilAnswerMs, expected) => {
    const within = limitsWithin({ limits }, next, { streamed: true, untilAnswerMs });
    expect(within).toEqual({ ...limits, firstContentMs: expected });
  });

  test('keeps a buffered answer from using up the time of the next target', () => {
    const left = { streamed: false, untilAnswerMs: 600_000 };
    expect(limitsWithin({ limits }, {}, left).answerMs).toBe(300_000);
    expect(limitsWithin({ limits: { ...limits, answerMs: 90_000 } }, {}, left).answerMs).toBe(90_000);
    expect(limitsWithin({ limits }, undefined, left)).toEqual(limits);
  });
});

describe('fairWaitMs', () => {
  test.each<[number | undefined, boolean, number]>([
    [undefined, true, 120_000],
    [1_000, true, 10_000],
    [8_000, true, 40_000],
    [60_000, true, 120_000],
    [1_000, false, 30_000],
    [8_000, false, 40_000],
  ])('of a target that usually takes %s ms (streamed: %s) is %d ms', (expectedWaitMs, streamed, fairMs) => {
    const usual = expectedWaitMs === undefined ? {} : { expectedWaitMs };
    expect(fairWaitMs({ limits, ...usual }, streamed)).toBe(fairMs);
  });

  test('is never longer than the limit', () => {
    expect(fairWaitMs({ limits: { ...limits, firstContentMs: 3_000 }, expectedWaitMs: 1_000 }, true)).toBe(3_000);
  });
});
