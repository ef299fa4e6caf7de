import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import type { Breaker } from '../routing/breaker.ts';
import { noKnowledge } from '../routing/knowledge.ts';
import type { LiveStats } from '../routing/live-stats.ts';
import { emptyScores, type Scores } from '../routing/score.ts';
import { callLimit, longestCallMs } from './call-limit.ts';
import { breakerOf } from './dynamo-breaker-store.ts';
import { type DynamoItem, itemKey } from './dynamo-item.ts';
import {
  decodeKnowledge,
  decodeSlices,
  decodeTargets,
  encodeKnowledge,
  encodeSlices,
  encodeTargets,
} from './stats-encoding.ts';
import { knowledgeLifeMs, type StatsStore, sampleLifeMs } from './stats-store.ts';
import {
  breakerName,
  foldKind,
  foldLeaseName,
  knowledgeName,
  liveKind,
  sampleKindsBetween,
  samplesKind,
  scoresName,
  statsTable,
} from './table-schema.ts';

const queriesAtOnce = 10;

/**
 * The stats table. Every writer has items of its own, and no item takes more than one write every few seconds: an
 * UpdateItem that adds to a shared one would cost units for all that others have put there.
 */
export function dynamoStatsStore(client: DynamoDBClient, tableName: string, limitMs = longestCallMs): StatsStore {
  const table = statsAccess(client, tableName, limitMs);
  return {
    async readLive() {
      return liveStats(await table.query(liveKind));
    },
    async writeSamples({ name, atMs, slices }) {
      const samples = { slices: { S: encodeSlices(slices) }, ...expiry(atMs + sampleLifeMs) };
      await table.put({ ...itemKey(samplesKind(atMs), name), ...samples });
    },
    async readSamples(sinceMs, untilMs) {
      const kinds = sampleKindsBetween(sinceMs, untilMs);
      const items: DynamoItem[] = [];
      for (let start = 0; start < kinds.length; start += queriesAtOnce) {
        const pages = await Promise.all(kinds.slice(start, start + queriesAtOnce).map(table.query));
        items.push(...pages.flat());
      }
      return items.flatMap((item) => decodeSlices(item['slices']?.S ?? ''));
    },
    takeFoldLease: (nowMs, untilMs) =>
      table.putIf(
        { ...itemKey(foldKind, foldLeaseName), untilMs: { N: String(untilMs) }, ...expiry(nowMs + knowledgeLifeMs) },
        { condition: 'attribute_not_exists(#value) OR #value < :than', attribute: 'untilMs', than: nowMs },
      ),
    async readKnowledge() {
      return knowledgeOf(await table.get(foldKind, knowledgeName));
    },
    async writeKnowledge({ knowledge, scores }, previousMs) {
      const { foldedAtMs } = knowledge;
      const common = { foldedAtMs: { N: String(foldedAtMs) }, ...expiry(foldedAtMs + knowledgeLifeMs) };
      const condition = previousMs === 0 ? 'attribute_not_exists(#value)' : '#value = :than';
      const isOurs = await table.putIf(
        { ...itemKey(foldKind, knowledgeName), ...common, data: { B: encodeKnowledge(knowledge) } },
        { condition, attribute: 'foldedAtMs', ...(previousMs !== 0 && { than: previousMs }) },
      );
      if (!isOurs) return false;
      const written = encodeTargets(scores.targets);
      const targets = typeof written === 'string' ? { S: written } : { B: written };
      await table.put({ ...itemKey(liveKind, scoresName), ...common, targets });
      return true;
    },
  };
}

type Condition = { condition: string; attribute: string; than?: number };

/** The calls that the store makes; what a table must allow. */
function statsAccess(client: DynamoDBClient, TableName: string, limitMs: number) {
  async function query(kind: string): Promise<DynamoItem[]> {
    const items: DynamoItem[] = [];
    let next: DynamoItem | undefined;
    do {
      const command = new QueryCommand({
        TableName,
        KeyConditionExpression: '#kind = :kind',
        ExpressionAttributeNames: { '#kind': statsTable.partitionKey },
        ExpressionAttributeValues: { ':kind': { S: kind } },
        ExclusiveStartKey: next,
      });
      const { Items = [], LastEvaluatedKey } = await client.send(command, callLimit(limitMs));
      items.push(...Items);
      next = LastEvaluatedKey;
    } while (next);
    return items;
  }

  async function putIf(item: DynamoItem, { condition, attribute, than }: Condition): Promise<boolean> {
    const command = new PutItemCommand({
      TableName,
      Item: item,
      ConditionExpression: condition,
      ExpressionAttributeNames: { '#value': attribute },
      ...(than !== undefined && { ExpressionAttributeValues: { ':than': { N: String(than) } } }),
    });
    try {
      await client.send(command, callLimit(limitMs));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  return {
    query,
    putIf,
    put: (item: DynamoItem) => client.send(new PutItemCommand({ TableName, Item: item }), callLimit(limitMs)),
    async get(kind: string, name: string): Promise<DynamoItem | undefined> {
      const command = new GetItemCommand({ TableName, Key: itemKey(kind, name), ConsistentRead: true });
      return (await client.send(command, callLimit(limitMs))).Item;
    },
  };
}

function expiry(atMs: number): DynamoItem {
  return { [statsTable.expiry]: { N: String(Math.ceil(atMs / 1000)) } };
}

function liveStats(items: readonly DynamoItem[]): LiveStats {
  let scores: Scores = emptyScores;
  const breakers: Record<string, Breaker> = {};
  for (const item of items) {
    const named = item['name']?.S ?? '';
    if (named === scoresName)
      scores = { foldedAtMs: Number(item['foldedAtMs']?.N), targets: decodeTargets(writtenTargets(item)) };
    else if (named.startsWith(breakerName(''))) {
      const breaker = breakerOf(item);
      if (breaker) breakers[named.slice(breakerName('').length)] = breaker;
    }
  }
  return { scores, breakers };
}

function writtenTargets({ targets }: DynamoItem): string | Uint8Array {
  return targets?.B ?? targets?.S ?? '{}';
}

/** Knowledge that cannot be read is lost; the next write replaces it. */
function knowledgeOf(item: DynamoItem | undefined) {
  const foldedAtMs = Number(item?.['foldedAtMs']?.N ?? 0);
  try {
    return decodeKnowledge(foldedAtMs, item?.['data']?.B ?? new Uint8Array());
  } catch {
    return { ...noKnowledge, foldedAtMs };
  }
}
