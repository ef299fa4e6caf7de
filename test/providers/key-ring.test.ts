import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createKeyRing } from '../../lambda/providers/key-ring.ts';

const entropies = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('createKeyRing', () => {
  test('has nothing to give where there is no key', () => {
    const ring = createKeyRing();

    expect(ring.choose([], 0, 0.5)).toBeUndefined();
    expect(ring.hasRested([], 0)).toBe(false);
  });

  test('reaches every key by some entropy', () => {
    const ring = createKeyRing();

    expect([0, 0.4, 0.999].map((entropy) => ring.choose(['a', 'b', 'c'], 0, entropy))).toEqual(['a', 'b', 'c']);
  });

  test('never gives a resting key while another one is rested', () => {
    const ring = createKeyRing();
    ring.rest('a', 100);

    fc.assert(fc.property(entropies, (entropy) => expect(ring.choose(['a', 'b', 'c'], 99, entropy)).not.toBe('a')));
  });

  test('gives a key again when its rest is over', () => {
    const ring = createKeyRing();
    ring.rest('a', 100);

    expect(ring.hasRested(['a'], 99)).toBe(false);
    expect(ring.hasRested(['a'], 100)).toBe(true);
    expect(ring.choose(['a', 'b'], 100, 0)).toBe('a');
  });

  test('gives the key that is rested soonest when all rest', () => {
    const ring = createKeyRing();
    ring.rest('a', 300);
    ring.rest('b', 200);

    expect(ring.choose(['a', 'b'], 100, 0)).toBe('b');
  });

  test('never shortens a rest', () => {
    const ring = createKeyRing();
    ring.rest('a', 300);
    ring.rest('a', 100);

    expect(ring.hasRested(['a'], 200)).toBe(false);
  });

  test('forgets rather than grows without end', () => {
    const ring = createKeyRing();
    for (let index = 0; index <= 1000; index++) ring.rest(`key-${index}`, 100);

    expect(ring.hasRested(['key-0'], 0)).toBe(true);
    expect(ring.hasRested(['key-1000'], 0)).toBe(false);
  });
});
