import { expect, test } from '@jest/globals';
import { recordByName } from '../../lambda/config/snapshot.ts';
import { isConfiguredTarget } from '../../lambda/routing/configured-targets.ts';
import { aModel, aSnapshot } from '../support/snapshots.ts';

const target = (provider: string) => ({ provider, model: 'm', weight: 1 });

test('the targets of models and of all their rules are configured, and no others', () => {
  const rules = [
    { use: { targets: [target('by-rule')] } },
    { by: 'user', split: [{ percent: 50, use: { targets: [target('by-share')] } }] },
  ];
  const snapshot = aSnapshot({
    models: recordByName([['one', { ...aModel('a'), targets: [target('plain')], rules }]]),
  });

  const names = ['plain/m', 'by-rule/m', 'by-share/m', 'plain/other', 'one', '__proto__'];
  expect(names.filter((name) => isConfiguredTarget(name, snapshot))).toEqual(['plain/m', 'by-rule/m', 'by-share/m']);
});
