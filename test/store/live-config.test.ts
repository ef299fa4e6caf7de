import { describe, expect, test } from '@jest/globals';
import { emptySnapshot } from '../../lambda/config/snapshot.ts';
import { liveSnapshot } from '../../lambda/store/live-config.ts';
import { memoryConfigStore } from '../../lambda/store/memory-config-store.ts';
import { encodeSnapshot } from '../../lambda/store/snapshot-encoding.ts';
import { aSnapshot } from '../support/snapshots.ts';

describe('the live snapshot', () => {
  test('is empty while nothing was published', async () => {
    const { live } = aLiveSnapshot();

    expect(await live.current()).toBe(emptySnapshot);
  });

  test('downloads a version once, however often it polls', async () => {
    const { live, store, clock, downloads } = aLiveSnapshot();
    await store.publish(encodeSnapshot(aSnapshot()), 0);
    const first = await live.current();

    for (let i = 0; i < 5; i++) {
      clock.now += 8000;
      await live.current();
    }

    expect(downloads).toEqual([1]);
    expect(await live.current()).toBe(first);
  });

  test('polls no more often than every three seconds', async () => {
    const { live, clock, polls } = aLiveSnapshot();

    for (let i = 0; i < 300; i++) {
      clock.now += 100;
      await live.current();
      await live.settled();
    }

    expect(polls.length).toBeLessThanOrEqual(10);
  });

  test('is the new version eight seconds after it was published, even when nobody asked in between', async () => {
    const { live, store, clock } = aLiveSnapshot();
    await live.current();
    await store.publish(encodeSnapshot(aSnapshot()), 0);

    clock.now += 8000;

    expect((await live.current()).version).toBe(1);
  });

  test('stays the old version when a new one cannot be read, and moves on to the next that can', async () => {
    const { live, store, clock, errors } = aLiveSnapshot();
    await store.publish(encodeSnapshot(aSnapshot()), 0);
    await live.current();
    const broken = encodeSnapshot(aSnapshot({ version: 2, models: {} }));
    await store.publish({ ...broken, sha256: 'other' }, 1);

    clock.now += 8000;
    const during = await live.current();
    await store.publish(encodeSnapshot(aSnapshot({ version: 3, settings: { defaultModel: 'gpt-4o' } })), 2);
    clock.now += 8000;
    const after = await live.current();

    expect([during.version, after.version]).toEqual([1, 3]);
    expect(errors).toHaveLength(1);
  });
});

/** A live snapshot over a store in memory, with a record of what it asked the store for. */
function aLiveSnapshot() {
  const clock = { now: 0 };
  const store = memoryConfigStore();
  const polls: number[] = [];
  const downloads: number[] = [];
  const errors: unknown[] = [];
  const reader = {
    readPointer: async () => {
      polls.push(clock.now);
      return store.readPointer();
    },
    readSnapshot: async (pointer: Parameters<typeof store.readSnapshot>[0]) => {
      downloads.push(pointer.version);
      return store.readSnapshot(pointer);
    },
  };
  const live = liveSnapshot(reader, { now: () => clock.now, onError: (error) => void errors.push(error) });
  return { live, store, clock, polls, downloads, errors };
}
