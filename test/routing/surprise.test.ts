import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { countersOf } from '../../lambda/routing/sample-counters.ts';
import { believedShares } from '../../lambda/routing/surprise.ts';
import { aSample } from '../support/samples.ts';

const waits = (...waitsMs: number[]) => {
  const counters: Record<string, number> = {};
  for (const waitMs of waitsMs) {
    for (const [name, count] of Object.entries(countersOf(aSample({ atMs: 0, waitMs }))))
      counters[name] = (counters[name] ?? 0) + count;
  }
  return counters;
};
const around = (ms: number, count: number) => Array.from({ length: count }, (_, at) => ms * 1.5 ** (at % 5) * 0.5);
const believed = (known: Record<string, number>, fresh: Record<string, number>) =>
  believedShares(known, fresh).get('ss') ?? 1;

describe('believedShares', () => {
  test('believes in what was known as long as fresh waits are like it', () => {
    expect(believed(waits(...around(400, 40)), waits(...around(400, 15)))).toBe(1);
    expect(believed(waits(...around(400, 40)), waits(380))).toBe(1);
  });

  test('hardly believes in it after a few waits unlike all of it, be they shorter or longer', () => {
    const known = waits(...around(1_000, 40));

    expect(believed(known, waits(100, 90, 110))).toBeLessThan(0.03);
    expect(believed(known, waits(9_000, 8_000, 9_900))).toBeLessThan(0.03);
  });

  test('doubts it after one such wait, and no more than that', () => {
    const one = believed(waits(...around(1_000, 40)), waits(100));

    expect(one).toBeGreaterThan(0.05);
    expect(one).toBeLessThan(0.5);
  });

  test('is not surprised by a tail that was there before', () => {
    const tailed = [...around(300, 37), 9_000, 9_500, 10_000];

    expect(believed(waits(...tailed), waits(...around(300, 15), 9_200))).toBe(1);
  });

  test('is not surprised where little was known', () => {
    expect(believed(waits(400), waits(4_000))).toBe(1);
  });

  test('is not much surprised by ever so many fresh waits where the known ones may have been chance', () => {
    expect(believed(waits(400, 400, 400), waits(...around(4_000, 20)))).toBeGreaterThan(0.3);
  });

  test('is as surprised by shorter waits as by longer ones', () => {
    const known = waits(...around(1_000, 40));

    expect(believed(known, waits(50))).toBeCloseTo(believed(known, waits(20_000)), 9);
  });

  test('tells kinds of requests apart', () => {
    const fresh = countersOf(aSample({ atMs: 0, streamed: false, waitMs: 90 }));
    const known = {
      ...waits(...around(1_000, 40)),
      ...countersOf(aSample({ atMs: 0, streamed: false, waitMs: 1_000 })),
    };

    expect([...believedShares(known, fresh).keys()]).toEqual([]);
  });

  test('never believes in more than everything, or in less than nothing', () => {
    const some = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 60 });

    fc.assert(
      fc.property(some, some, (known, fresh) => {
        for (const share of believedShares(waits(...known), waits(...fresh)).values()) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
