import { randomBytes, randomUUID } from 'node:crypto';
import { DeleteItemCommand, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RawItem } from '../../lambda/config/raw-item.ts';
import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import type { ConfigStatus, ConfigWriter } from '../../lambda/store/config-store.ts';
import { dynamoConfigWriter } from '../../lambda/store/dynamo-config-writer.ts';
import { itemKey } from '../../lambda/store/dynamo-item.ts';
import { memoryConfigStore } from '../../lambda/store/memory-config-store.ts';
import { encodedBytes, encodeSnapshot } from '../../lambda/store/snapshot-encoding.ts';
import { createConfigTable, type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../support/embedded-dynamodb.ts';
import { aModel, aSnapshot } from '../support/snapshots.ts';

type Table = {
  store: ConfigWriter;
  put(item: RawItem): Promise<void>;
  status(): Promise<ConfigStatus | undefined>;
};

const implementations: { name: string; newTable: () => Promise<Table> }[] = [
  { name: 'in memory', newTable: memoryTable },
  { name: 'in DynamoDB', newTable: dynamoTable },
];

let dynamoDb: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamoDb = await startEmbeddedDynamoDb();
});
afterAll(() => dynamoDb.stop());

describe.each(implementations)('a config store $name', ({ newTable }) => {
  test('has no pointer before the first publication', async () => {
    const { store } = await newTable();

    expect(await store.readPointer()).toBeUndefined();
  });

  test('gives back the snapshot that was published', async () => {
    const { store } = await newTable();
    const snapshot = aSnapshot({ settings: { defaultModel: 'gpt-4o' } });

    const published = await store.publish(encodeSnapshot(snapshot), 0);

    expect(published).toBe(true);
    expect(await store.readPointer()).toMatchObject({ version: 1, publishedAt: snapshot.compiledAt });
    expect(await readInForce(store)).toEqual(snapshot);
  });

  test('publishes nothing when another version is in force than was expected', async () => {
    const { store } = await newTable();
    const winner = aSnapshot({ version: 1 });
    await store.publish(encodeSnapshot(winner), 0);

    const first = await store.publish(encodeSnapshot(aSnapshot({ version: 1, models: {} })), 0);
    const later = await store.publish(encodeSnapshot(aSnapshot({ version: 8, models: {} })), 7);

    expect([first, later]).toEqual([false, false]);
    expect(await readInForce(store)).toEqual(winner);
  });

  test('lets exactly one of many compilers publish a version', async () => {
    const { store } = await newTable();
    const snapshots = ['openai', 'groq', 'xai', 'mistral'].map((provider) =>
      aSnapshot({ models: { 'gpt-4o': aModel(provider) } }),
    );

    const published = await Promise.all(snapshots.map((snapshot) => store.publish(encodeSnapshot(snapshot), 0)));

    expect(published.filter(Boolean)).toHaveLength(1);
    expect(await readInForce(store)).toEqual(snapshots[published.indexOf(true)]);
  });

  test('keeps a snapshot that is larger than an item', async () => {
    const { store } = await newTable();
    const snapshot = largeSnapshot(1_000_000);
    const encoded = encodeSnapshot(snapshot);

    await store.publish(encoded, 0);

    expect(encodedBytes(encoded)).toBeGreaterThan(800_000);
    expect((await store.readPointer())?.chunks).toBeGreaterThan(2);
    expect(await readInForce(store)).toEqual(snapshot);
  });

  test('says so when the snapshot of a pointer is not what the pointer says', async () => {
    const { store } = await newTable();
    await store.publish(encodeSnapshot(aSnapshot()), 0);
    const pointer = (await store.readPointer())!;

    await expect(store.readSnapshot({ ...pointer, version: 7 })).rejects.toThrow('Snapshot 7');
  });

  test('keeps the last 20 versions', async () => {
    const { store } = await newTable();
    const pointers = [];
    for (let version = 1; version <= 22; version++) {
      await store.publish(
        encodeSnapshot(aSnapshot({ version, settings: { defaultModel: `m${version}` } })),
        version - 1,
      );
      pointers.push((await store.readPointer())!);
    }

    const readable = await Promise.all(
      pointers.map((pointer) => store.readSnapshot(pointer).then(Boolean, () => false)),
    );

    expect(readable).toEqual([false, false, ...Array(20).fill(true)]);
  });

  test('lists what people configured, without the keys', async () => {
    const { store, put } = await newTable();
    await put({ kind: 'model', name: 'gpt-4o', targets: ['openai/gpt-4o', { target: 'groq/x', weight: 2 }] });
    await put({ kind: 'provider', name: 'mine', baseUrl: 'http://localhost:1' });
    await put({ kind: 'settings', name: 'default', timeouts: { totalMs: 1000 } });
    await put({ kind: 'key', name: 'a'.repeat(64) });
    await store.publish(encodeSnapshot(aSnapshot()), 0);

    const items = await store.listItems();

    expect(items.sort((a, b) => (a.kind < b.kind ? -1 : 1))).toEqual([
      { kind: 'model', name: 'gpt-4o', targets: ['openai/gpt-4o', { target: 'groq/x', weight: 2 }] },
      { kind: 'provider', name: 'mine', baseUrl: 'http://localhost:1' },
      { kind: 'settings', name: 'default', timeouts: { totalMs: 1000 } },
    ]);
  });

  test('finds a key by its hash, and nothing under another', async () => {
    const { store, put } = await newTable();
    const key = { kind: 'key', name: 'a'.repeat(64), label: 'checkout', models: new Set(['gpt-*']) };
    await put(key);

    expect(await store.readKey('a'.repeat(64))).toEqual(key);
    expect(await store.readKey('b'.repeat(64))).toBeUndefined();
  });

  test('shows the last status written', async () => {
    const { store, status } = await newTable();
    const rejected: ConfigStatus = {
      state: 'rejected',
      version: 3,
      at: '2026-01-01T00:00:00.000Z',
      errors: ['model/x: …'],
    };
    await store.writeStatus({ ...rejected, state: 'published', errors: [] });

    await store.writeStatus(rejected);

    expect(await status()).toEqual(rejected);
  });
});

describe('a config store in DynamoDB', () => {
  test('reads a list that is longer than one page', async () => {
    const { store, put } = await dynamoTable();
    const headers = { 'x-padding': 'x'.repeat(300_000) };
    const names = Array.from({ length: 8 }, (_, i) => `provider-${i}`);
    await Promise.all(names.map((name) => put({ kind: 'provider', name, headers })));

    const items = await store.listItems();

    expect(items.map(({ name }) => name).sort()).toEqual(names);
  });

  test('reads an item with a number that JavaScript would round, as text', async () => {
    const { store, tableName } = await dynamoTable();
    const item = { ...itemKey('model', 'odd'), weight: { N: '12345678901234567890123' }, ratio: { N: '0.25' } };
    await dynamoDb.client.send(new PutItemCommand({ TableName: tableName, Item: item }));

    expect(await store.listItems()).toEqual([
      { kind: 'model', name: 'odd', weight: '12345678901234567890123', ratio: 0.25 },
    ]);
  });

  test('takes a publication whose answer was lost for a success, and keeps its chunks', async () => {
    const { store } = await dynamoTable();
    const encoded = encodeSnapshot(aSnapshot());
    await store.publish(encoded, 0);

    const again = await store.publish(encoded, 0);

    expect(again).toBe(true);
    expect(await readInForce(store)).toEqual(aSnapshot());
  });

  test('leaves nothing behind of a race it lost', async () => {
    const { store, tableName } = await dynamoTable();
    await store.publish(encodeSnapshot(aSnapshot()), 0);

    await store.publish(encodeSnapshot(aSnapshot({ models: {} })), 0);

    expect(await chunkNames(tableName)).toHaveLength(1);
  });

  test('refuses a snapshot whose chunk was changed', async () => {
    const { store, tableName } = await dynamoTable();
    await store.publish(encodeSnapshot(aSnapshot()), 0);
    const [name] = await chunkNames(tableName);
    const [data] = encodeSnapshot(aSnapshot({ models: {} })).chunks;
    const tampered = { ...itemKey('snapshot', name!), data: { B: data! } };
    await dynamoDb.client.send(new PutItemCommand({ TableName: tableName, Item: tampered }));

    await expect(readInForce(store)).rejects.toThrow('Snapshot 1 is damaged');
  });

  test('names the chunk that is missing', async () => {
    const { store, tableName } = await dynamoTable();
    await store.publish(encodeSnapshot(aSnapshot()), 0);
    const [name] = await chunkNames(tableName);
    await dynamoDb.client.send(new DeleteItemCommand({ TableName: tableName, Key: itemKey('snapshot', name!) }));

    await expect(readInForce(store)).rejects.toThrow(`snapshot/${name} is missing`);
  });

  test('removes old versions from the table', async () => {
    const { store, tableName } = await dynamoTable();

    for (let version = 1; version <= 23; version++) {
      await store.publish(encodeSnapshot(aSnapshot({ version })), version - 1);
    }

    const names = await chunkNames(tableName);
    expect(names).toHaveLength(20);
    expect(names[0]).toMatch(/^00000004#[0-9a-f]{8}#00$/);
  });
});

async function readInForce(store: ConfigWriter): Promise<Snapshot> {
  return store.readSnapshot((await store.readPointer())!);
}

/** Random names do not compress. */
function largeSnapshot(bytes: number): Snapshot {
  const names = Array.from({ length: bytes / 100 }, () => randomBytes(100).toString('base64url'));
  return aSnapshot({ models: recordByName(names.map((name) => [name, aModel('openai')])) });
}

async function memoryTable(): Promise<Table> {
  const store = memoryConfigStore();
  return { store, put: async (item) => store.putItem(item), status: async () => store.status() };
}

async function dynamoTable(): Promise<Table & { tableName: string }> {
  const tableName = `Config-${randomUUID()}`;
  const { client } = dynamoDb;
  await createConfigTable(client, tableName);
  return {
    tableName,
    store: dynamoConfigWriter(client, tableName),
    async put(item) {
      await client.send(new PutItemCommand({ TableName: tableName, Item: marshall(item) }));
    },
    async status() {
      const command = new GetItemCommand({ TableName: tableName, Key: itemKey('status', 'config') });
      const { Item } = await client.send(command);
      if (!Item) return undefined;
      const { kind: _, name: __, ...status } = unmarshall(Item);
      return status as ConfigStatus;
    },
  };
}

async function chunkNames(tableName: string): Promise<string[]> {
  const command = new QueryCommand({
    TableName: tableName,
    KeyConditionExpression: 'kind = :kind',
    ExpressionAttributeValues: { ':kind': { S: 'snapshot' } },
  });
  const { Items = [] } = await dynamoDb.client.send(command);
  return Items.map(({ name }) => name?.S ?? '');
}
