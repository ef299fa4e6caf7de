import { describe, expect, test } from '@jest/globals';
import { recordByName } from '../../lambda/config/snapshot.ts';
import { findRequestedModel } from '../../lambda/routing/requested-model.ts';
import { aModel, aSnapshot } from '../support/snapshots.ts';

const two = {
  ...aModel('openai'),
  targets: [
    { provider: 'openai', model: 'gpt-4o', weight: 1 },
    { provider: 'azure-eu', model: 'prod-4o', weight: 2 },
  ],
  fallbacks: ['spare'],
  timeouts: { totalMs: 5 },
};
const snapshot = aSnapshot({
  models: recordByName([
    ['two', two],
    ['openai/shadowed', aModel('azure-eu')],
  ]),
});
const isProvider = (name: string) => ['openai', 'azure-eu'].includes(name);

function find(name: string) {
  return findRequestedModel(snapshot, name, isProvider);
}

describe('findRequestedModel', () => {
  test('finds a configured model with all that was configured', () => {
    expect(find('two')).toEqual({ name: 'two', ...two });
  });

  test.each([
    ['a target', 'openai/gpt-4o', 'openai', 'gpt-4o'],
    ['a target whose model has slashes', 'openai/a/b:7b', 'openai', 'a/b:7b'],
    ["a pin of a provider's own model", 'gpt-9@@openai', 'openai', 'gpt-9'],
    ['a pin of a model with slashes', 'a/b@@openai', 'openai', 'a/b'],
    ['a pin that is split at the last marker', 'a@@b@@openai', 'openai', 'a@@b'],
  ])('understands %s', (_, name, provider, model) => {
    expect(find(name)).toEqual({
      name: `${provider}/${model}`,
      targets: [{ provider, model, weight: 1 }],
      strategy: 'priority',
      fallbacks: [],
      timeouts: {},
    });
  });

  test('keeps a pinned model to its targets there, under its own name and without fallbacks', () => {
    expect(find('two@@azure-eu')).toEqual({ name: 'two', ...two, targets: [two.targets[1]], fallbacks: [] });
  });

  test('prefers a configured model over a target of the same name', () => {
    expect(find('openai/shadowed')?.targets[0]?.provider).toBe('azure-eu');
  });

  test.each([
    '',
    '/',
    'openai/',
    '/gpt-4o',
    'nobody/x',
    'two@@nobody',
    '@@openai',
    'two@@',
    '__proto__',
    'constructor',
    'toString/x',
    'x@@__proto__',
  ])('makes nothing of %j', (name) => {
    expect(find(name)).toBeUndefined();
  });
});
