import { describe, expect, test } from '@jest/globals';
import { oracle, randomChoice, roundRobin } from './competitors.ts';
import { ours } from './ours.ts';
import { simulate } from './simulate.ts';
import { verdictOf } from './verdict.ts';
import { worlds } from './worlds.ts';

const options = { gateways: 20, requestsPerSecond: 10, seconds: 120, seed: 0.5 };
const world = (name: string) => worlds.find((one) => one.name === name)!;

describe('a simulated fleet', () => {
  test('meets the same luck again with the same seed', async () => {
    expect(await simulate(world('steady'), ours, options)).toEqual(await simulate(world('steady'), ours, options));
  });

  test('finds the fastest target, close to one who knows the world', async () => {
    const own = await simulate(world('steady'), ours, options);
    const knowing = await simulate(world('steady'), oracle, options);
    const blind = await simulate(world('steady'), randomChoice, options);

    expect(own.meanMs).toBeLessThan(1.15 * knowing.meanMs);
    expect(own.meanMs).toBeLessThan(0.8 * blind.meanMs);
  });

  test('loses no request while two of four targets are down', async () => {
    const outage = { name: 'outage', targets: { ...world('correlated outage').targets } };

    const own = await simulate(outage, ours, { ...options, seconds: 260 });
    const inTurn = await simulate(outage, roundRobin, { ...options, seconds: 260 });

    expect(own.failures).toBe(0);
    expect(own.meanMs).toBeLessThan(inTurn.meanMs);
  }, 60_000);
});

describe('the verdict', () => {
  const row = (policy: string, meanMs: number, p95Ms = meanMs) => ({
    policy,
    meanMs,
    p95Ms,
    p99Ms: p95Ms,
    failures: 0,
    shares: {},
  });
  const results = (own: number) =>
    Array.from({ length: 8 }, (_, i) => ({
      world: `w${i}`,
      rows: [row('ours', own), row('random', 200), row('oracle', 100)],
    }));

  test('holds where ours is the best and near the oracle', () => {
    expect(verdictOf(results(110)).holds).toBe(true);
  });

  test('does not hold where it is too far from the oracle, or the worst', () => {
    expect(verdictOf(results(116)).holds).toBe(false);
    expect(verdictOf(results(250)).holds).toBe(false);
  });
});
