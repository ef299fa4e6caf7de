import { randomUUID } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Breaker, type Breakers, openedBreaker } from '../../lambda/routing/breaker.ts';
import type { BreakerStore } from '../../lambda/store/breaker-store.ts';
import { dynamoBreakerStore } from '../../lambda/store/dynamo-breaker-store.ts';
import { dynamoStatsStore } from '../../lambda/store/dynamo-stats-store.ts';
import { memoryBreakerStore } from '../../lambda/store/memory-breaker-store.ts';
import { createStatsTable, type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../support/embedded-dynamodb.ts';

type Table = { store: BreakerStore; polled(): Promise<Breakers> };

const nowMs = Date.parse('2026-01-01T00:00:30Z');
const target = 'openai/gpt-4o';

let dynamoDb: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamoDb = await startEmbeddedDynamoDb();
});
afterAll(() => dynamoDb.stop());

async function memoryTable(): Promise<Table> {
  const breakers = new Map<string, Breaker>();
  return { store: memoryBreakerStore(breakers), polled: async () => Object.fromEntries(breakers) };
}

async function dynamoTable(): Promise<Table> {
  const name = `Stats-${randomUUID()}`;
  await createStatsTable(dynamoDb.client, name);
  const polled = async () => (await dynamoStatsStore(dynamoDb.client, name).readLive()).breakers;
  return { store: dynamoBreakerStore(dynamoDb.client, name), polled };
}

function writing(): { writer: string } {
  return { writer: randomUUID() };
}

function opened(atMs = nowMs, retryAfterMs?: number): Breaker {
  return openedBreaker(undefined, { reason: 'overloaded', nowMs: atMs, retryAfterMs });
}

describe.each([
  { name: 'in memory', newTable: memoryTable },
  { name: 'in DynamoDB', newTable: dynamoTable },
])('breakers $name', ({ newTable }) => {
  test('are seen by whoever polls, until they are closed', async () => {
    const { store, polled } = await newTable();

    const result = await store.open(target, opened(), { ...writing(), nowMs });

    expect(result).toEqual({ mine: true, inForce: opened() });
    expect(await polled()).toEqual({ [target]: opened() });
    expect(await store.close(target, nowMs + 1)).toBe(true);
    expect(await polled()).toEqual({});
    expect(await store.close(target, nowMs + 1)).toBe(false);
  });

  test('stay as they are while they are open, for who opens one finds it open', async () => {
    const { store } = await newTable();
    await store.open(target, opened(), { ...writing(), nowMs });

    const again = await store.open(target, opened(nowMs + 3_000), { ...writing(), nowMs: nowMs + 3_000 });

    expect(again).toEqual({ mine: false, inForce: opened() });
  });

  test('are opened for longer when a vendor asks for it, and never for shorter', async () => {
    const { store } = await newTable();
    await store.open(target, opened(), { ...writing(), nowMs });

    const shorter = await store.open(target, opened(nowMs, 2_000), { ...writing(), nowMs, asked: true });
    const longer = await store.open(target, opened(nowMs, 30_000), { ...writing(), nowMs, asked: true });

    expect(shorter).toEqual({ mine: false, inForce: opened() });
    expect(longer).toEqual({ mine: true, inForce: opened(nowMs, 30_000) });
  });

  test('can be opened again when their time is over', async () => {
    const { store } = await newTable();
    await store.open(target, opened(), { ...writing(), nowMs });
    const laterMs = nowMs + 5_000;

    expect(await store.open(target, opened(laterMs), { ...writing(), nowMs: laterMs })).toMatchObject({ mine: true });
  });

  test('are leased to exactly one of all who ask at once', async () => {
    const { store } = await newTable();
    await store.open(target, opened(), { ...writing(), nowMs });
    const atMs = nowMs + 5_000;

    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        store.lease(target, opened(), { holder: `${index}`, nowMs: atMs, untilMs: atMs + 10_000 }),
      ),
    );

    expect(asked.filter(({ mine }) => mine)).toHaveLength(1);
    for (const { inForce } of asked) expect(inForce?.leasedUntilMs).toBe(atMs + 10_000);
  });

  test('are leased again when the holder has not come back, and not to one who knows an older opening', async () => {
    const { store } = await newTable();
    await store.open(target, opened(), { ...writing(), nowMs });
    const atMs = nowMs + 5_000;
    await store.lease(target, opened(), { holder: 'a', nowMs: atMs, untilMs: atMs + 10_000 });

    const wish = (holder: string, ms: number) => ({ holder, nowMs: ms, untilMs: ms + 10_000 });
    expect(await store.lease(target, opened(), wish('b', atMs + 9_999))).toMatchObject({ mine: false });
    expect(await store.lease(target, opened(nowMs - 1), wish('b', atMs + 10_000))).toMatchObject({ mine: false });
    expect(await store.lease(target, opened(), wish('b', atMs + 10_000))).toMatchObject({ mine: true });
  });

  test('can be opened again during a lease by its holder alone', async () => {
    const { store } = await newTable();
    await store.open(target, opened(), { ...writing(), nowMs });
    const atMs = nowMs + 5_000;
    const wish = { holder: 'a', nowMs: atMs, untilMs: atMs + 10_000 };
    await store.lease(target, opened(), wish);

    const others = await store.open(target, opened(atMs), { ...writing(), nowMs: atMs });
    const holders = await store.open(target, opened(atMs), { ...writing(), nowMs: atMs, holder: 'a' });

    expect([others.mine, holders.mine]).toEqual([false, true]);
    expect(holders.inForce).not.toHaveProperty('leasedUntilMs');
  });

  test('are leased anew as soon as their holder has given the lease back', async () => {
    const { store, polled } = await newTable();
    await store.open(target, opened(), { ...writing(), nowMs });
    const atMs = nowMs + 5_000;
    const wish = (holder: string) => ({ holder, nowMs: atMs, untilMs: atMs + 10_000 });
    await store.lease(target, opened(), wish('a'));

    expect(await store.release(target, 'a')).toBe(true);
    expect(await polled()).toEqual({ [target]: opened() });
    expect(await store.lease(target, opened(), wish('b'))).toMatchObject({ mine: true });
  });

  test('keep the lease of another holder, whoever comes late with one that has passed on or led to something', async () => {
    const { store, polled } = await newTable();
    await store.open(target, opened(), { ...writing(), nowMs });
    const atMs = nowMs + 5_000;
    await store.lease(target, opened(), { holder: 'a', nowMs: atMs, untilMs: atMs + 1_000 });
    await store.lease(target, opened(), { holder: 'b', nowMs: atMs + 1_000, untilMs: atMs + 9_000 });

    expect(await store.release(target, 'a')).toBe(false);
    expect(await polled()).toEqual({ [target]: { ...opened(), leasedUntilMs: atMs + 9_000 } });

    await store.open(target, opened(atMs + 2_000), { ...writing(), nowMs: atMs + 2_000, holder: 'b' });
    expect(await store.release(target, 'b')).toBe(false);
    expect(await polled()).toEqual({ [target]: opened(atMs + 2_000) });
    await store.close(target, atMs + 3_000);
    expect(await store.release(target, 'b')).toBe(false);
    expect(await polled()).toEqual({});
  });

  test('cannot be leased once they are closed', async () => {
    const { store } = await newTable();
    const wish = { holder: 'a', nowMs, untilMs: nowMs + 1 };

    expect(await store.lease(target, opened(), wish)).toEqual({ mine: false, inForce: undefined });
  });

  test('are closed only by an attempt that began after the opening', async () => {
    const { store, polled } = await newTable();
    await store.open(target, opened(), { ...writing(), nowMs });

    expect(await store.close(target, nowMs)).toBe(false);
    expect(await polled()).toHaveProperty([target]);
  });

  test('are founded on what all have reported of the same minute', async () => {
    const { store } = await newTable();
    const slice = (startMs: number, failures: number, attempts: number) => ({ startMs, failures, attempts });

    expect(await store.report(target, slice(nowMs, 1, 3))).toEqual([slice(nowMs, 1, 3)]);
    await store.report('other/model', slice(nowMs, 9, 9));
    await store.report(target, slice(nowMs + 10_000, 2, 2));
    expect(await store.report(target, slice(nowMs, 1, 1))).toEqual([slice(nowMs, 2, 4), slice(nowMs + 10_000, 2, 2)]);
    expect(await store.report(target, slice(nowMs + 60_000, 1, 1))).toEqual([slice(nowMs + 60_000, 1, 1)]);
  });
});

test('in memory those that are forgotten make room, and so do the oldest of too many', async () => {
  const { store, polled } = await memoryTable();
  await store.open(target, opened(), { ...writing(), nowMs });
  const laterMs = nowMs + 5_000 + 600_001;
  await store.open('other/model', opened(laterMs), { ...writing(), nowMs: laterMs });
  expect(Object.keys(await polled())).toEqual(['other/model']);

  for (let i = 0; i < 1_500; i++) await store.open(`other/${i}`, opened(laterMs), { ...writing(), nowMs: laterMs });
  expect(Object.keys(await polled())).toHaveLength(1_000);
  expect(await polled()).toHaveProperty(['other/1499']);
});

test('an item in the table that is no breaker is none', async () => {
  const name = `Stats-${randomUUID()}`;
  await createStatsTable(dynamoDb.client, name);
  const odd = { kind: 'live', name: `breaker#${target}`, openUntilMs: 'soon' };
  await dynamoDb.client.send(new PutItemCommand({ TableName: name, Item: marshall(odd) }));

  expect((await dynamoStatsStore(dynamoDb.client, name).readLive()).breakers).toEqual({});
});
