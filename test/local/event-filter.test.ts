import { describe, expect, test } from '@jest/globals';
import { matchesPattern } from '../../local/event-filter.ts';

const record = {
  eventName: 'INSERT',
  dynamodb: { Keys: { kind: { S: 'model' } }, NewImage: { name: { S: 'gpt-4o' }, weight: { N: '5' } }, SizeBytes: 12 },
};

describe('a filter pattern', () => {
  test.each<[string, unknown, boolean]>([
    ['an exact value', { eventName: ['INSERT', 'MODIFY'] }, true],
    ['another value', { eventName: ['REMOVE'] }, false],
    ['nested fields', { dynamodb: { Keys: { kind: { S: ['model'] } } } }, true],
    ['a missing branch', { dynamodb: { OldImage: { kind: { S: ['model'] } } } }, false],
    ['all fields together', { eventName: ['INSERT'], dynamodb: { Keys: { kind: { S: ['key'] } } } }, false],
    ['a prefix', { dynamodb: { NewImage: { name: { S: [{ prefix: 'gpt-' }] } } } }, true],
    ['a suffix', { dynamodb: { NewImage: { name: { S: [{ suffix: '-4o' }] } } } }, true],
    ['a prefix that differs', { dynamodb: { NewImage: { name: { S: [{ prefix: 'claude' }] } } } }, false],
    ['exists', { dynamodb: { NewImage: { name: { S: [{ exists: true }] } } } }, true],
    ['exists of a missing field', { dynamodb: { NewImage: { other: { S: [{ exists: true }] } } } }, false],
    ['exists: false of a missing field', { dynamodb: { NewImage: { other: { S: [{ exists: false }] } } } }, true],
    ['exists: false of a present field', { eventName: [{ exists: false }] }, false],
    ['anything-but', { eventName: [{ 'anything-but': ['REMOVE'] }] }, true],
    ['anything-but the value', { eventName: [{ 'anything-but': 'INSERT' }] }, false],
    ['anything-but a prefix', { eventName: [{ 'anything-but': { prefix: 'IN' } }] }, false],
    ['the case ignored', { eventName: [{ 'equals-ignore-case': 'insert' }] }, true],
    ['a number in a range', { dynamodb: { SizeBytes: [{ numeric: ['>', 10, '<=', 12] }] } }, true],
    ['a number out of range', { dynamodb: { SizeBytes: [{ numeric: ['<', 12] }] } }, false],
    ['either side of $or', { $or: [{ eventName: ['REMOVE'] }, { dynamodb: { SizeBytes: [12] } }] }, true],
    ['an empty pattern', {}, true],
  ])('with %s', (_name, pattern, expected) => {
    expect(matchesPattern(pattern, record)).toBe(expected);
  });

  test('with a rule that is not known is an error', () => {
    expect(() => matchesPattern({ eventName: [{ wildcard: 'I*' }] }, record)).toThrow('wildcard');
  });
});
