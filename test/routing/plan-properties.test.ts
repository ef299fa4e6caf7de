import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { breakerState } from '../../lambda/routing/breaker.ts';
import type { PlannedAttempt } from '../../lambda/routing/plan.ts';
import { planAttempts } from '../../lambda/routing/plan-attempts.ts';
import { strategyOf } from '../../lambda/routing/preferences.ts';
import { targetName } from '../../lambda/routing/target-name.ts';
import { anyPlanWorld, type PlanWorld } from '../support/arbitrary-plans.ts';

type Named = { provider: string; model: string };

/** A target of the plan's models: of the first that has it, in its place there. */
function placeOf({ models }: PlanWorld, target: Named) {
  for (const [rank, model] of models.entries()) {
    const index = model.targets.findIndex((one) => targetName(one) === targetName(target));
    const found = model.targets[index];
    if (found) return { rank, index, model, target: found };
  }
  throw new Error(`${targetName(target)} is in none of the models`);
}

function stateOf({ input: { live, nowMs } }: PlanWorld, target: Named) {
  return breakerState(live.breakers[targetName(target)], nowMs);
}

function wishesOf({ input: { request } }: PlanWorld) {
  return request.preferences ?? {};
}

/** Whether the caller's wishes are the gateway's to keep for it. */
function keepsWishes({ input: { leavesRouting } }: PlanWorld, { provider }: Named): boolean {
  return !leavesRouting?.(provider);
}

/** Whether the request or its caller puts some targets behind others, whatever the strategy. */
function isWished(world: PlanWorld): boolean {
  const { order, preferredMaxLatencyMs, preferredMinThroughput } = wishesOf(world);
  const { needs = [], inputTokens } = world.input.request;
  return Boolean(order || preferredMaxLatencyMs || preferredMinThroughput || needs.length > 0 || inputTokens > 2_000);
}

function holds(property: (world: PlanWorld, attempts: readonly PlannedAttempt[]) => void): void {
  fc.assert(
    fc.property(anyPlanWorld, (world) => property(world, planAttempts(world.input).attempts)),
    { numRuns: 150 },
  );
}

/** Every two neighbours of one model that are both up: what may be said of their order. */
function neighbours(world: PlanWorld, attempts: readonly PlannedAttempt[]): [PlannedAttempt, PlannedAttempt][] {
  const up = attempts.filter(({ breaker }) => !breaker);
  return up.flatMap((one, at) => {
    const next = up[at + 1];
    return next && placeOf(world, one).rank === placeOf(world, next).rank ? [[one, next]] : [];
  });
}

describe('whatever is configured, measured and wished for, a plan', () => {
  test('is the same again, changes nothing, and accounts for every target once, with a reason', () => {
    holds((world) => {
      const before = JSON.stringify(world.input);
      const { attempts, leftOut } = planAttempts(world.input);
      const told = [...attempts, ...leftOut.filter(({ isForbidden }) => !isForbidden)];
      const names = told.map(targetName);

      expect(planAttempts(world.input)).toEqual({ ...planAttempts(world.input), attempts, leftOut });
      expect(JSON.stringify(world.input)).toBe(before);
      expect(new Set(names).size).toBe(names.length);
      expect(new Set(names)).toEqual(new Set(world.models.flatMap(({ targets }) => targets.map(targetName))));
      for (const { reason } of told) expect(reason).toMatch(/\w/);
    });
  });

  test('asks nobody of a model that is not for the API key, and tells of those apart', () => {
    holds((world, attempts) => {
      const { leftOut } = planAttempts(world.input);

      expect(leftOut.filter(({ isForbidden }) => isForbidden).map(targetName)).toEqual(world.forbidden.map(targetName));
      for (const attempt of attempts) expect(() => placeOf(world, attempt)).not.toThrow();
    });
  });

  test('asks nobody whom the caller has shut out', () => {
    holds((world, attempts) => {
      const { only, ignore, maxPrice, foreign, order, allowFallbacks } = wishesOf(world);
      for (const attempt of attempts.filter((one) => keepsWishes(world, one))) {
        const { price } = placeOf(world, attempt).target;
        expect(foreign).toBeUndefined();
        if (only) expect(only).toContain(attempt.provider);
        if (ignore) expect(ignore).not.toContain(attempt.provider);
        if (maxPrice) expect(price?.input).toBeLessThanOrEqual(maxPrice.input ?? Infinity);
        if (maxPrice) expect(price?.output).toBeLessThanOrEqual(maxPrice.output ?? Infinity);
        if (order && allowFallbacks === false) expect(order).toContain(attempt.provider);
      }
    });
  });

  test('asks nobody who is known to be unable', () => {
    holds((world, attempts) => {
      const { needs = [], inputTokens } = world.input.request;
      for (const attempt of attempts) {
        const { capabilities = {}, contextTokens = Infinity } = placeOf(world, attempt).target;
        for (const need of needs) expect(capabilities[need]).not.toBe(false);
        expect(inputTokens * 0.7).toBeLessThanOrEqual(contextTokens);
      }
    });
  });

  test('asks only who is known to be able where all parameters are required and anybody is', () => {
    holds((world, attempts) => {
      if (!wishesOf(world).requireParameters) return;
      const { needs = [] } = world.input.request;
      const isAble = (one: Named) => needs.every((need) => placeOf(world, one).target.capabilities?.[need] === true);
      for (const attempt of attempts) {
        expect(attempt).not.toHaveProperty('dropsUnsupported');
        const { rank } = placeOf(world, attempt);
        const ofModel = attempts.filter((one) => placeOf(world, one).rank === rank);
        if (ofModel.some(isAble)) expect(ofModel.every(isAble)).toBe(true);
      }
    });
  });

  test('asks model after model, and says who stands in', () => {
    holds((world, attempts) => {
      const ranks = attempts.map((attempt) => placeOf(world, attempt).rank);

      expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
      for (const [at, { fallback }] of attempts.entries()) expect(fallback === true).toBe((ranks[at] ?? 0) > 0);
    });
  });

  test('asks nobody who is down while anybody is not, else one', () => {
    holds((world, attempts) => {
      const states = attempts.map((attempt) => stateOf(world, attempt));

      if (states.includes('open')) expect(states).toEqual(['open']);
      for (const [at, { breaker = 'closed' }] of attempts.entries()) expect(breaker).toBe(states[at]);
    });
  });

  test('lets who may be back go ahead of its equals only', () => {
    holds((world, attempts) => {
      const [first, second] = attempts;
      if (first?.breaker !== 'half-open' || !second || second.breaker) return;
      const [one, other] = [placeOf(world, first), placeOf(world, second)];
      if (one.rank !== other.rank) return;
      const { order = [], allowFallbacks } = wishesOf(world);
      const named = (provider: string) => (order.includes(provider) ? order.indexOf(provider) : Infinity);
      const strategy = strategyOf(one.model, wishesOf(world));

      expect(named(first.provider)).toBeLessThanOrEqual(named(second.provider));
      if (named(first.provider) < named(second.provider) || allowFallbacks === false) return;
      if (isWished(world)) return;
      if (strategy === 'weighted' && one.target.weight === 0) expect(other.target.weight).toBe(0);
      if (strategy === 'priority') expect(one.index).toBeLessThan(other.index);
      if (strategy === 'cost')
        expect(first.costMicroUsd ?? Infinity).toBeLessThanOrEqual(second.costMicroUsd ?? Infinity);
    });
  });

  test('keeps to the caller’s order, then to what is quick enough, then to what is known to be able', () => {
    holds((world, attempts) => {
      const { order = [], preferredMaxLatencyMs: limits } = wishesOf(world);
      const { needs = [] } = world.input.request;
      const named = ({ provider }: Named) => (order.includes(provider) ? order.indexOf(provider) : order.length);
      const isSlow = ({ expectedWaitMs = 0 }: PlannedAttempt, byMs: number) =>
        expectedWaitMs + byMs > (limits?.p50 ?? Infinity);
      const isAble = (one: Named) => needs.every((need) => placeOf(world, one).target.capabilities?.[need] === true);
      for (const [one, next] of neighbours(world, attempts)) {
        expect(named(one)).toBeLessThanOrEqual(named(next));
        if (named(one) < named(next)) continue;
        const isOnlyMedian = limits && Object.keys(limits).join() === 'p50' && !wishesOf(world).preferredMinThroughput;
        if (isOnlyMedian && isSlow(one, -1)) expect(isSlow(next, 1)).toBe(true);
        if (!limits && !wishesOf(world).preferredMinThroughput && needs.length > 0 && isAble(next) && !isAble(one))
          expect(placeOf(world, next).target.contextTokens).toBeDefined();
      }
    });
  });

  test('keeps the configured order under priority, and puts no known price behind a higher one under cost', () => {
    holds((world, attempts) => {
      if (isWished(world)) return;
      for (const [one, next] of neighbours(world, attempts)) {
        const [a, b] = [placeOf(world, one), placeOf(world, next)];
        const strategy = strategyOf(a.model, wishesOf(world));
        if (strategy === 'priority') expect(a.index).toBeLessThan(b.index);
        if (strategy === 'cost')
          expect(one.costMicroUsd ?? Infinity).toBeLessThanOrEqual(next.costMicroUsd ?? Infinity);
      }
    });
  });

  test('names one target of each model that is up, and no configured fallback, for who wants no other', () => {
    holds((world, attempts) => {
      const { order, allowFallbacks } = wishesOf(world);
      if (allowFallbacks !== false || order) return;
      const up = attempts.filter(({ breaker }) => breaker !== 'half-open');
      const ranks = up.map((attempt) => placeOf(world, attempt).rank);

      expect(new Set(ranks).size).toBe(ranks.length);
      for (const { model } of attempts.map((attempt) => placeOf(world, attempt)))
        expect(['asked', 'mine']).toContain(model.name);
    });
  });

  test('hedges to the next target of the same model, both up', () => {
    holds((world, attempts) => {
      for (const [at, attempt] of attempts.entries()) {
        if (!attempt.hedge) continue;
        const next = attempts[at + 1] as PlannedAttempt;
        expect([attempt.breaker, next.breaker]).toEqual([undefined, undefined]);
        expect(placeOf(world, attempt).rank).toBe(placeOf(world, next).rank);
        expect(placeOf(world, attempt).model.hedge).toBeDefined();
      }
    });
  });
});
