import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Snapshot } from '../../lambda/config/snapshot.ts';
import { recordByName } from '../../lambda/config/snapshot.ts';
import { emptyLiveStats } from '../../lambda/routing/live-stats.ts';
import { defaultLimits, type PlannedAttempt } from '../../lambda/routing/plan.ts';
import { planAttempts } from '../../lambda/routing/plan-attempts.ts';
import type { RequestedModel } from '../../lambda/routing/requested-model.ts';
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
