import { describe, expect, test } from '@jest/globals';
import { type ModelConfig, recordByName } from '../../lambda/config/snapshot.ts';
import { applyRules } from '../../lambda/routing/apply-rules.ts';
import type { Breaker } from '../../lambda/routing/breaker.ts';
import { foldScores } from '../../lambda/routing/fold-scores.ts';
import { noKnowledge } from '../../lambda/routing/knowledge.ts';
import type { PlanInput } from '../../lambda/routing/plan.ts';
import { planAttempts } from '../../lambda/routing/plan-attempts.ts';
import type { RequestedModel } from '../../lambda/routing/requested-model.ts';
import { scoresOf } from '../../lambda/routing/scores-of.ts';
import { aSample, slicesOf } from '../support/samples.ts';
import { aModel, aSnapshot } from '../support/snapshots.ts';

const nowMs = 100_000;
const halfOpen: Breaker = { openedAtMs: 0, openUntilMs: 50_000, openings: 1, reason: 'timeout' };
const open: Breaker = { ...halfOpen, openUntilMs: 200_000 };
const targets = ['a', 'b', 'c'].map((provider) => ({ provider, model: 'm', weight: 1 }));

type World = {
  model?: Partial<RequestedModel>;
  alternatives?: RequestedModel[];
  breakers?: Record<string, Breaker>;
  waits?: Record<string, number>;
  request?: Partial<PlanInput['request']>;
  models?: Record<string, Partial<ModelConfig>>;
};

function planned({ model = {}, alternatives = [], breakers = {}, waits = {}, request = {}, models = {} }: World) {
  const samples = Object.entries(waits).flatMap(([provider, waitMs]) =>
    Array.from({ length: 30 }, () => aSample({ atMs: nowMs, target: `${provider}/m`, waitMs })),
  );
  const others = Object.entries(models).map(([name, one]): [string, ModelConfig] => [name, { ...aModel('a'), ...one }]);
  const snapshot = aSnapshot({ models: recordByName(others) });
  const asked = { stream: true, inputTokens: 10, maxOutputTokens: undefined, bodyBytes: 100, ...request };
  const named = { name: 'asked', targets, strategy: 'priority' as const, fallbacks: [], timeouts: {}, ...model };
  return planAttempts({
    ...applyRules(named, snapshot.models, asked, 0.5),
    alternatives,
    snapshot,
    live: {
      scores: scoresOf(foldScores(noKnowledge, slicesOf(...samples), nowMs)),
      breakers: Object.fromEntries(Object.entries(breakers).map(([provider, one]) => [`${provider}/m`, one])),
    },
    request: asked,
    nowMs,
    entropy: 0.5,
  });
}

const providersOf = (world: World) => planned(world).attempts.map(({ provider }) => provider);

describe('a target that may be back', () => {
  test('is tried first where such requests go to it at times', () => {
    const breakers = { c: halfOpen };

    expect(providersOf({ breakers, model: { strategy: 'latency' }, waits: { a: 100, b: 100, c: 900 } })[0]).toBe('c');
    expect(providersOf({ breakers, model: { strategy: 'weighted' } })[0]).toBe('c');
    expect(providersOf({ breakers: { a: halfOpen } })[0]).toBe('a');
  });

  test('keeps its place where they never do: by the configured order, by weight 0, or as the caller wants', () => {
    const breakers = { c: halfOpen };
    const idle = targets.map((target) => ({ ...target, weight: target.provider === 'c' ? 0 : 1 }));
    const drawn = { strategy: 'latency' as const };
    const slow = { a: 100, b: 100, c: 900 };

    expect(providersOf({ breakers })).toEqual(['a', 'b', 'c']);
    expect(providersOf({ breakers, model: { strategy: 'weighted', targets: idle } }).at(-1)).toBe('c');
    expect(providersOf({ breakers, model: drawn, request: { preferences: { order: ['b'] } } })[0]).toBe('b');
    expect(
      providersOf({
        ...{ breakers, model: drawn, waits: slow },
        request: { preferences: { preferredMaxLatencyMs: { p50: 500 } } },
      }).at(-1),
    ).toBe('c');
  });

  test('does not come before one that its caller named before it', () => {
    const request = { preferences: { order: ['b', 'c'] } };

    expect(providersOf({ breakers: { c: halfOpen }, model: { strategy: 'latency' }, request })).toEqual([
      'b',
      'c',
      'a',
    ]);
  });

  test('is tried first among those that are left where all that are wanted more are down', () => {
    const request = { preferences: { order: ['a'] } };
    const model = { strategy: 'latency' as const };

    expect(providersOf({ breakers: { a: open, c: halfOpen }, model, request })[0]).toBe('c');
    expect(providersOf({ breakers: { a: open, b: halfOpen }, model, request })[0]).toBe('b');
  });

  test('is not found out about by who wants nobody but the first', () => {
    const request = { preferences: { allowFallbacks: false } };
    const waits = { a: 100, b: 500, c: 900 };

    expect(providersOf({ breakers: { c: halfOpen }, model: { strategy: 'latency' }, waits, request })).toEqual(['a']);
    expect(providersOf({ breakers: { a: halfOpen }, request })).toEqual(['a', 'b']);
  });

  test('is asked with the lease alone, wherever it stands', () => {
    const { attempts } = planned({ breakers: { c: halfOpen } });

    expect(attempts.map(({ breaker }) => breaker)).toEqual([undefined, undefined, 'half-open']);
  });
});

describe('hedging', () => {
  const model = { hedge: {} };
  const waits = { a: 400, b: 9_000, c: 300 };

  test('is planned against whoever comes next when those that are down are left out', () => {
    expect(planned({ model, waits }).attempts[0]).not.toHaveProperty('hedge');

    const { attempts } = planned({ model, waits, breakers: { b: open } });

    expect(attempts.map(({ provider }) => provider)).toEqual(['a', 'c']);
    expect(attempts[0]!.hedge!.afterMs).toBeGreaterThan(350);
  });

  test('is planned with a target that is not measured where it is configured when', () => {
    const { attempts } = planned({ model: { hedge: { afterMs: 900 } }, waits: {} });

    expect(attempts.map(({ hedge }) => hedge?.afterMs)).toEqual([900, 900, undefined]);
    expect(planned({ model, waits: { a: 400 } }).attempts[0]).not.toHaveProperty('hedge');
  });

  test('is not planned with a target that may be down', () => {
    const { attempts } = planned({ model, waits: { ...waits, b: 300 }, breakers: { b: halfOpen } });

    expect(attempts[0]).not.toHaveProperty('hedge');
  });
});

describe('a rule that leads to another model', () => {
  const own = {
    hedge: { afterMs: 50 },
    unsupportedParameters: 'drop' as const,
    onStreamFailure: 'resume' as const,
    timeouts: { idleMs: 7 },
    rules: [{ name: 'away', use: { model: 'other' } }],
  };

  test('takes all of that model’s settings, and none of the first one’s', () => {
    const plan = planned({ model: own, models: { other: { targets } }, waits: { a: 400, b: 300 } });

    expect(plan.rule).toBe('away');
    expect(plan).not.toHaveProperty('onStreamFailure');
    for (const attempt of plan.attempts) {
      expect(attempt).not.toHaveProperty('hedge');
      expect(attempt).not.toHaveProperty('dropsUnsupported');
      expect(attempt.limits.idleMs).toBeGreaterThan(7);
    }
  });

  test('tells what becomes of a stream there', () => {
    const models = { other: { targets, onStreamFailure: 'resume' as const } };

    expect(planned({ model: { rules: own.rules }, models }).onStreamFailure).toBe('resume');
  });
});

describe('a caller who wants no other provider', () => {
  const at = (...providers: string[]) => providers.map((provider) => ({ provider, model: 'm', weight: 1 }));
  const mine: RequestedModel = {
    ...{ name: 'mine', targets: at('d', 'e'), fallbacks: [], timeouts: {} },
    strategy: 'priority',
  };
  const model = { fallbacks: ['spare'] };
  const models = { spare: { targets: at('f') } };

  test('gets the first of its model, then of those that it named itself, and no configured fallback', () => {
    const request = { preferences: { allowFallbacks: false } };
    const plan = planned({ model, models, alternatives: [mine], request });

    expect(plan.attempts.map(({ provider }) => provider)).toEqual(['a', 'd']);
    expect(plan.leftOut.map(({ provider }) => provider)).toEqual(['b', 'c', 'e']);
    for (const { reason } of plan.leftOut) expect(reason).toBe('provider.allow_fallbacks is false');
  });

  test('gets those of its order, of every model, and nobody else', () => {
    const request = { preferences: { allowFallbacks: false, order: ['e', 'c', 'b'] } };

    expect(providersOf({ model, models, alternatives: [mine], request })).toEqual(['c', 'b', 'e']);
    expect(providersOf({ request: { preferences: { allowFallbacks: false, order: ['d'] } } })).toEqual([]);
  });
});

describe('a model that stands in for another', () => {
  const away = [{ name: 'away', when: { stream: true }, use: { targets: [{ provider: 'x', model: 'm', weight: 1 }] } }];

  test('goes by its own rules', () => {
    const plan = planned({
      model: { targets: targets.slice(0, 1), fallbacks: ['spare'] },
      models: { spare: { rules: away } },
    });

    expect(plan.attempts.map(({ provider }) => provider)).toEqual(['a', 'x']);
    expect(plan.attempts[1]?.reason).toBe('fallback spare by away of asked, the only target');
    expect(plan.rule).toBeUndefined();
  });

  test('does not help out a target of the model that was asked for', () => {
    const model = { hedge: {}, targets: targets.slice(0, 1), fallbacks: ['spare'] };
    const models = { spare: { targets: targets.slice(1) } };

    const { attempts } = planned({ model, models, waits: { a: 400, b: 300, c: 300 } });

    expect(attempts).toHaveLength(3);
    for (const attempt of attempts) expect(attempt).not.toHaveProperty('hedge');
  });
});

describe('a caller who wants all parameters honoured', () => {
  const needy = { preferences: { requireParameters: true }, needs: ['tools', 'jsonSchema'] as const };
  const able = { tools: true, jsonSchema: true };
  const capable = (...known: (object | undefined)[]) =>
    targets.map((target, i) => ({ ...target, ...(known[i] && { capabilities: known[i] }) }));

  test('gets only targets that are known to, as far as any is', () => {
    const plan = planned({ model: { targets: capable({ tools: true }, able, undefined) }, request: needy });

    expect(plan.attempts.map(({ provider }) => provider)).toEqual(['b']);
    expect(plan.leftOut).toMatchObject([
      { provider: 'a', reason: expect.stringContaining('not known to answer by a JSON Schema') },
      { provider: 'c', reason: expect.stringContaining('not known to call tools') },
    ]);
  });

  test('gets those of which nothing is known where none is known to, but never one that is known not to', () => {
    const some = capable(undefined, { tools: false }, undefined);

    expect(providersOf({ model: { targets: some }, request: needy })).toEqual(['a', 'c']);
  });

  test('is not told that something was left out, whatever the model says', () => {
    const { attempts } = planned({ model: { unsupportedParameters: 'drop' }, request: needy });

    for (const attempt of attempts) expect(attempt).not.toHaveProperty('dropsUnsupported');
  });
});
