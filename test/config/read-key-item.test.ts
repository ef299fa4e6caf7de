import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseKeyItem } from '../../lambda/config/parse-key-item.ts';
import type { RawItem } from '../../lambda/config/raw-item.ts';
import { readKeyItem } from '../../lambda/config/read-key-item.ts';

const name = 'a1'.repeat(32);

const right = new Map<string, fc.Arbitrary<unknown>>([
  ['label', fc.string({ minLength: 1, maxLength: 100 })],
  ['models', fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 })],
  ['disabled', fc.boolean()],
  ['expiresAt', fc.constantFrom('2027-01-31T00:00:00Z', '2027-01-31T00:00:00.5+01:00')],
]);

const odd = fc.oneof(
  fc.string(),
  fc.string({ minLength: 99, maxLength: 102 }),
  fc.anything(),
  fc.constantFrom(undefined, null, [], [''], [1], new Set(['b', 'a']), new Set(), 'false', '2027-13-01T00:00:00Z'),
);

const fieldNames = [...right.keys(), 'rpm', 'constructor', '__proto__'];
const fields = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...fieldNames), fc.boolean()), { selector: ([field]) => field })
  .chain((chosen) =>
    fc.tuple(...chosen.map(([field, isRight]) => fc.tuple(fc.constant(field), (isRight && right.get(field)) || odd))),
  );
const names = fc.oneof(
  { weight: 4, arbitrary: fc.constant(name) },
  fc.constantFrom(name.toUpperCase(), name.slice(1), `${name}\n`, 'sk-my-key'),
);

describe('a key item that a gateway reads', () => {
  test('says what the schema makes of it, whatever stands in it', async () => {
    const read = fc.asyncProperty(names, fields, async (keyName, entries) => {
      const item = { kind: 'key', ...Object.fromEntries(entries), name: keyName } as RawItem;

      expect(await readKeyItem(item)).toEqual(parseKeyItem(item));
    });

    await fc.assert(read, { numRuns: 1_000 });
  });

  test('is told with the words of the schema when it is wrong', async () => {
    expect(await readKeyItem({ kind: 'key', name, rpm: 1 })).toEqual({ errors: ['key/a1a1a1a1… rpm: unknown field'] });
  });
});
