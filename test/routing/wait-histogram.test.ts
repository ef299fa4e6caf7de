import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  cellOf,
  cellStart,
  mean,
  quantile,
  type WaitCell,
  waitDistribution,
} from '../../lambda/routing/wait-histogram.ts';

type Counts = { answered?: number; timedOut?: number; cancelled?: number };

function cells(counts: Record<number, Counts>): WaitCell[] {
  const byCell = new Map<number, WaitCell>();
  for (const [waitMs, { answered = 0, timedOut = 0, cancelled = 0 }] of Object.entries(counts)) {
    const cell = cellOf(Number(waitMs));
    const known = byCell.get(cell) ?? { cell, answered: 0, timedOut: 0, cancelled: 0 };
    known.answered += answered;
    known.timedOut += timedOut;
    known.cancelled += cancelled;
    byCell.set(cell, known);
  }
  return [...byCell.values()].sort((a, b) => a.cell - b.cell);
}

const total = (pieces: { share: number }[]) => pieces.reduce((sum, { share }) => sum + share, 0);

describe('cells', () => {
  test('hold the values between their start and the next, and are 12 % wide', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1_000_000, noNaN: true }), (value) => {
        const cell = cellOf(value);
        expect(cellStart(cell)).toBeLessThanOrEqual(value * (1 + 1e-12));
        expect(cellStart(cell + 1)).toBeGreaterThan(value * (1 - 1e-12));
        expect(cellStart(cell + 1) / cellStart(cell)).toBeCloseTo(1.122, 3);
      }),
    );
  });

  test('take what is too small or too large into the first and the last', () => {
    expect([cellOf(0), cellOf(-5), cellOf(0.4)]).toEqual([0, 0, 0]);
    expect(cellOf(1e12)).toBe(cellOf(2 ** 20));
  });
});

describe('waitDistribution', () => {
  test('is what was counted when nothing was given up', () => {
    const pieces = waitDistribution(cells({ 100: { answered: 3 }, 1000: { answered: 1 } }));

    expect(pieces.map(({ share }) => share)).toEqual([0.75, 0.25]);
    expect(quantile(pieces, 0.5)).toBeGreaterThan(95);
    expect(quantile(pieces, 0.5)).toBeLessThan(110);
    expect(quantile(pieces, 0.95)).toBeGreaterThan(900);
  });

  test('counts a timeout as at least that long, and longer when nothing longer was seen', () => {
    const pieces = waitDistribution(cells({ 100: { answered: 1 }, 5000: { timedOut: 1 } }));

    expect(quantile(pieces, 0.4)).toBeLessThan(110);
    expect(quantile(pieces, 0.9)).toBeGreaterThan(9_000);
    expect(mean(pieces)).toBeGreaterThan(4_500);
  });

  test('makes timeouts alone a long wait', () => {
    const pieces = waitDistribution(cells({ 5000: { timedOut: 4 } }));

    expect(quantile(pieces, 0.5)).toBeGreaterThan(9_000);
    expect(total(pieces)).toBeCloseTo(1);
  });

  test('lets a wait that was cancelled early say nothing about what came later', () => {
    const answers = { 1000: { answered: 5 }, 2000: { answered: 5 } };

    const pieces = waitDistribution(cells({ 100: { cancelled: 10 }, ...answers }));

    expect(mean(pieces)).toBeCloseTo(mean(waitDistribution(cells(answers))));
  });

  test('moves a wait that was cancelled late into what was seen to last longer', () => {
    const pieces = waitDistribution(cells({ 1000: { answered: 5 }, 1500: { cancelled: 4 }, 2000: { answered: 1 } }));

    expect(pieces.map(({ share }) => share)).toEqual([0.5, 0.5]);
  });

  test('knows nothing from cancelled waits alone', () => {
    expect(waitDistribution(cells({ 300: { cancelled: 7 } }))).toEqual([]);
    expect(waitDistribution([])).toEqual([]);
  });

  test('always adds up to one, and its quantiles ascend', () => {
    const count = fc.integer({ min: 0, max: 20 });
    const counts = fc.dictionary(
      fc.integer({ min: 1, max: 900_000 }).map(String),
      fc.record({ answered: count, timedOut: count, cancelled: count }),
      { maxKeys: 12 },
    );
    fc.assert(
      fc.property(counts, (drawn) => {
        const pieces = waitDistribution(cells(drawn));
        if (pieces.length === 0) return;
        expect(total(pieces)).toBeCloseTo(1);
        const values = [0.1, 0.5, 0.9, 0.99, 1].map((share) => quantile(pieces, share));
        expect(values).toEqual(values.toSorted((a, b) => a - b));
        expect(mean(pieces)).toBeLessThanOrEqual((values.at(-1) ?? 0) * 1.000001);
      }),
    );
  });

  test('comes near the mean of exponential waits that were all given up after twice the mean', () => {
    const longest = 2_000;
    const counts: Record<number, Counts> = {};
    for (let index = 0; index < 10_000; index++) {
      const waitMs = -1_000 * Math.log((index + 0.5) / 10_000);
      if (waitMs < longest) counts[waitMs] = { answered: 1 };
      else counts[longest] = { timedOut: (counts[longest]?.timedOut ?? 0) + 1 };
    }
    expect(mean(waitDistribution(cells(counts)))).toBeGreaterThan(950);
    expect(mean(waitDistribution(cells(counts)))).toBeLessThan(1_350);
  });
});
