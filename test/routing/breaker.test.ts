import { describe, expect, test } from '@jest/globals';
import {
  type Breaker,
  breakerState,
  forgottenAfterMs,
  healthSign,
  isFailing,
  openedBreaker,
  probeLimitMs,
} from '../../lambda/routing/breaker.ts';

const nowMs = 1_000_000;

function aBreaker(fields: Partial<Breaker> = {}): Breaker {
  return { openedAtMs: nowMs, openUntilMs: nowMs + 5_000, openings: 1, reason: 'overloaded', ...fields };
}

describe('breakerState', () => {
  test('is open for its time, then half-open until somebody tries, then open for the others while they wait', () => {
    expect(breakerState(undefined, nowMs)).toBe('closed');
    expect(breakerState(aBreaker(), nowMs + 4_999)).toBe('open');
    expect(breakerState(aBreaker(), nowMs + 5_000)).toBe('half-open');
    const leased = aBreaker({ leasedUntilMs: nowMs + 20_000 });
    expect(breakerState(leased, nowMs + 19_999)).toBe('open');
    expect(breakerState(leased, nowMs + 20_000)).toBe('half-open');
  });

  test('is forgotten when nobody has tried for ten minutes', () => {
    const breaker = aBreaker();
    expect(breakerState(breaker, breaker.openUntilMs + forgottenAfterMs)).toBe('half-open');
    expect(breakerState(breaker, breaker.openUntilMs + forgottenAfterMs + 1)).toBe('closed');
  });
});

describe('isFailing', () => {
  const slice = (failures: number, attempts: number, startMs = nowMs) => ({ startMs, failures, attempts });

  test.each<[string, Parameters<typeof isFailing>[0], boolean]>([
    ['nothing', [], false],
    ['two failures of two attempts', [slice(2, 2)], false],
    ['three failures of three attempts', [slice(3, 3)], true],
    ['three failures of six attempts', [slice(3, 6)], true],
    ['three failures of seven attempts', [slice(3, 7)], false],
    [
      'three failures spread over thirty seconds',
      [slice(1, 1), slice(1, 1, nowMs - 10_000), slice(1, 1, nowMs - 20_000)],
      true,
    ],
    ['failures that are older', [slice(9, 9, nowMs - 30_000)], false],
    ['failures now after many successes before', [slice(5, 5), slice(0, 100, nowMs - 10_000)], true],
    ['failures before and only successes now', [slice(0, 100), slice(5, 5, nowMs - 10_000)], false],
  ])('judges %s', (_, slices, failing) => {
    expect(isFailing(slices, nowMs + 9_000)).toBe(failing);
  });

  test('does not take the failures that are reported for all the attempts there were', () => {
    // 20 attempts a second for 9 seconds, of which 180 nobody reports the successes.
    expect(isFailing([slice(10, 10)], nowMs + 9_000, 20)).toBe(false);
    expect(isFailing([slice(90, 90)], nowMs + 9_000, 20)).toBe(true);
  });
});

describe('openedBreaker', () => {
  test('opens longer each time, up to 15 seconds', () => {
    let breaker: Breaker | undefined;
    const lengths: number[] = [];
    let atMs = nowMs;
    for (let i = 0; i < 5; i++) {
      breaker = openedBreaker(breaker, { reason: 'server_error', nowMs: atMs });
      lengths.push(breaker.openUntilMs - atMs);
      atMs = breaker.openUntilMs;
    }
    expect(lengths).toEqual([5_000, 10_000, 15_000, 15_000, 15_000]);
    expect(breaker?.openings).toBe(5);
  });

  test.each([
    [7_000, 7_000],
    [10, 1_000],
    [86_400_000, 300_000],
  ])('opens for a Retry-After of %d ms as long as %d ms', (retryAfterMs, length) => {
    const breaker = openedBreaker(undefined, { reason: 'rate_limited', nowMs, retryAfterMs });
    expect(breaker.openUntilMs - nowMs).toBe(length);
  });

  test('opens for a minute when the keys are refused', () => {
    expect(openedBreaker(undefined, { reason: 'unauthorized', nowMs }).openUntilMs).toBe(nowMs + 60_000);
  });

  test('begins anew after a breaker that is forgotten', () => {
    const old = aBreaker({ openings: 7 });
    const atMs = old.openUntilMs + forgottenAfterMs + 1;
    expect(openedBreaker(old, { reason: 'timeout', nowMs: atMs })).toEqual({
      openedAtMs: atMs,
      openUntilMs: atMs + 5_000,
      openings: 1,
      reason: 'timeout',
    });
  });
});

test('a target is not blamed for the request, for the caller, or for what it was never asked', () => {
  expect(
    ['rejected', 'content_policy', 'context_length', 'answered'].map((kind) => healthSign(kind as 'rejected')),
  ).toEqual(['up', 'up', 'up', 'up']);
  expect(['cancelled', 'no_secret', 'unsupported'].map((kind) => healthSign(kind as 'cancelled'))).toEqual([
    'neither',
    'neither',
    'neither',
  ]);
});

describe('probeLimitMs', () => {
  test.each([
    [1, undefined, 15_000],
    [3, undefined, 45_000],
    [20, undefined, 120_000],
    [1, 2_000, 10_000],
    [1, 30_000, 60_000],
    [2, 30_000, 120_000],
  ])('after %d openings and a usual p95 of %s ms allows %d ms', (openings, p95Ms, limit) => {
    expect(probeLimitMs(aBreaker({ openings }), p95Ms, 120_000)).toBe(limit);
  });
});
