import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { strategies as strategiesOfModels } from '../../lambda/config/routing-schema.ts';
import type { Snapshot } from '../../lambda/config/snapshot.ts';
import { recordByName } from '../../lambda/config/snapshot.ts';
import { foldScores } from '../../lambda/routing/fold-scores.ts';
import { noKnowledge } from '../../lambda/routing/knowledge.ts';
import { emptyLiveStats } from '../../lambda/routing/live-stats.ts';
import { defaultLimits, type PlannedAttempt } from '../../lambda/routing/plan.ts';
import { planAttempts } from '../../lambda/routing/plan-attempts.ts';
import type { RequestedModel } from '../../lambda/routing/requested-model.ts';
import { scoresOf } from '../../lambda/routing/scores-of.ts';
import { aSample, slicesOf } from '../support/samples.ts';
import { aModel, aSnapshot } from '../support/snapshots.ts';

type Target = RequestedModel['targets'][number];

function requested(targets: Target[], more: Partial<RequestedModel> = {}): RequestedModel {
  return { name: 'asked', targets, strategy: 'weighted', fallbacks: [], timeouts: {}, ...more };
}

function target(provider: string, weight = 1): Target {
  return { provider, model: 'm', weight };
}

function attemptsOf(snapshot: Snapshot, model: RequestedModel, entropy: number): readonly PlannedAttempt[] {
  const request = { stream: true, inputTokens: 0, maxOutputTokens: undefined, bodyBytes: 100 };
  return planAttempts({ snapshot, model, live: emptyLiveStats, request, nowMs: 0, entropy }).attempts;
}

const anyTarget = fc.record({
  provider: fc.constantFrom('a', 'b', 'c'),
  model: fc.constantFrom('x', 'y', 'v/z'),
  weight: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1_000_000, noNaN: true })),
});
const entropies = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const strategies = fc.constantFrom('weighted' as const, 'priority' as const, 'latency' as const);

describe('planAttempts', () => {
  test('gives the same plan for the same entropy, with every configured target once and nothing else', () => {
    const lists = fc.array(anyTarget, { minLength: 1, maxLength: 8 });

    fc.assert(
      fc.property(lists, lists, strategies, entropies, (own, others, strategy, entropy) => {
        const models = recordByName([['other', { ...aModel('a'), targets: others, strategy }]]);
        const snapshot = aSnapshot({ models });
        const model = requested(own, { strategy, fallbacks: ['other', 'gone', '__proto__'] });

        const plan = attemptsOf(snapshot, model, entropy);

        const names = plan.map(({ provider, model: name }) => `${provider}/${name}`);
        expect(attemptsOf(snapshot, model, entropy)).toEqual(plan);
        expect(new Set(names).size).toBe(names.length);
        expect(new Set(names)).toEqual(new Set([...own, ...others].map((one) => `${one.provider}/${one.model}`)));
      }),
    );
  });

  test('keeps the configured order under priority, whatever the weights', () => {
    fc.assert(
      fc.property(entropies, (entropy) => {
        const model = requested([target('c', 0), target('a', 9), target('b', 1)], { strategy: 'priority' });

        const plan = attemptsOf(aSnapshot(), model, entropy);

        expect(plan.map(({ provider }) => provider)).toEqual(['c', 'a', 'b']);
      }),
    );
  });

  test('puts targets of weight 0 behind all others', () => {
    fc.assert(
      fc.property(entropies, (entropy) => {
        const plan = attemptsOf(aSnapshot(), requested([target('zero', 0), target('a', 0.001), target('b')]), entropy);

        expect(plan.at(-1)?.provider).toBe('zero');
      }),
    );
  });

  test('puts a target of weight 0 last even when its draw is exactly 0', () => {
    const entropyOfZero = 0x92d4860b / 0x1_0000_0000;

    const plan = attemptsOf(aSnapshot(), requested([target('zero', 0), target('a')]), entropyOfZero);

    expect(plan.map(({ provider }) => provider)).toEqual(['a', 'zero']);
  });

  test.each([
    ['weighted', { a: 0.6, b: 0.3, c: 0.1 }],
    ['latency', { a: 1 / 3, b: 1 / 3, c: 1 / 3 }],
  ] as const)('gives each target its share of first places under %s', (strategy, shares) => {
    const model = requested([target('a', 6), target('b', 3), target('c', 1)], { strategy });
    const firsts: Record<string, number> = { a: 0, b: 0, c: 0 };
    const draws = 20_000;

    for (let draw = 0; draw < draws; draw++) {
      const [first] = attemptsOf(aSnapshot(), model, (draw * 0.618_033_988_749) % 1);
      firsts[first?.provider ?? ''] = (firsts[first?.provider ?? ''] ?? 0) + 1 / draws;
    }

    for (const [provider, share] of Object.entries(shares)) expect(firsts[provider]).toBeCloseTo(share, 1.5);
  });

  test('takes each limit from the model, else from the settings, else from the defaults', () => {
    const fallback = { ...aModel('b'), timeouts: { idleMs: 3 } };
    const snapshot = aSnapshot({
      models: recordByName([['other', fallback]]),
      settings: { timeouts: { idleMs: 20, connectMs: 21 } },
    });

    const plan = attemptsOf(
      snapshot,
      requested([target('a')], { timeouts: { idleMs: 1, totalMs: 2 }, fallbacks: ['other'] }),
      0,
    );

    expect(plan.map(({ limits }) => limits)).toEqual([
      { ...defaultLimits, connectMs: 21, idleMs: 1, totalMs: 2 },
      { ...defaultLimits, connectMs: 21, idleMs: 3 },
    ]);
  });

  test('says of every attempt why it stands at its place', () => {
    const models = recordByName([['other', aModel('c')]]);

    const plan = attemptsOf(
      aSnapshot({ models }),
      requested([target('a'), target('b')], { strategy: 'priority', fallbacks: ['other'] }),
      0,
    );

    expect(plan.map(({ reason }) => reason)).toEqual([
      'place 1 of 2 as configured',
      'place 2 of 2 as configured',
      'fallback other of asked, the only target',
    ]);
  });

  test('is empty for a model without targets', () => {
    expect(attemptsOf(aSnapshot(), requested([]), 0.5)).toEqual([]);
  });
});

describe('a plan, whatever is measured and wished for', () => {
  const anyStrategy = fc.constantFrom(...strategiesOfModels);
  const anyScore = fc.record({
    waitMs: fc.integer({ min: 1, max: 60_000 }),
    count: fc.integer({ min: 1, max: 200 }),
    failures: fc.integer({ min: 0, max: 100 }),
  });
  const providers = ['a', 'b', 'c', 'd'];
  const anyWorld = fc.record({
    strategy: anyStrategy,
    scores: fc.array(fc.option(anyScore, { nil: undefined }), { minLength: 4, maxLength: 4 }),
    open: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    only: fc.option(fc.subarray(providers, { minLength: 1 }), { nil: undefined }),
    ignore: fc.option(fc.subarray(providers), { nil: undefined }),
    maxInput: fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
    entropy: entropies,
  });

  function planIn({
    strategy,
    scores,
    open,
    only,
    ignore,
    maxInput,
    entropy,
  }: typeof anyWorld extends fc.Arbitrary<infer W> ? W : never) {
    const targets = providers.map((provider, i) => ({
      ...target(provider),
      ...(i < 3 && { price: { input: i * 3, output: 1 } }),
    }));
    const samples = providers.flatMap((provider, i) => {
      const score = scores[i];
      if (!score) return [];
      const sample = { target: `${provider}/m`, atMs: 1_000, waitMs: score.waitMs };
      return [
        ...Array.from({ length: score.count }, () => aSample(sample)),
        ...Array.from({ length: score.failures }, () =>
          aSample({ target: sample.target, atMs: 1_000, outcome: 'overloaded' as const }),
        ),
      ];
    });
    const breaker = { openedAtMs: 0, openUntilMs: 9_000, openings: 1, reason: 'timeout' as const };
    const input = {
      snapshot: aSnapshot(),
      model: requested(targets, { strategy }),
      live: {
        scores: scoresOf(foldScores(noKnowledge, slicesOf(...samples), 2_000)),
        breakers: Object.fromEntries(providers.flatMap((provider, i) => (open[i] ? [[`${provider}/m`, breaker]] : []))),
      },
      request: {
        stream: true,
        inputTokens: 10,
        maxOutputTokens: undefined,
        bodyBytes: 100,
        preferences: {
          ...(only && { only }),
          ...(ignore && { ignore }),
          ...(maxInput !== undefined && { maxPrice: { input: maxInput } }),
        },
      },
      nowMs: 3_000,
      entropy,
      turn: () => 1,
    };
    return { input, plan: planAttempts(input) };
  }

  test('is the same again, has nobody twice, and accounts for every target', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const { input, plan } = planIn(world);
        const names = [...plan.attempts, ...plan.leftOut].map(({ provider }) => provider);

        expect(planAttempts(input)).toEqual(plan);
        expect(names.sort()).toEqual(providers);
        for (const { reason } of [...plan.attempts, ...plan.leftOut]) expect(reason).not.toBe('');
      }),
    );
  });

  test('keeps every wish, and asks nobody who is down while somebody is not', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const { plan } = planIn(world);
        const asked = plan.attempts.map(({ provider }) => provider);
        const isOpen = (provider: string) => world.open[providers.indexOf(provider)];

        for (const provider of asked) {
          if (world.only) expect(world.only).toContain(provider);
          expect(world.ignore ?? []).not.toContain(provider);
          if (world.maxInput !== undefined) expect(providers.indexOf(provider) * 3).toBeLessThanOrEqual(world.maxInput);
          if (world.maxInput !== undefined) expect(provider).not.toBe('d');
        }
        if (asked.some((provider) => !isOpen(provider))) expect(asked.some(isOpen)).toBe(false);
        else expect(asked.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
