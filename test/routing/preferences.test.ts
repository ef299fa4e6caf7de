import { describe, expect, test } from '@jest/globals';
import type { Candidate } from '../../lambda/routing/candidate.ts';
import { missedWish, type Preferences, uselessNames, whyNotPreferred } from '../../lambda/routing/preferences.ts';

const target = { provider: 'a', model: 'm', weight: 1 };

describe('a target is left out', () => {
  test.each<[string, Preferences, object]>([
    ['that `only` does not name', { only: ['b'] }, {}],
    ['that `ignore` names', { ignore: ['a'] }, {}],
    ['whose price of input is above the limit', { maxPrice: { input: 1 } }, { price: { input: 2, output: 0 } }],
    ['whose price of output is above the limit', { maxPrice: { output: 1 } }, { price: { input: 0, output: 2 } }],
    ['whose price nobody knows when there is a limit', { maxPrice: { input: 100 } }, {}],
    ['outside `order` where no others are allowed', { order: ['b'], allowFallbacks: false }, {}],
    ['that cannot promise what only its own vendor could', { foreign: ['zdr'] }, {}],
  ])('%s', (_, preferences, facts) => {
    expect(whyNotPreferred({ ...target, ...facts }, preferences)).toMatch(/provider\./);
  });

  test.each<[string, Preferences, object]>([
    ['at the very limit of the price', { maxPrice: { input: 1, output: 2 } }, { price: { input: 1, output: 2 } }],
    ['outside `order` where others are allowed', { order: ['b'] }, {}],
    ['inside it where they are not', { order: ['b', 'a'], allowFallbacks: false }, {}],
  ])('and is not %s', (_, preferences, facts) => {
    expect(whyNotPreferred({ ...target, ...facts }, preferences)).toBeUndefined();
  });
});

describe('a wish for a quick target', () => {
  const wait = { samples: 50, meanMs: 450, p50Ms: 400, p95Ms: 1_000, p99Ms: 2_000 };
  const score = { outputTokensPerSecond: { samples: 50, mean: 60, p50: 50 } } as NonNullable<Candidate['score']>;
  const candidate = { wait, score } as Candidate;

  test.each<[string, Preferences, RegExp | undefined]>([
    ['no limit', {}, undefined],
    ['a median that it keeps', { preferredMaxLatencyMs: { p50: 400 } }, undefined],
    ['a median that it does not', { preferredMaxLatencyMs: { p50: 399 } }, /^p50 of 400 ms is above/],
    ['a p75 above its own', { preferredMaxLatencyMs: { p75: 600 } }, undefined],
    ['a p75 below its own', { preferredMaxLatencyMs: { p75: 500 } }, /^p75 of 5\d\d ms/],
    ['a p90 above its own', { preferredMaxLatencyMs: { p90: 900 } }, undefined],
    ['a p90 below its own', { preferredMaxLatencyMs: { p90: 700 } }, /^p90 of 8\d\d ms/],
    ['a p99 that it keeps', { preferredMaxLatencyMs: { p99: 2_000 } }, undefined],
    ['one of several that it does not', { preferredMaxLatencyMs: { p50: 500, p99: 1_900 } }, /^p99 of 2000 ms/],
    ['a pace that it has', { preferredMinThroughput: { p50: 50 } }, undefined],
    ['a pace that it has not', { preferredMinThroughput: { p50: 51 } }, /^50 tokens per second are below/],
    ['a pace of nearly all answers that not even half have', { preferredMinThroughput: { p90: 51 } }, /below/],
    ['the strictest of several paces', { preferredMinThroughput: { p50: 10, p99: 51 } }, /below/],
  ])('with %s', (_, wishes, missed) => {
    const told = missedWish(candidate, wishes);

    if (missed) expect(told).toMatch(missed);
    else expect(told).toBeUndefined();
  });

  test('is not missed by a target of which nothing is known', () => {
    const strict = { preferredMaxLatencyMs: { p50: 1 }, preferredMinThroughput: { p50: 10_000 } };

    expect(missedWish({ wait: undefined, score: undefined } as Candidate, strict)).toBeUndefined();
  });
});

test('names that serve no target of the model are told, of `order` and of `only`', () => {
  const notes = uselessNames({ name: 'one', targets: [target] }, { order: ['a', 'b'], only: ['c'] });

  expect(notes).toEqual([
    'provider.order names "b", which serves no target of one',
    'provider.only names "c", which serves no target of one',
  ]);
});
