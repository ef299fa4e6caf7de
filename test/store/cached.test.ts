import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type CacheOptions, cached } from '../../lambda/store/cached.ts';

describe('a cached value', () => {
  test('is loaded once for all who ask at the same time', async () => {
    const { cache, source } = aCache();

    const values = await Promise.all([cache.get(), cache.get(), cache.get()]);

    expect(values).toEqual([1, 1, 1]);
    expect(source.loads).toBe(1);
  });

  test('is served without another load while it is fresh', async () => {
    const { cache, source, clock } = aCache();
    await cache.get();

    clock.now += 2999;

    expect(await cache.get()).toBe(1);
    expect(source.loads).toBe(1);
  });

  test('is served at once when stale, while one refresh runs behind', async () => {
    const { cache, source, clock } = aCache();
    await cache.get();

    clock.now += 3000;
    const stale = await Promise.all([cache.get(), cache.get()]);
    await cache.settled();

    expect(stale).toEqual([1, 1]);
    expect(source.loads).toBe(2);
    expect(await cache.get()).toBe(2);
  });

  test('can be looked at without waiting, and is read behind when it is not fresh', async () => {
    const { cache, source, clock } = aCache();

    expect(cache.peek()).toBeUndefined();
    await cache.settled();
    expect(cache.peek()).toBe(1);
    expect(source.loads).toBe(1);

    clock.now += 100_000;
    expect(cache.peek()).toBe(1);
    await cache.settled();
    expect(cache.peek()).toBe(2);
  });

  test('is waited for when it is older than stale', async () => {
    const { cache, clock } = aCache();
    await cache.get();

    clock.now += 8000;

    expect(await cache.get()).toBe(2);
  });

  test('is served old when the source does not answer in time', async () => {
    const { cache, source, clock } = aCache({ waitMs: 5 });
    await cache.get();
    source.hang();

    clock.now += 8000;

    expect(await cache.get()).toBe(1);
  });

  test('makes only the first reader wait for a source that hangs', async () => {
    const { cache, source, clock } = aCache({ waitMs: 5 });
    await cache.get();
    source.hang();
    clock.now += 8000;
    await cache.get();

    clock.now += 5;
    const served = await Promise.race([cache.get(), new Promise((resolve) => setImmediate(resolve, 'waited'))]);

    expect(served).toBe(1);
    expect(source.loads).toBe(2);
  });

  test('is served old for ever while the source fails, and every failure is reported', async () => {
    const { cache, source, clock, errors } = aCache();
    await cache.get();
    source.fail('down');

    clock.now += 1_000_000;
    const first = await cache.get();
    clock.now += 1_000_000;
    const second = await cache.get();

    expect([first, second]).toEqual([1, 1]);
    expect(errors).toEqual(['down', 'down']);
  });

  test('is not asked for again right after a failure', async () => {
    const { cache, source, clock } = aCache({ retryAfterMs: 3000 });
    await cache.get();
    source.fail('down');
    clock.now += 8000;
    await cache.get();

    clock.now += 2999;
    await cache.get();
    const during = source.loads;
    clock.now += 1;
    await cache.get();

    expect(during).toBe(2);
    expect(source.loads).toBe(3);
  });

  test('is new again when the source has recovered', async () => {
    const { cache, source, clock } = aCache();
    await cache.get();
    source.fail('down');
    clock.now += 8000;
    await cache.get();

    source.recover();
    clock.now += 3000;

    expect(await cache.get()).toBe(3);
  });

  test('is refused past its greatest age', async () => {
    const { cache, source, clock } = aCache({ maxAgeMs: 60_000 });
    await cache.get();
    source.fail('down');
    clock.now += 59_999;
    const old = await cache.get();

    clock.now += 1;

    expect(old).toBe(1);
    await expect(cache.get()).rejects.toThrow('down');
  });

  test('throws when the first load fails, and loads again at the next call', async () => {
    const { cache, source } = aCache();
    source.fail('down');
    await expect(cache.get()).rejects.toThrow('down');

    source.recover();

    expect(await cache.get()).toBe(2);
  });

  test('is as old as its question: an answer from before a freeze does not count as fresh', async () => {
    const { cache, source, clock } = aCache();
    await cache.get();
    const answer = source.hold();
    clock.now += 3000;
    await cache.get();

    clock.now += 5000;
    answer();
    await cache.settled();

    expect(await cache.get()).toBe(2);
    await cache.settled();
    expect(source.loads).toBe(3);
  });

  test('is loaded anew when a freeze cut the running load off', async () => {
    const { cache, source, clock } = aCache();
    await cache.get();
    source.hang();
    clock.now += 3000;
    await cache.get();

    source.recover();
    clock.now += 60_000;

    expect(await cache.get()).toBe(3);
  });

  test('keeps the newer value when an older load ends last', async () => {
    const { cache, source, clock } = aCache();
    await cache.get();
    const answerLate = source.hold();
    clock.now += 3000;
    await cache.get();
    source.recover();
    clock.now += 60_000;
    await cache.get();

    answerLate();
    await cache.settled();

    expect(await cache.get()).toBe(3);
  });

  test('can hold undefined, and gives it once the source does', async () => {
    let value: string | undefined = 'there';
    const clock = { now: 0 };
    const cache = cached(async () => value, { freshForMs: 1, staleForMs: 1, now: () => clock.now });
    await cache.get();

    value = undefined;
    clock.now += 1;

    expect(await cache.get()).toBeUndefined();
  });
});

describe('a forced refresh', () => {
  test('reads the source even when the value is fresh', async () => {
    const { cache } = aCache();
    await cache.get();

    expect(await cache.refresh()).toBe(2);
  });

  test('happens once for many who force it at the same time', async () => {
    const { cache, source } = aCache();
    await cache.get();

    const values = await Promise.all([cache.refresh(), cache.refresh(), cache.refresh()]);

    expect(values).toEqual([2, 2, 2]);
    expect(source.loads).toBe(2);
  });

  test('happens again only after a while', async () => {
    const { cache, clock } = aCache({ freshForMs: 100_000, staleForMs: 100_000, forcedEveryMs: 10_000 });
    await cache.get();
    await cache.refresh();

    clock.now += 9999;
    const tooSoon = await cache.refresh();
    clock.now += 1;
    const later = await cache.refresh();

    expect([tooSoon, later]).toEqual([2, 3]);
  });

  test('gives the old value when the source fails', async () => {
    const { cache, source, errors } = aCache();
    await cache.get();
    source.fail('down');

    expect(await cache.refresh()).toBe(1);
    expect(errors).toEqual(['down']);
  });

  test('throws when there is no old value', async () => {
    const { cache, source } = aCache();
    source.fail('down');

    await expect(cache.refresh()).rejects.toThrow('down');
  });
});

test('no reader is ever given a value older than stale while the source works', async () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(pauses, async (pausesMs) => {
      const clock = { now: 0 };
      const cache = cached(async () => clock.now, { freshForMs: 3000, staleForMs: 8000, now: () => clock.now });
      for (const pauseMs of pausesMs) {
        clock.now += pauseMs;
        const loadedAt = await cache.get();
        await cache.settled();
        expect(clock.now - loadedAt).toBeLessThan(8000);
      }
    }),
    { numRuns: 100 },
  );
});

/** A cache over a source that counts its loads and can be made to fail, to hang, or to hold its answer back. */
function aCache(options: Partial<CacheOptions> = {}) {
  const clock = { now: 0 };
  const errors: string[] = [];
  let answer = async (load: number) => load;
  const source = {
    loads: 0,
    recover: () => {
      answer = async (load) => load;
    },
    fail: (message: string) => {
      answer = async () => {
        throw new Error(message);
      };
    },
    hang: () => {
      answer = () => new Promise(() => undefined);
    },
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      answer = (load) => promise.then(() => load);
      return resolve;
    },
  };
  const load = () => answer(++source.loads);
  const onError = (error: unknown) => void errors.push((error as Error).message);
  const cache = cached(load, { freshForMs: 3000, staleForMs: 8000, now: () => clock.now, onError, ...options });
  return { cache, source, clock, errors };
}
