import { randomBytes, randomUUID } from 'node:crypto';
import { DeleteItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { dynamoIdempotencyStore } from '../../lambda/store/dynamo-idempotency-store.ts';
import type { Claim, IdempotencyStore, KeptAnswer } from '../../lambda/store/idempotency-store.ts';
import { memoryIdempotencyStore } from '../../lambda/store/memory-idempotency-store.ts';
import { createStatsTable, type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../support/embedded-dynamodb.ts';

const startMs = Date.UTC(2026, 10, 25, 12);
const dayMs = 86_400_000;

let dynamoDb: EmbeddedDynamoDb;
let tableName: string;
beforeAll(async () => {
  dynamoDb = await startEmbeddedDynamoDb();
  tableName = `Stats-${randomUUID()}`;
  await createStatsTable(dynamoDb.client, tableName);
});
afterAll(() => dynamoDb.stop());

const implementations: { name: string; newStore: () => IdempotencyStore }[] = [
  { name: 'in memory', newStore: () => memoryIdempotencyStore() },
  { name: 'in DynamoDB', newStore: () => dynamoIdempotencyStore(dynamoDb.client, tableName) },
];

function claimOf(fields: Partial<Claim> = {}): Claim {
  return {
    id: randomUUID(),
    fingerprint: 'f',
    owner: 'one',
    nowMs: startMs,
    leaseUntilMs: startMs + 60_000,
    ...fields,
  };
}

function anAnswer(body: Uint8Array | string = 'hello'): KeptAnswer {
  const headers = { 'content-type': 'application/json', 'x-sluice-provider': 'openai' };
  return { requestId: 'request-1', status: 200, headers, body: Buffer.from(body as string) };
}

describe.each(implementations)('an idempotency store $name', ({ newStore }) => {
  test('lets exactly one of many requests answer', async () => {
    const store = newStore();
    const claim = claimOf();
    const owners = Array.from({ length: 20 }, (_, i) => `owner-${i}`);

    const outcomes = await Promise.all(owners.map((owner) => store.claim({ ...claim, owner })));

    expect(outcomes.filter(({ state }) => state === 'claimed')).toEqual([{ state: 'claimed', again: false }]);
    expect(outcomes.filter(({ state }) => state === 'running')).toHaveLength(19);
  });

  test('knows a claim again whose answer was lost on the way', async () => {
    const store = newStore();
    const claim = claimOf();
    await store.claim(claim);

    expect(await store.claim(claim)).toEqual({ state: 'claimed', again: false });
    await store.finish(claim, anAnswer(), startMs);
    expect(await store.claim({ ...claim, owner: 'two' })).toMatchObject({ state: 'answered' });
  });

  test('gives back the answer that was kept, to whoever asks', async () => {
    const store = newStore();
    const claim = claimOf();
    await store.claim(claim);
    await store.finish(claim, anAnswer('zwölf ☃'), startMs + 5_000);

    const outcome = await store.claim({ ...claim, owner: 'two', fingerprint: 'other', nowMs: startMs + dayMs });

    expect(outcome).toEqual({
      state: 'answered',
      fingerprint: 'f',
      answer: { ...anAnswer(), body: expect.anything() },
    });
    expect(outcome.state === 'answered' && Buffer.from(outcome.answer.body).toString()).toBe('zwölf ☃');
  });

  test.each([0, 1, 349_999, 700_001, 2_000_000])(
    'keeps a body of %d bytes that cannot be compressed',
    async (length) => {
      const store = newStore();
      const claim = claimOf();
      const body = randomBytes(length);
      await store.claim(claim);
      await store.finish(claim, anAnswer(body), startMs);

      const outcome = await store.claim({ ...claim, owner: 'two' });

      expect(outcome.state === 'answered' && Buffer.compare(outcome.answer.body, body)).toBe(0);
    },
  );

  test('forgets an answer after a day', async () => {
    const store = newStore();
    const claim = claimOf();
    await store.claim(claim);
    await store.finish(claim, anAnswer(), startMs);

    const later = { ...claim, owner: 'two', nowMs: startMs + dayMs + 1_000 };

    expect(await store.claim(later)).toEqual({ state: 'claimed', again: false });
  });

  test('gives the claim of a process that died to the next one when its lease is over', async () => {
    const store = newStore();
    const claim = claimOf();
    await store.claim(claim);

    const early = await store.claim({ ...claim, owner: 'two', nowMs: claim.leaseUntilMs - 1 });
    const late = await store.claim({ ...claim, owner: 'two', nowMs: claim.leaseUntilMs });

    expect([early.state, late.state]).toEqual(['running', 'claimed']);
  });

  test('holds a claim for as long as it is renewed', async () => {
    const store = newStore();
    const claim = claimOf();
    await store.claim(claim);
    await store.renew(claim, claim.leaseUntilMs + 60_000);

    expect(await store.claim({ ...claim, owner: 'two', nowMs: claim.leaseUntilMs })).toMatchObject({
      state: 'running',
    });
  });

  test('takes nothing from an owner who lost the claim', async () => {
    const store = newStore();
    const claim = claimOf();
    await store.claim(claim);
    const second = { ...claim, owner: 'two', nowMs: claim.leaseUntilMs, leaseUntilMs: claim.leaseUntilMs + 60_000 };
    await store.claim(second);

    await store.finish(claim, anAnswer('late'), second.nowMs);
    await store.release(claim);
    await store.renew(claim, startMs);

    expect(await store.claim({ ...second, owner: 'three' })).toMatchObject({ state: 'running' });
    await store.finish(second, anAnswer('right'), second.nowMs);
    const outcome = await store.claim({ ...second, owner: 'three' });
    expect(outcome.state === 'answered' && Buffer.from(outcome.answer.body).toString()).toBe('right');
  });

  test('lets go of a key whose request failed', async () => {
    const store = newStore();
    const claim = claimOf();
    await store.claim(claim);
    await store.release(claim);

    expect(await store.claim({ ...claim, owner: 'two', fingerprint: 'other' })).toEqual({
      state: 'claimed',
      again: false,
    });
  });

  test('does not let go of an answer', async () => {
    const store = newStore();
    const claim = claimOf();
    await store.claim(claim);
    await store.finish(claim, anAnswer(), startMs);
    await store.release(claim);

    expect(await store.claim({ ...claim, owner: 'two' })).toMatchObject({ state: 'answered' });
  });

  test('remembers of an answer that was not kept what was asked, and lets it be asked again', async () => {
    const store = newStore();
    const claim = claimOf();
    await store.claim(claim);
    await store.finish(claim, undefined, startMs);

    const other = await store.claim({ ...claim, owner: 'two', fingerprint: 'other' });
    const same = await store.claim({ ...claim, owner: 'three' });

    expect(other).toEqual({ state: 'unkept', fingerprint: 'f' });
    expect(same).toEqual({ state: 'claimed', again: true });
    expect(await store.claim({ ...claim, owner: 'four' })).toMatchObject({ state: 'running' });
  });
});

describe('an idempotency store in memory', () => {
  test('drops the oldest answers when it holds too much', async () => {
    const store = memoryIdempotencyStore(1_000);
    const claims = [claimOf(), claimOf(), claimOf()];
    for (const claim of claims) {
      await store.claim(claim);
      await store.finish(claim, anAnswer(randomBytes(400)), startMs);
    }

    const outcomes = await Promise.all(claims.map((claim) => store.claim({ ...claim, owner: 'two' })));

    expect(outcomes.map(({ state }) => state)).toEqual(['claimed', 'answered', 'answered']);
  });
});

describe('an idempotency store in DynamoDB', () => {
  test('compresses what it keeps, and says of every item when it ends', async () => {
    const store = dynamoIdempotencyStore(dynamoDb.client, tableName);
    const claim = claimOf();
    await store.claim(claim);
    await store.finish(claim, anAnswer('data: {"choices":[{"delta":{"content":"a"}}]}\n\n'.repeat(20_000)), startMs);

    const { Items = [] } = await dynamoDb.client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: 'kind = :kind',
        ExpressionAttributeValues: { ':kind': { S: `idempotency#${claim.id}` } },
      }),
    );

    expect(Items.map(({ name }) => name?.S)).toEqual(['answer']);
    expect(Items[0]?.['expiresAt']).toEqual({ N: String((startMs + dayMs) / 1000) });
  });

  test('fails on an answer of which a piece is missing, instead of replaying a part', async () => {
    const store = dynamoIdempotencyStore(dynamoDb.client, tableName);
    const claim = claimOf({ owner: 'one' });
    await store.claim(claim);
    await store.finish(claim, anAnswer(randomBytes(800_000)), startMs);
    await dynamoDb.client.send(
      new DeleteItemCommand({
        TableName: tableName,
        Key: { kind: { S: `idempotency#${claim.id}` }, name: { S: 'chunk#one#01' } },
      }),
    );

    await expect(store.claim({ ...claim, owner: 'two' })).rejects.toThrow('A kept answer is incomplete');
  });
});
