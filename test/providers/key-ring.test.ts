import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createKeyRing, type KeyRing, type KeyWish } from '../../lambda/providers/key-ring.ts';

const entropies = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const target = 'openai/gpt-4o';

const keys = (...secrets: string[]) => secrets.map((secret, index) => ({ secret, place: index + 1 }));
const abc = keys('a', 'b', 'c');

function chosen(ring: KeyRing, from: typeof abc, wish: Partial<KeyWish> = {}) {
  const usual: KeyWish = { target, rotation: 'random', weights: [], nowMs: 0, entropy: 0.5, turn: () => 0 };
  const found = ring.choose(from, { ...usual, ...wish });
  return found && 'secret' in found ? found.secret : found;
}

describe('a key ring', () => {
  test('has nothing to give where there is no key', () => {
    const ring = createKeyRing();

    expect(chosen(ring, [])).toBeUndefined();
    expect(ring.hasRested([], target, 0)).toBe(false);
  });

  test('never gives a resting key while another one is rested', () => {
    const ring = createKeyRing();
    ring.rest('a', { untilMs: 100 });

    for (const rotation of ['random', 'round-robin', 'priority', 'weighted'] as const) {
      const property = fc.property(entropies, fc.nat(), (entropy, turn) => {
        expect(chosen(ring, abc, { rotation, nowMs: 99, entropy, turn: () => turn })).not.toBe('a');
      });
      fc.assert(property);
    }
  });

  test('gives a key again when its rest is over', () => {
    const ring = createKeyRing();
    ring.rest('a', { untilMs: 100 });

    expect(ring.hasRested(keys('a'), target, 99)).toBe(false);
    expect(ring.hasRested(keys('a'), target, 100)).toBe(true);
    expect(chosen(ring, abc, { nowMs: 100, rotation: 'priority' })).toBe('a');
  });

  test('gives the key that is rested soonest when all rest', () => {
    const ring = createKeyRing();
    ring.rest('a', { untilMs: 300, asked: true });
    ring.rest('b', { untilMs: 200 });

    expect(chosen(ring, keys('a', 'b'), { nowMs: 100 })).toBe('b');
  });

  test('gives only the time when the vendor has said of all of them until when', () => {
    const ring = createKeyRing();
    ring.rest('a', { untilMs: 300, asked: true, target });
    ring.rest('b', { untilMs: 200, asked: true, target });

    expect(chosen(ring, keys('a', 'b'), { nowMs: 100 })).toEqual({ restsUntilMs: 200 });
    expect(chosen(ring, keys('a', 'b'), { nowMs: 100, target: 'openai/other', rotation: 'priority' })).toBe('a');
  });

  test('never shortens a rest', () => {
    const ring = createKeyRing();
    ring.rest('a', { untilMs: 300 });
    ring.rest('a', { untilMs: 100 });

    expect(ring.hasRested(keys('a'), target, 200)).toBe(false);
  });

  test('forgets the oldest rests rather than grow without end', () => {
    const ring = createKeyRing();
    for (let index = 0; index <= 1000; index++) ring.rest(`key-${index}`, { untilMs: 100 });

    expect(ring.hasRested(keys('key-0'), target, 0)).toBe(true);
    expect(ring.hasRested(keys('key-1'), target, 0)).toBe(false);
    expect(ring.hasRested(keys('key-1000'), target, 0)).toBe(false);
  });
});

describe('the rotation', () => {
  test('random reaches every key by some entropy', () => {
    const ring = createKeyRing();

    expect([0, 0.4, 0.999].map((entropy) => chosen(ring, abc, { entropy }))).toEqual(['a', 'b', 'c']);
  });

  test('priority takes the first that is not resting', () => {
    const ring = createKeyRing();

    expect(chosen(ring, abc, { rotation: 'priority', entropy: 0.9 })).toBe('a');
    ring.rest('a', { untilMs: 100 });
    expect(chosen(ring, abc, { rotation: 'priority', entropy: 0.9 })).toBe('b');
  });

  test('round-robin takes them in turn, and a resting one shifts nobody else', () => {
    const ring = createKeyRing();
    const turns = () =>
      [0, 1, 2, 3, 4, 5].map((turn) => chosen(ring, abc, { rotation: 'round-robin', turn: () => turn })).join('');

    expect(turns()).toBe('abcabc');
    ring.rest('b', { untilMs: 100 });
    expect(turns()).toBe('accacc');
  });

  test('weighted takes them in proportion, one without a weight counting 1, and one of weight 0 only alone', () => {
    const ring = createKeyRing();
    const shares = (weights: number[]) => {
      const counts = { a: 0, b: 0, c: 0 };
      for (let i = 0; i < 100; i++)
        counts[chosen(ring, abc, { rotation: 'weighted', weights, entropy: i / 100 }) as 'a']++;
      return counts;
    };

    expect(shares([3, 0])).toEqual({ a: 75, b: 0, c: 25 });
    ring.rest('a', { untilMs: 100 });
    ring.rest('c', { untilMs: 100 });
    expect(shares([3, 0])).toEqual({ a: 0, b: 100, c: 0 });
  });
});
