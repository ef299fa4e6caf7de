import { expect, test } from '@jest/globals';
import type { OwnWait } from '../../lambda/routing/own-waits.ts';
import { rememberWait, withOwnWaits } from '../../lambda/routing/own-waits.ts';

const wait = { samples: 40, meanMs: 400, p50Ms: 400, p95Ms: 800, p99Ms: 1_000 };
const nowMs = 100_000;
const own = (...waits: number[]): OwnWait[] => waits.map((waitMs) => ({ atMs: nowMs - 1_000, streamed: true, waitMs }));
const asked = { streamed: true, nowMs };

test('waits far beyond the usual make an estimate longer at once, the more of them the longer', () => {
  const one = withOwnWaits(wait, own(4_000), asked).meanMs;
  const three = withOwnWaits(wait, own(4_000, 4_000, 4_000), asked).meanMs;

  expect(one).toBeGreaterThan(600);
  expect(three).toBeGreaterThan(one);
  expect(three).toBeLessThan(4_000);
});

test('what was rare before a doubt is longer then, too', () => {
  const beforeDoubt = { samples: 30, p95Ms: 800, p99Ms: 1_000 };

  const longer = withOwnWaits({ ...wait, beforeDoubt }, own(4_000), asked);

  expect(longer.beforeDoubt).toEqual({ samples: 30, p95Ms: longer.p95Ms, p99Ms: longer.p99Ms });
});

test('usual waits, waits of long ago and of another kind change nothing', () => {
  expect(withOwnWaits(wait, own(500, 700), asked)).toBe(wait);
  expect(withOwnWaits(wait, own(50), asked)).toBe(wait);
  expect(withOwnWaits(wait, own(4_000), { streamed: true, nowMs: nowMs + 60_000 })).toBe(wait);
  expect(withOwnWaits(wait, own(4_000), { streamed: false, nowMs })).toBe(wait);
  expect(withOwnWaits(wait, undefined, asked)).toBe(wait);
});

test('only answers and timeouts are remembered, a few of each target, and not of targets without end', () => {
  const waits = new Map<string, readonly OwnWait[]>();
  const sample = { target: 'a/m', atMs: 1, streamed: true, promptSize: 'small' as const, retry: false, waitMs: 5 };

  rememberWait(waits, { ...sample, outcome: 'overloaded' });
  expect(waits.size).toBe(0);
  for (let i = 0; i < 20; i++) rememberWait(waits, { ...sample, outcome: 'answered' });
  expect(waits.get('a/m')).toHaveLength(8);
  for (let i = 0; i < 500; i++) rememberWait(waits, { ...sample, target: `t/${i}`, outcome: 'timeout' });
  expect(waits.size).toBe(200);
});
