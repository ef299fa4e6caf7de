import { describe, expect, test } from '@jest/globals';
import { type CachedMapOptions, cachedMap } from '../../lambda/store/cached-map.ts';

describe('cached keys', () => {
  test('are loaded once each', async () => {
    const { map, loads } = aMap({ a: '1', b: '2' });

    const values = await Promise.all([map.get('a'), map.get('a'), map.get('b')]);
    await map.get('a');

    expect(values).toEqual(['1', '1', '2']);
    expect(loads).toEqual(['a', 'b']);
  });

  test('are served stale while their source fails', async () => {
    const { map, source, clock, errors } = aMap({ a: '1' });
    await map.get('a');
    source.failure = new Error('down');

    clock.now += 100_000;

    expect(await map.get('a')).toBe('1');
    expect(errors).toHaveLength(1);
  });

  test('that were removed at the source are gone once they are stale', async () => {
    const { map, source, clock } = aMap({ a: '1' });
    await map.get('a');
    delete source.values['a'];

    clock.now += 8000;

    expect(await map.get('a')).toBeUndefined();
  });

  test('that were removed and added again are there again', async () => {
    const { map, source, clock } = aMap({ a: '1' });
    await map.get('a');
    delete source.values['a'];
    clock.now += 8000;
    await map.get('a');

    source.values['a'] = '2';
    clock.now += 1000;

    expect(await map.get('a')).toBe('2');
  });

  test('that do not exist are not asked for again at once, but soon', async () => {
    const { map, source, clock, loads } = aMap({}, { missingForMs: 1000 });
    await map.get('new');
    await map.get('new');
    const before = [...loads];

    source.values['new'] = '1';
    clock.now += 1000;

    expect(before).toEqual(['new']);
    expect(await map.get('new')).toBe('1');
  });

  test('beyond the limit push out the least recently used', async () => {
    const { map, loads } = aMap({ a: '1', b: '2', c: '3' }, { maxEntries: 2 });
    await map.get('a');
    await map.get('b');
    await map.get('a');
    await map.get('c');

    await map.get('a');
    await map.get('b');

    expect(loads).toEqual(['a', 'b', 'c', 'b']);
  });

  test('survive a flood of wrong ones', async () => {
    const { map, loads } = aMap({ a: '1' }, { maxEntries: 10 });
    await map.get('a');

    for (let i = 0; i < 100; i++) await map.get(`wrong-${i}`);
    await map.get('a');

    expect(loads.filter((key) => key === 'a')).toHaveLength(1);
  });

  test('whose first load failed are loaded at the next call', async () => {
    const { map, source } = aMap({ a: '1' });
    source.failure = new Error('down');
    await expect(map.get('a')).rejects.toThrow('down');

    source.failure = undefined;

    expect(await map.get('a')).toBe('1');
  });

  test('have settled when every refresh has ended', async () => {
    const { map, clock, loads } = aMap({ a: '1', b: '2' });
    await Promise.all([map.get('a'), map.get('b')]);
    clock.now += 3000;
    await Promise.all([map.get('a'), map.get('b')]);

    await map.settled();

    expect(loads).toEqual(['a', 'b', 'a', 'b']);
  });
});

function aMap(values: Record<string, string>, options: Partial<CachedMapOptions> = {}) {
  const clock = { now: 0 };
  const loads: string[] = [];
  const errors: unknown[] = [];
  const source: { values: Record<string, string>; failure: Error | undefined } = { values, failure: undefined };
  const load = async (key: string) => {
    loads.push(key);
    if (source.failure) throw source.failure;
    return source.values[key];
  };
  const onError = (error: unknown) => void errors.push(error);
  const map = cachedMap(load, {
    freshForMs: 3000,
    staleForMs: 8000,
    missingForMs: 1000,
    now: () => clock.now,
    onError,
    ...options,
  });
  return { map, source, clock, loads, errors };
}
