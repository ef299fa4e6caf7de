import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type ConfigEvent, publishConfiguration } from '../../lambda/compiler/publish-configuration.ts';
import type { RawItem } from '../../lambda/config/raw-item.ts';
import type { ConfigWriter } from '../../lambda/store/config-store.ts';
import { memoryConfigStore } from '../../lambda/store/memory-config-store.ts';

const at = '2026-01-01T00:00:00.000Z';
const model: RawItem = { kind: 'model', name: 'gpt-4o', targets: ['openai/gpt-4o'] };
const brokenModel: RawItem = { kind: 'model', name: 'broken', targets: ['opnai/x'] };
const brokenKey: RawItem = { kind: 'key', name: 'a1'.repeat(32), rpm: 5 };

describe('an edit', () => {
  test('is published as the next version, with a status and an event', async () => {
    const { store, events, edit } = aTable([model]);

    const status = await edit();

    expect(status).toEqual({ state: 'published', version: 1, at, errors: [] });
    expect(store.status()).toEqual(status);
    expect(events).toEqual([{ type: 'ConfigPublished', version: 1, errors: [] }]);
    expect(await modelsInForce(store)).toEqual(['gpt-4o']);
  });

  test('that is wrong is rejected with the reason, and what was in force stays so', async () => {
    const { store, events, edit } = aTable([model]);
    await edit();
    store.putItem(brokenModel);

    const status = await edit();

    const errors = ['model/broken targets[0]: provider "opnai" is unknown; did you mean "openai"?'];
    expect(status).toEqual({ state: 'rejected', version: 1, at, errors });
    expect(store.status()).toEqual(status);
    expect(events.at(-1)).toEqual({ type: 'ConfigRejected', version: 1, errors });
    expect(await modelsInForce(store)).toEqual(['gpt-4o']);
  });

  test('that mends a rejected one by taking it back publishes nothing, and clears the status', async () => {
    const { store, events, edit } = aTable([model]);
    await edit();
    store.putItem(brokenModel);
    await edit();
    store.deleteItem('model', 'broken');

    const status = await edit();

    expect(status).toMatchObject({ state: 'published', version: 1, errors: [] });
    expect(events.map(({ type }) => type)).toEqual(['ConfigPublished', 'ConfigRejected']);
  });

  test('that changes nothing publishes nothing', async () => {
    const { store, events, edit } = aTable([model]);
    await edit();

    await edit();

    expect((await store.readPointer())?.version).toBe(1);
    expect(events).toHaveLength(1);
  });

  test('that goes back to an older configuration is a new version', async () => {
    const { store, edit } = aTable([model]);
    await edit();
    store.putItem({ ...model, name: 'other' });
    await edit();
    store.deleteItem('model', 'other');

    await edit();

    expect((await store.readPointer())?.version).toBe(3);
    expect(await modelsInForce(store)).toEqual(['gpt-4o']);
  });

  test('of a key that is wrong is reported, and the rest of the edit is published', async () => {
    const { store, events, edit } = aTable([model]);

    const status = await edit([brokenKey, { kind: 'key', name: 'b2'.repeat(32) }]);

    const errors = ['key/a1a1a1a1… rpm: unknown field'];
    expect(status).toEqual({ state: 'rejected', version: 1, at, errors });
    expect(events).toEqual([
      { type: 'ConfigPublished', version: 1, errors: [] },
      { type: 'ConfigRejected', version: 1, errors },
    ]);
    expect(await modelsInForce(store)).toEqual(['gpt-4o']);
  });

  test('with thousands of mistakes shows the first hundred and how many more there are', async () => {
    const models = Array.from({ length: 1000 }, (_, i) => ({ ...brokenModel, name: `model-${i}` }));
    const { edit } = aTable(models);

    const { errors } = await edit();

    expect(errors).toHaveLength(101);
    expect(errors.at(-1)).toBe('and 900 more');
  });

  test('that is too large to be published is rejected with its size', async () => {
    const large = Array.from({ length: 400 }, (_, i) => ({
      kind: 'provider',
      name: `provider-${i}`,
      baseUrl: 'http://localhost',
      headers: { 'x-padding': randomBytes(25_000).toString('base64') },
    }));
    const { store, edit } = aTable(large);

    const status = await edit();

    expect(status).toMatchObject({ state: 'rejected', version: 0 });
    expect(status.errors).toEqual([
      expect.stringMatching(/^configuration: 1\d{7} bytes when compressed; 10000000 are/),
    ]);
    expect(await store.readPointer()).toBeUndefined();
  });
});

describe('when another compiler is faster', () => {
  test('the table is compiled again, on top of the version that won', async () => {
    const { store } = aTable([model]);
    const overtaken = overtake(store, 1);

    const status = await publishConfiguration({ store: overtaken, emit: async () => {}, now: () => 0 }, []);

    expect(status).toMatchObject({ state: 'published', version: 2 });
    expect(await modelsInForce(store)).toEqual(['gpt-4o']);
  });

  test('again and again, the edit fails, so that the stream brings it back', async () => {
    const { store } = aTable([model]);
    const overtaken = overtake(store, Infinity);

    const publishing = publishConfiguration({ store: overtaken, emit: async () => {}, now: () => 0 }, []);

    await expect(publishing).rejects.toThrow('Another compiler was faster 5 times');
  });
});

test('a table that does not answer fails the edit and reports nothing, so that the stream brings it back', async () => {
  const { store, events, edit } = aTable([model]);
  store.listItems = async () => {
    throw new Error('down');
  };

  await expect(edit()).rejects.toThrow('down');

  expect(events).toEqual([]);
  expect(store.status()).toBeUndefined();
});

function aTable(items: RawItem[]) {
  const store = memoryConfigStore(items);
  const events: ConfigEvent[] = [];
  const emit = async (event: ConfigEvent) => void events.push(event);
  const edit = (changedKeys: RawItem[] = []) =>
    publishConfiguration({ store, emit, now: () => Date.parse(at) }, changedKeys);
  return { store, events, edit };
}

/** The same store, where another compiler publishes its own version just before ours, so many times. */
function overtake(store: ConfigWriter, times: number): ConfigWriter {
  let left = times;
  return {
    ...store,
    publish: async (snapshot, expectedVersion) => {
      if (left-- > 0) await store.publish({ ...snapshot, sha256: `other ${left}` }, expectedVersion);
      return store.publish(snapshot, expectedVersion);
    },
  };
}

async function modelsInForce(store: ConfigWriter): Promise<string[]> {
  const pointer = await store.readPointer();
  return pointer ? Object.keys((await store.readSnapshot(pointer)).models) : [];
}
