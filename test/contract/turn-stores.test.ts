import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fleetTurns } from '../../lambda/gateway/attempts/turns.ts';
import { dynamoTurnStore } from '../../lambda/store/dynamo-turn-store.ts';
import { memoryTurnStore } from '../../lambda/store/memory-turn-store.ts';
import type { TurnStore } from '../../lambda/store/turn-store.ts';
import { createStatsTable, type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../support/embedded-dynamodb.ts';

let dynamoDb: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamoDb = await startEmbeddedDynamoDb();
});
afterAll(() => dynamoDb.stop());

async function dynamoTable(): Promise<TurnStore> {
  const name = `Stats-${randomUUID()}`;
  await createStatsTable(dynamoDb.client, name);
  return dynamoTurnStore(dynamoDb.client, name, Date.now);
}

describe.each([
  { name: 'in memory', newStore: async () => memoryTurnStore() },
  { name: 'in DynamoDB', newStore: dynamoTable },
])('turns $name', ({ newStore }) => {
  test('are counted from 0, each name for itself, and never given twice', async () => {
    const store = await newStore();

    expect(await store.take('a', 3)).toBe(0);
    expect(await store.take('b', 1)).toBe(0);
    const firsts = await Promise.all([store.take('a', 2), store.take('a', 2), store.take('a', 2)]);
    expect(firsts.sort()).toEqual([3, 5, 7]);
  });

  test('are even over a fleet whose gateways take them ahead', async () => {
    const store = await newStore();
    const gateways = Array.from({ length: 10 }, () => fleetTurns({ store, random: () => 0, onError: () => {} }));
    for (const gateway of gateways) {
      gateway.next('keys');
      await gateway.settled();
    }
    const counts = [0, 0, 0];
    for (let i = 0; i < 60; i++) {
      for (const gateway of gateways) {
        counts[gateway.next('keys') % 3]!++;
        await gateway.settled();
      }
    }

    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(30);
    expect(counts.reduce((sum, count) => sum + count)).toBe(600);
  });
});

test('a gateway counts for itself while there is no table, and asks again', async () => {
  const errors: unknown[] = [];
  const store = { take: () => Promise.reject(new Error('down')) };
  const turns = fleetTurns({ store, random: () => 0.5, onError: (error) => void errors.push(error) });
  const taken: number[] = [];
  for (let i = 0; i < 3; i++) {
    taken.push(turns.next('keys'));
    await turns.settled();
  }

  expect(taken).toEqual([500_000, 500_001, 500_002]);
  expect(errors).toHaveLength(3);
});

test('a busy gateway asks less and less often', async () => {
  const sizes: number[] = [];
  const memory = memoryTurnStore();
  const store: TurnStore = {
    take(name, count) {
      sizes.push(count);
      return memory.take(name, count);
    },
  };
  const turns = fleetTurns({ store, random: () => 0, onError: () => {} });
  for (let i = 0; i < 250; i++) {
    turns.next('keys');
    await turns.settled();
  }

  expect(sizes).toEqual([4, 8, 16, 32, 64, 64, 64]);
});
