import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { jsonMembers, replaceMembers } from '../../lambda/dialects/json-members.ts';

describe('replaceMembers', () => {
  test('leaves every byte outside the changed value as it was', () => {
    const text = '{ "seed" : 12345678901234567890, "model":"a",\n "x": 1.0e2, "nested": {"model": "b"} }';

    const replaced = replaceMembers(text, { model: '"c"' });

    expect(replaced).toBe('{ "seed" : 12345678901234567890, "model":"c",\n "x": 1.0e2, "nested": {"model": "b"} }');
  });

  test('returns the very same text when nothing is to change', () => {
    const text = '{ "a" : 1 }';

    expect(replaceMembers(text, { b: undefined })).toBe(text);
  });

  test('replaces every occurrence of a repeated key, so no parser can see the old one', () => {
    const replaced = replaceMembers('{"model":"a","model":"b"}', { model: '"c"' });

    expect(replaced).toBe('{"model":"c","model":"c"}');
  });

  test('recognises a key that is written with escapes', () => {
    expect(replaceMembers('{"mod\\u0065l":"a"}', { model: '"c"' })).toBe('{"mod\\u0065l":"c"}');
  });

  test('removes a member and adds one that is missing', () => {
    expect(replaceMembers('{"a":1,"b":[1,{"c":"}"}]}', { b: undefined, d: '{"e":true}' })).toBe(
      '{"d":{"e":true},"a":1}',
    );
    expect(replaceMembers('{}', { d: '1' })).toBe('{"d":1}');
    expect(replaceMembers('{"a":1}', { a: undefined })).toBe('{}');
  });

  test('removes members wherever they stand, with their commas', () => {
    expect(replaceMembers('{ "a": 1, "b": 2 }', { a: undefined })).toBe('{ "b": 2 }');
    expect(replaceMembers('{ "a": 1, "b": 2 }', { b: undefined })).toBe('{ "a": 1 }');
    expect(replaceMembers('{"a":1,"b":2,"c":3}', { b: undefined, c: undefined })).toBe('{"a":1}');
    expect(replaceMembers('{"a":1,"b":2}', { a: undefined, b: undefined, c: '3' })).toBe('{"c":3}');
  });

  test('means the same as removing members from the parsed object', () => {
    const json = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.jsonValue({ maxDepth: 2 }));

    fc.assert(
      fc.property(
        json,
        fc.subarray(['a', 'b', 'c', 'd', 'e']),
        fc.constantFrom(undefined, 1),
        (object, gone, indent) => {
          const changes = { ...Object.fromEntries(gone.map((key) => [key, undefined])), x: '1' };
          const kept = Object.entries(object).filter(([key]) => !gone.includes(key));

          const replaced = JSON.parse(replaceMembers(JSON.stringify(object, null, indent), changes));

          expect(replaced).toEqual(JSON.parse(JSON.stringify({ ...Object.fromEntries(kept), x: 1 })));
        },
      ),
    );
  });

  test('means the same as editing the parsed object, for any object and any spacing', () => {
    const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 });

    fc.assert(
      fc.property(json, fc.jsonValue(), fc.constantFrom(undefined, 0, 2, '\t'), (object, value, indent) => {
        const text = JSON.stringify(object, null, indent);

        const replaced = JSON.parse(replaceMembers(text, { model: JSON.stringify(value) }));

        const expected = JSON.parse(text);
        Object.defineProperty(expected, 'model', { value: JSON.parse(JSON.stringify(value)), enumerable: true });
        expect(replaced).toEqual(expected);
      }),
    );
  });
});

describe('jsonMembers', () => {
  test('finds keys and values of any object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), (object) => {
        const text = JSON.stringify(object, null, 1);

        const found = jsonMembers(text).map(({ key, valueStart, end }) => [
          key,
          JSON.parse(text.slice(valueStart, end)),
        ]);

        expect(found).toEqual(Object.entries(JSON.parse(text)));
      }),
    );
  });
});
