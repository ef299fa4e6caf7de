import { describe, expect, test } from '@jest/globals';
import { createRetryBudget } from '../../../lambda/gateway/attempts/retry-budget.ts';
import type { TargetScore } from '../../../lambda/routing/score.ts';

function budget() {
  const clock = { nowMs: 1_000_000 };
  return { clock, retries: createRetryBudget(() => clock.nowMs) };
}

function score(attempts: number, retryShare: number): TargetScore {
  const outcomes = { attempts, failures: 0, timeouts: 0, rateLimited: 0 };
  return { updatedAtMs: 0, streamed: {}, buffered: {}, outcomes, attemptsPerSecond: 1, retryShare };
}

function spendAll(retries: ReturnType<typeof createRetryBudget>, target = 'a/m'): number {
  let count = 0;
  while (retries.spend(target, undefined)) count++;
  return count;
}

describe('the budget of second tries', () => {
  test('begins with three for each target, and gets a fifth of one by every attempt', () => {
    const { retries } = budget();

    expect(spendAll(retries)).toBe(3);
    expect(spendAll(retries, 'b/m')).toBe(3);
    for (let i = 0; i < 25; i++) retries.earn('a/m');
    expect(spendAll(retries)).toBe(5);
  });

  test('saves up ten at most', () => {
    const { retries } = budget();
    for (let i = 0; i < 1_000; i++) retries.earn('a/m');

    expect(spendAll(retries)).toBe(10);
  });

  test('comes back with time where there is little traffic', () => {
    const { retries, clock } = budget();
    spendAll(retries);
    clock.nowMs += 10_000;
    expect(spendAll(retries)).toBe(1);
    clock.nowMs += 3_600_000;
    expect(spendAll(retries)).toBe(3);
  });

  test.each<[number, number, boolean]>([
    [100, 0.19, true],
    [100, 0.21, false],
    [10, 0.5, true],
  ])('with %d attempts of the fleet, a share of %d of them second tries, says %s', (attempts, share, may) => {
    expect(budget().retries.spend('a/m', score(attempts, share))).toBe(may);
  });
});
