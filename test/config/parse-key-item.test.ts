import { describe, expect, test } from '@jest/globals';
import { parseKeyItem } from '../../lambda/config/parse-key-item.ts';

const name = 'a1'.repeat(32);

describe('a key item', () => {
  test('needs no more than the hash', () => {
    expect(parseKeyItem({ kind: 'key', name })).toEqual({ key: { name } });
  });

  test('may have a label, models, an end and a switch', () => {
    const fields = { label: 'checkout', models: ['gpt-*'], disabled: true, expiresAt: '2027-01-31T00:00:00Z' };

    expect(parseKeyItem({ kind: 'key', name, ...fields })).toEqual({ key: { name, ...fields } });
  });

  test('may have its models in a set of DynamoDB', () => {
    const models = new Set(['b', 'a']);

    expect(parseKeyItem({ kind: 'key', name, models })).toEqual({ key: { name, models: ['a', 'b'] } });
  });

  test.each(['rpm', 'tpm', 'budgetUsd', 'budgetPeriod'])(
    'with %s is refused, for nothing would enforce it',
    (field) => {
      expect(parseKeyItem({ kind: 'key', name, [field]: 1 })).toEqual({
        errors: [`key/a1a1a1a1… ${field}: unknown field`],
      });
    },
  );

  test.each([
    ['in capitals', name.toUpperCase()],
    ['in plain text', 'sk-my-key'],
    ['of another length', name.slice(1)],
  ])('whose name is a key %s is refused without showing it', (_, wrong) => {
    expect(parseKeyItem({ kind: 'key', name: wrong })).toEqual({
      errors: ['key/(not a SHA-256) name: must be the SHA-256 of the key: 64 lower-case hexadecimal digits'],
    });
  });

  test.each([
    ['an empty list of models', { models: [] }, 'models: needs at least one model; leave the field out to allow all'],
    ['a switch as text', { disabled: 'false' }, 'disabled: must be true or false'],
    [
      'an end without a time',
      { expiresAt: '2027-01-31' },
      'expiresAt: must be an ISO 8601 time such as 2027-01-31T00:00:00Z',
    ],
    [
      'an end in no month',
      { expiresAt: '2027-13-01T00:00:00Z' },
      'expiresAt: must be an ISO 8601 time such as 2027-01-31T00:00:00Z',
    ],
  ])('with %s is refused', (_, fields, problem) => {
    expect(parseKeyItem({ kind: 'key', name, ...fields })).toEqual({ errors: [`key/a1a1a1a1… ${problem}`] });
  });
});
