import { describe, expect, test } from '@jest/globals';
import { compileSnapshot } from '../../lambda/config/compile.ts';
import type { TargetFacts } from '../../lambda/config/snapshot.ts';

const stamp = { version: 1, compiledAt: '2026-01-01T00:00:00.000Z' };

function compiled(fields: object, factsOf: (type: string, model: string) => TargetFacts = () => ({})) {
  const items = [
    { kind: 'model', name: 'other', targets: ['groq/llama'] },
    { kind: 'provider', name: 'eu', type: 'azure-openai', baseUrl: 'https://eu.example' },
    { kind: 'model', name: 'fast', targets: ['openai/gpt-4o', 'eu/gpt-4o'], ...fields },
  ];
  return compileSnapshot(items, stamp, factsOf);
}

function modelOf(fields: object, factsOf?: (type: string, model: string) => TargetFacts) {
  const result = compiled(fields, factsOf);
  if ('errors' in result) throw new Error(result.errors.join('\n'));
  return result.snapshot.models['fast']!;
}

function errorsOf(fields: object): string[] {
  const result = compiled(fields);
  return 'errors' in result ? result.errors : [];
}

describe('rules of a model', () => {
  test('have their targets resolved as the model’s own', () => {
    const { rules } = modelOf({
      rules: [
        { name: 'eu only', when: { metadata: { region: 'eu' } }, use: { targets: ['eu/gpt-4o'] } },
        { split: [{ percent: 10, use: { model: 'other' } }], by: 'user' },
      ],
    });

    expect(rules).toEqual([
      {
        name: 'eu only',
        when: { metadata: { region: 'eu' } },
        use: { targets: [{ provider: 'eu', model: 'gpt-4o', weight: 1 }] },
      },
      { split: [{ percent: 10, use: { model: 'other' } }], by: 'user' },
    ]);
  });

  test('may split everything, though fractions do not add up exactly', () => {
    const split = [97.4, 2.2, 0.4].map((percent) => ({ percent, use: {} }));

    expect(errorsOf({ rules: [{ split }] })).toEqual([]);
  });

  test.each<[string, object, string]>([
    ['neither use nor split', { when: { stream: true } }, 'model/fast rules[0]: needs either use or split'],
    ['a use for every request', { use: { strategy: 'cost' } }, 'model/fast rules[0]: holds always'],
    [
      'shares of more than all',
      {
        split: [
          { percent: 60, use: {} },
          { percent: 50, use: {} },
        ],
      },
      'add up to 110 percent',
    ],
    ['an unknown model', { when: {}, use: { model: 'othre' } }, 'rules[0].use.model: model "othre" is not configured'],
    ['an unknown target', { when: {}, use: { targets: ['nobody/x'] } }, 'rules[0].use.targets[0]: provider "nobody"'],
    ['a by without a split', { when: {}, use: { strategy: 'cost' }, by: 'user' }, 'rules[0].by: belongs to a split'],
  ])('are refused with %s', (_, rule, message) => {
    expect(errorsOf({ rules: [rule] }).join('\n')).toContain(message);
  });
});

describe('what is known of a target', () => {
  test('comes from public lists, by the type of its provider, and is replaced by what its item says', () => {
    const asked: string[] = [];
    const { targets } = modelOf(
      {
        targets: [
          'openai/gpt-4o',
          { target: 'eu/gpt-4o', price: { input: 1, output: 2 }, capabilities: { vision: false } },
        ],
      },
      (type, model) => {
        asked.push(`${type}/${model}`);
        return { price: { input: 2.5, output: 10 }, contextTokens: 128_000 };
      },
    );

    expect(asked).toEqual(expect.arrayContaining(['openai/gpt-4o', 'azure-openai/gpt-4o']));
    expect(targets).toMatchObject([
      { price: { input: 2.5, output: 10 }, contextTokens: 128_000 },
      { price: { input: 1, output: 2 }, contextTokens: 128_000, capabilities: { vision: false } },
    ]);
  });
});

test('affinity and hedging are kept', () => {
  expect(modelOf({ affinity: 'session', hedge: { maxShare: 0.1 } })).toMatchObject({
    affinity: 'session',
    hedge: { maxShare: 0.1 },
  });
});
