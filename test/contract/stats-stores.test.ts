import { randomUUID } from 'node:crypto';
import { GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Breaker } from '../../lambda/routing/breaker.ts';
import { foldScores, mostTargets } from '../../lambda/routing/fold-scores.ts';
import { type Knowledge, noKnowledge } from '../../lambda/routing/knowledge.ts';
import { emptyLiveStats } from '../../lambda/routing/live-stats.ts';
import { itemKey } from '../../lambda/store/dynamo-item.ts';
import { dynamoStatsStore } from '../../lambda/store/dynamo-stats-store.ts';
import { memoryStatsStore } from '../../lambda/store/memory-stats-store.ts';
import type { StatsStore } from '../../lambda/store/stats-store.ts';
import { breakerName, liveKind, samplesKind, scoresName } from '../../lambda/store/table-schema.ts';
import { createStatsTable, type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../support/embedded-dynamodb.ts';
import { aSample, folded, slicesOf } from '../support/samples.ts';

type Table = { store: StatsStore; open(target: string, breaker: Breaker): Promise<void> };

const implementations: { name: string; newTable: () => Promise<Table> }[] = [
  { name: 'in memory', newTable: memoryTable },
  { name: 'in DynamoDB', newTable: dynamoTable },
];

const nowMs = 1_800_000_000_000;
const target = 'openai/gpt-4o';

let dynamoDb: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamoDb = await startEmbeddedDynamoDb();
});
afterAll(() => dynamoDb.stop());

describe.each(implementations)('a stats store $name', ({ newTable }) => {
  test('knows nothing at first', async () => {
    const { store } = await newTable();

    expect(await store.readLive()).toEqual(emptyLiveStats);
    expect(await store.readKnowledge()).toEqual(noKnowledge);
    expect(await store.readSamples(nowMs, nowMs + 60_000)).toEqual([]);
  });

  test('gives back what many gateways have written, once their two seconds are over', async () => {
    const { store } = await newTable();
    const slices = slicesOf(aSample({ atMs: nowMs }));
    const writers = Array.from({ length: 20 }, (_, index) => `writer-${index}`);

    await Promise.all(writers.map((name) => store.writeSamples({ name, atMs: nowMs + 3_000, slices })));

    expect(await store.readSamples(nowMs, nowMs + 4_999)).toEqual([]);
    expect(await store.readSamples(nowMs, nowMs + 5_000)).toHaveLength(20);
    expect((await store.readSamples(nowMs, nowMs + 5_000))[0]).toEqual(slices[0]);
  });

  test('gives every sample to one fold and to no other', async () => {
    const { store } = await newTable();
    const steps = Array.from({ length: 60 }, (_, index) => nowMs + index * 1_000);
    for (const atMs of steps) await store.writeSamples({ name: `${atMs}`, atMs, slices: slicesOf(aSample({ atMs })) });

    const folds = [nowMs, nowMs + 17_000, nowMs + 17_001, nowMs + 44_000, nowMs + 73_000];
    const read = await Promise.all(folds.slice(1).map((until, index) => store.readSamples(folds[index]!, until)));

    expect(read.flat()).toHaveLength(steps.length);
  });

  test('takes a batch that was written twice for one', async () => {
    const { store } = await newTable();
    const batch = { name: 'writer-1', atMs: nowMs, slices: slicesOf(aSample({ atMs: nowMs })) };

    await store.writeSamples(batch);
    await store.writeSamples(batch);

    expect(await store.readSamples(nowMs, nowMs + 20_000)).toHaveLength(1);
  });

  test('leaves out what is older than five minutes when nobody has folded', async () => {
    const { store } = await newTable();
    await store.writeSamples({ name: 'old', atMs: nowMs, slices: slicesOf(aSample({ atMs: nowMs })) });
    await store.writeSamples({ name: 'new', atMs: nowMs + 300_000, slices: slicesOf(aSample({ atMs: nowMs + 1 })) });

    expect(await store.readSamples(0, nowMs + 320_000)).toHaveLength(1);
  });

  test('gives the fold to one of fifty, and to another one after the lease', async () => {
    const { store } = await newTable();

    const first = await Promise.all(Array.from({ length: 50 }, () => store.takeFoldLease(nowMs, nowMs + 8_000)));
    const early = await store.takeFoldLease(nowMs + 8_000, nowMs + 16_000);
    const later = await Promise.all(
      Array.from({ length: 50 }, () => store.takeFoldLease(nowMs + 8_001, nowMs + 16_000)),
    );

    expect([first, later].map((taken) => taken.filter(Boolean).length)).toEqual([1, 1]);
    expect(early).toBe(false);
  });

  test('shows the scores of the knowledge that was written', async () => {
    const { store } = await newTable();
    const knowledge = someKnowledge();

    expect(await store.writeKnowledge(folded(knowledge), 0)).toBe(true);

    expect(await store.readKnowledge()).toEqual(knowledge);
    const { scores } = await store.readLive();
    expect(scores.foldedAtMs).toBe(nowMs);
    expect(scores.targets[target]).toMatchObject({
      updatedAtMs: nowMs,
      attemptsPerSecond: 0.4,
      retryShare: 0.25,
      outcomes: { attempts: 4, failures: 1, timeouts: 0, rateLimited: 1 },
      probe: { atMs: nowMs, streams: true, echoesModel: false },
    });
    expect(scores.targets[target]!.streamed.small!.p95Ms).toBeCloseTo(404, 0);
    expect(scores.targets[target]!.streamed.small!.samples).toBe(1);
    expect(scores.targets[target]!.buffered.large!.meanOutputTokens).toBe(90);
    expect(scores.targets[target]!.outputTokensPerSecond!.p50).toBeCloseTo(50, -1);
  });

  test('shows what was rare before a doubt', async () => {
    const { store } = await newTable();
    const many = Array.from({ length: 40 }, (_, index) => aSample({ atMs: nowMs, waitMs: 300 + 10 * index }));
    const known = foldScores(noKnowledge, slicesOf(...many), nowMs);
    const doubted = foldScores(known, slicesOf(...[1, 2, 3].map(() => aSample({ atMs: nowMs, waitMs: 9_000 }))), nowMs);

    await store.writeKnowledge(folded(doubted), 0);

    expect(await store.readKnowledge()).toEqual(doubted);
    const { small } = (await store.readLive()).scores.targets[target]!.streamed;
    expect(small!.samples).toBeLessThan(6);
    expect(small!.beforeDoubt!.samples).toBe(40);
    expect(small!.beforeDoubt!.p95Ms).toBeCloseTo(scoreOf(known).p95Ms, 0);
    expect(small!.beforeDoubt!.p99Ms).toBeCloseTo(scoreOf(known).p99Ms, 0);
  });

  test('keeps what another one has folded meanwhile', async () => {
    const { store } = await newTable();
    const first = { ...someKnowledge(), foldedAtMs: nowMs };
    await store.writeKnowledge(folded(first), 0);

    const stale = await store.writeKnowledge(folded({ ...noKnowledge, foldedAtMs: nowMs + 1 }), 0);
    const rivals = await Promise.all(
      [1, 2, 3].map((step) => store.writeKnowledge(folded({ ...first, foldedAtMs: nowMs + step }), nowMs)),
    );

    expect(stale).toBe(false);
    expect(rivals.filter(Boolean)).toHaveLength(1);
    expect((await store.readKnowledge()).foldedAtMs).toBe(nowMs + 1 + rivals.indexOf(true));
  });

  test('shows the open breakers beside the scores', async () => {
    const { store, open } = await newTable();
    const breaker: Breaker = { openedAtMs: nowMs, openUntilMs: nowMs + 5_000, openings: 1, reason: 'overloaded' };
    await store.writeKnowledge(folded(someKnowledge()), 0);
    await open('groq/llama/70b', breaker);

    const live = await store.readLive();

    expect(live.breakers).toEqual({ 'groq/llama/70b': breaker });
    expect(Object.keys(live.scores.targets)).toEqual([target]);
  });
});

describe('the stats table', () => {
  test('lets every item expire', async () => {
    const { store, tableName } = await dynamoTable();
    await store.writeSamples({ name: 'one', atMs: nowMs, slices: slicesOf(aSample({ atMs: nowMs })) });
    await store.takeFoldLease(nowMs, nowMs + 8_000);
    await store.writeKnowledge(folded(someKnowledge()), 0);

    const kinds = [samplesKind(nowMs), 'fold', liveKind];
    const items = (await Promise.all(kinds.map((kind) => itemsOf(tableName, kind)))).flat();

    expect(items).toHaveLength(4);
    for (const item of items) expect(Number(item['expiresAt']?.N)).toBeGreaterThan(nowMs / 1000);
    for (const item of items) expect(Number(item['expiresAt']?.N)).toBeLessThanOrEqual(nowMs / 1000 + 86_400);
  });

  test('shows the scores to people: one text, waits as lists', async () => {
    const { store, tableName } = await dynamoTable();
    await store.writeKnowledge(folded(someKnowledge()), 0);

    const command = new GetItemCommand({ TableName: tableName, Key: itemKey(liveKind, scoresName) });
    const { targets, foldedAtMs } = (await dynamoDb.client.send(command)).Item ?? {};

    expect(foldedAtMs).toEqual({ N: String(nowMs) });
    expect(JSON.parse(targets?.S ?? '')[target]).toMatchObject({
      updatedAtMs: nowMs,
      streamed: { small: [1, 383.6, 383.6, 401.7, 404, 405.9] },
      outcomes: [4, 1, 0, 1],
    });
  });

  test('holds the scores and the knowledge of the most targets there can be, with every kind of wait', async () => {
    const { store } = await dynamoTable();
    const knowledge = largestKnowledge();

    await store.writeKnowledge(folded(knowledge), 0);

    expect(Object.keys((await store.readLive()).scores.targets)).toHaveLength(mostTargets);
    expect(await store.readKnowledge()).toEqual(knowledge);
  });

  test('holds what it can of the busiest targets when their names are as long as callers like', async () => {
    const { store, tableName } = await dynamoTable();
    const knowledge = largestKnowledge((index) => `provider-${index}/${'漢'.repeat(240)}`);

    await store.writeKnowledge(folded(knowledge), 0);

    const shown = Object.keys((await store.readLive()).scores.targets);
    expect(shown.length).toBeGreaterThan(200);
    expect(shown).toEqual(Object.keys(knowledge.targets).slice(0, shown.length));
    for (const kind of ['fold', liveKind]) {
      for (const item of await itemsOf(tableName, kind)) expect(bytesOf(item)).toBeLessThan(400 * 1024);
    }
  });

  test('remembers the busier targets when no item could hold all that is known', async () => {
    const { store } = await dynamoTable();
    const noise = (index: number) => (Math.abs(Math.sin(index) * 1e6) % 1).toFixed(12);
    const counters = (index: number) =>
      Object.fromEntries(Array.from({ length: 120 }, (_, cell) => [`ss=${cell}`, Number(noise(index * 120 + cell))]));
    const targets = Object.fromEntries(
      Array.from({ length: mostTargets }, (_, index) => [
        `provider/${index}`,
        { updatedAtMs: nowMs, attemptsPerSecond: 1, counters: counters(index) },
      ]),
    );

    expect(await store.writeKnowledge(folded({ foldedAtMs: nowMs, targets }), 0)).toBe(true);

    const remembered = Object.keys((await store.readKnowledge()).targets);
    expect(remembered.length).toBeGreaterThanOrEqual(mostTargets / 4);
    expect(remembered).toEqual(Object.keys(targets).slice(0, remembered.length));
  });

  test('can be used again when what the fold remembers is damaged', async () => {
    const { store, tableName } = await dynamoTable();
    const damaged = { ...itemKey('fold', 'knowledge'), ...marshall({ foldedAtMs: 5, data: new Uint8Array([1, 2]) }) };
    await dynamoDb.client.send(new PutItemCommand({ TableName: tableName, Item: damaged }));

    expect(await store.readKnowledge()).toEqual({ ...noKnowledge, foldedAtMs: 5 });
    expect(await store.writeKnowledge(folded(someKnowledge()), 5)).toBe(true);
  });
});

function someKnowledge(): Knowledge {
  const slices = slicesOf(
    aSample({ atMs: nowMs, outputTokens: 100, generationMs: 2_000 }),
    aSample({ atMs: nowMs, outcome: 'rate_limited' }),
    aSample({ atMs: nowMs, promptSize: 'large', retry: true }),
    aSample({ atMs: nowMs, streamed: false, promptSize: 'large', outputTokens: 90 }),
  ).map((slice) => ({
    ...slice,
    targets: { [target]: { ...slice.targets[target]!, probe: { atMs: nowMs, streams: true, echoesModel: false } } },
  }));
  return foldScores(noKnowledge, slices, nowMs);
}

function scoreOf(knowledge: Knowledge) {
  return folded(knowledge).scores.targets[target]!.streamed.small!;
}

const longName = (index: number) => `provider-number-${index}/organization/a-model-with-a-long-name-${index}`;

function largestKnowledge(nameOf = longName): Knowledge {
  const sizes = ['small', 'medium', 'large'] as const;
  const waits = Array.from({ length: 15 }, (_, index) => 300 * 1.13 ** index);
  const slices = Array.from({ length: mostTargets }, (_, index) =>
    slicesOf(
      ...waits.flatMap((waitMs, step) =>
        sizes.flatMap((promptSize) =>
          [true, false].map((streamed) =>
            aSample({
              ...{ target: nameOf(index), atMs: nowMs },
              ...{ streamed, promptSize, waitMs: waitMs + index, outputTokens: 40 * step, generationMs: 900 },
            }),
          ),
        ),
      ),
    ),
  );
  const knowledge = foldScores(noKnowledge, slices.flat(), nowMs + 7_000);
  const targets = Object.entries(knowledge.targets).map(([name, known]) => [name, { ...known, beforeDoubt }]);
  return { ...knowledge, targets: Object.fromEntries(targets) };
}

const beforeDoubt = Object.fromEntries(
  ['ss', 'sm', 'sl', 'bs', 'bm', 'bl'].map((group) => [group, { samples: 38.21, p95Ms: 12_345, p99Ms: 54_321 }]),
);

async function itemsOf(tableName: string, kind: string) {
  const command = new QueryCommand({
    TableName: tableName,
    KeyConditionExpression: '#kind = :kind',
    ExpressionAttributeNames: { '#kind': 'kind' },
    ExpressionAttributeValues: { ':kind': { S: kind } },
  });
  return (await dynamoDb.client.send(command)).Items ?? [];
}

/** About as DynamoDB counts: names and values. */
function bytesOf(item: Record<string, object>): number {
  const values = Object.entries(item).flatMap(([name, value]) => [name, ...Object.values(value)]);
  return values.reduce((sum, value) => sum + (typeof value === 'string' ? Buffer.byteLength(value) : value.length), 0);
}

async function memoryTable(): Promise<Table> {
  const store = memoryStatsStore();
  return { store, open: async (target, breaker) => void store.breakers.set(target, breaker) };
}

async function dynamoTable() {
  const tableName = `Stats-${randomUUID()}`;
  await createStatsTable(dynamoDb.client, tableName);
  return {
    tableName,
    store: dynamoStatsStore(dynamoDb.client, tableName),
    async open(target: string, breaker: Breaker) {
      const item = { ...itemKey(liveKind, breakerName(target)), ...marshall({ ...breaker, expiresAt: nowMs }) };
      await dynamoDb.client.send(new PutItemCommand({ TableName: tableName, Item: item }));
    },
  };
}
