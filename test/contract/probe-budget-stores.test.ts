import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { dynamoProbeBudgetStore } from '../../lambda/store/dynamo-probe-budget-store.ts';
import { memoryProbeBudgetStore } from '../../lambda/store/memory-probe-budget-store.ts';
import type { ProbeBudgetStore } from '../../lambda/store/probe-budget-store.ts';
import { createStatsTable, type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../support/embedded-dynamodb.ts';

let dynamoDb: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamoDb = await startEmbeddedDynamoDb();
});
afterAll(() => dynamoDb.stop());

async function dynamoTable(): Promise<ProbeBudgetStore> {
  const name = `Stats-${randomUUID()}`;
  await createStatsTable(dynamoDb.client, name);
  return dynamoProbeBudgetStore(dynamoDb.client, name);
}

const noonMs = Date.parse('2026-03-01T12:00:00Z');
const wish = { tokens: 40, dailyTokens: 100, nowMs: noonMs };

describe.each([
  { name: 'in memory', newStore: async () => memoryProbeBudgetStore() },
  { name: 'in DynamoDB', newStore: dynamoTable },
])('budgets of probes $name', ({ newStore }) => {
  test('give what is left of the day and no more, each target for itself', async () => {
    const store = await newStore();

    const given = [
      await store.reserve('a/m', wish),
      await store.reserve('a/m', wish),
      await store.reserve('a/m', wish),
    ];

    expect(given).toEqual([true, true, false]);
    expect(await store.reserve('b/m', wish)).toBe(true);
  });

  test('are never overdrawn by probers that ask at the same time', async () => {
    const store = await newStore();

    const given = await Promise.all(Array.from({ length: 10 }, () => store.reserve('a/m', wish)));

    expect(given.filter(Boolean)).toHaveLength(2);
  });

  test('get back what a probe did not use, and begin anew with the next day', async () => {
    const store = await newStore();
    await store.reserve('a/m', wish);
    await store.settle('a/m', { tokens: -35, nowMs: noonMs });

    expect(await store.reserve('a/m', { ...wish, tokens: 95 })).toBe(true);
    expect(await store.reserve('a/m', { ...wish, tokens: 1 })).toBe(false);
    expect(await store.reserve('a/m', { ...wish, nowMs: noonMs + 86_400_000 })).toBe(true);
  });

  test('of nothing allow nothing', async () => {
    expect(await (await newStore()).reserve('a/m', { ...wish, dailyTokens: 0 })).toBe(false);
  });
});
