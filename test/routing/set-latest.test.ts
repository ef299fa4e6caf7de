import { describe, expect, test } from '@jest/globals';
import { setLatest } from '../../lambda/routing/set-latest.ts';

function mapOf(keys: string, most: number): Map<string, number> {
  const map = new Map<string, number>();
  [...keys].forEach((key, place) => {
    setLatest(map, key, place, most);
  });
  return map;
}

describe('setLatest', () => {
  test('keeps as many keys as it may', () => {
    expect([...mapOf('abc', 3)]).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ]);
  });

  test('forgets the key that was set the longest ago, not the one that was first', () => {
    expect([...mapOf('abcad', 3)]).toEqual([
      ['c', 2],
      ['a', 3],
      ['d', 4],
    ]);
  });

  test('forgets nothing for a key that it has', () => {
    expect([...mapOf('abcb', 3).keys()]).toEqual(['a', 'c', 'b']);
  });
});
