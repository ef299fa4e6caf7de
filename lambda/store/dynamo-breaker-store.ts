import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type Breaker, forgottenAfterMs, type OutcomeSlice, sliceMs } from '../routing/breaker.ts';
import { type BreakerStore, type LeaseWish, type OpenOptions, reportMs, type Written } from './breaker-store.ts';
import { callLimit, longestCallMs } from './call-limit.ts';
import type { DynamoItem } from './dynamo-item.ts';
import { breakerName, liveKind, outcomesKind, outcomesName, statsTable } from './table-schema.ts';

/** The breakers in the stats table, where all gateways see them. */
export function dynamoBreakerStore(client: DynamoDBClient, tableName: string, limitMs = longestCallMs): BreakerStore {
  return {
    async report(target, slice) {
      const result = await client.send(
        new UpdateItemCommand({ TableName: tableName, ...addition(target, slice) }),
        callLimit(limitMs),
      );
      return slicesOf(result.Attributes ?? {}, slice.startMs);
    },
    open(target, breaker, options) {
      const put = new PutItemCommand({ TableName: tableName, ...opening(target, breaker, options) });
      const isOurs = (item: DynamoItem) => item['writer']?.S === options.writer;
      return written(() => client.send(put, callLimit(limitMs)), breaker, isOurs);
    },
    lease(target, breaker, wish) {
      const update = new UpdateItemCommand({ TableName: tableName, ...leasing(target, breaker, wish) });
      const isOurs = (item: DynamoItem) => item['holder']?.S === wish.holder;
      return written(
        () => client.send(update, callLimit(limitMs)),
        { ...breaker, leasedUntilMs: wish.untilMs },
        isOurs,
      );
    },
    release(target, holder) {
      const update = new UpdateItemCommand({
        TableName: tableName,
        Key: breakerKey(target),
        UpdateExpression: 'REMOVE leasedUntilMs, holder',
        ConditionExpression: 'holder = :holder',
        ExpressionAttributeValues: marshall({ ':holder': holder }),
      });
      return held(() => client.send(update, callLimit(limitMs)));
    },
    close(target, startedAtMs) {
      const remove = new DeleteItemCommand({
        TableName: tableName,
        Key: breakerKey(target),
        ConditionExpression: 'openedAtMs < :started',
        ExpressionAttributeValues: marshall({ ':started': startedAtMs }),
      });
      return held(() => client.send(remove, callLimit(limitMs)));
    },
  };
}

function opening(target: string, breaker: Breaker, { writer, nowMs, asked = false, holder = '' }: OpenOptions) {
  const { partitionKey, sortKey, expiry } = statsTable;
  const expiresAt = Math.ceil((breaker.openUntilMs + forgottenAfterMs) / 1000);
  return {
    Item: marshall({
      [partitionKey]: liveKind,
      [sortKey]: breakerName(target),
      ...breaker,
      writer,
      [expiry]: expiresAt,
    }),
    ConditionExpression:
      'attribute_not_exists(#name) OR holder = :holder' +
      ' OR (openUntilMs <= :now AND (attribute_not_exists(leasedUntilMs) OR leasedUntilMs <= :now))' +
      (asked ? ' OR openUntilMs < :until' : ''),
    ExpressionAttributeNames: { '#name': sortKey },
    ExpressionAttributeValues: marshall({
      ':now': nowMs,
      ':holder': holder,
      ...(asked && { ':until': breaker.openUntilMs }),
    }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  };
}

function leasing(target: string, { openUntilMs }: Breaker, { holder, nowMs, untilMs }: LeaseWish) {
  return {
    Key: breakerKey(target),
    UpdateExpression: 'SET leasedUntilMs = :until, holder = :holder',
    ConditionExpression: 'openUntilMs = :openUntil AND (attribute_not_exists(leasedUntilMs) OR leasedUntilMs <= :now)',
    ExpressionAttributeValues: marshall({
      ':until': untilMs,
      ':holder': holder,
      ':openUntil': openUntilMs,
      ':now': nowMs,
    }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  };
}

/** The breaker in an item of the kind `live`; undefined when it is none. */
export function breakerOf(item: DynamoItem): Breaker | undefined {
  const { openedAtMs, openUntilMs, openings, reason, leasedUntilMs } = unmarshall(item);
  if (![openedAtMs, openUntilMs, openings].every(Number.isFinite) || typeof reason !== 'string') return undefined;
  const breaker = { openedAtMs, openUntilMs, openings, reason } as Breaker;
  return Number.isFinite(leasedUntilMs) ? { ...breaker, leasedUntilMs } : breaker;
}

function breakerKey(target: string): DynamoItem {
  return marshall({ [statsTable.partitionKey]: liveKind, [statsTable.sortKey]: breakerName(target) });
}

/** Whether the condition of a write held. */
async function held(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

/** The outcome of a conditional write: ours, or whatever stood in its way. */
async function written(
  write: () => Promise<unknown>,
  ours: Breaker,
  isOurs: (item: DynamoItem) => boolean,
): Promise<Written> {
  try {
    await write();
    return { mine: true, inForce: ours };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const item = error.Item;
    if (item && isOurs(item)) return { mine: true, inForce: ours };
    return { mine: false, inForce: item && breakerOf(item) };
  }
}

/** Reports stay as long as somebody may look at them, and a little. */
const reportsKeptMs = 600_000;

function addition(target: string, { startMs, failures, attempts }: OutcomeSlice) {
  const minute = Math.floor(startMs / reportMs);
  const index = Math.floor((startMs - minute * reportMs) / sliceMs);
  return {
    Key: marshall({ [statsTable.partitionKey]: outcomesKind, [statsTable.sortKey]: outcomesName(target, minute) }),
    UpdateExpression: `ADD failures${index} :failures, attempts${index} :attempts SET #expiry = :expiry`,
    ExpressionAttributeNames: { '#expiry': statsTable.expiry },
    ExpressionAttributeValues: marshall({
      ':failures': failures,
      ':attempts': attempts,
      ':expiry': Math.ceil((startMs + reportsKeptMs) / 1000),
    }),
    ReturnValues: 'ALL_NEW' as const,
  };
}

function slicesOf(item: DynamoItem, withinMs: number): OutcomeSlice[] {
  const minuteMs = Math.floor(withinMs / reportMs) * reportMs;
  const sum = (name: string, index: number) => Number(item[`${name}${index}`]?.N ?? 0);
  return Array.from({ length: reportMs / sliceMs }, (_, index) => ({
    startMs: minuteMs + index * sliceMs,
    failures: sum('failures', index),
    attempts: sum('attempts', index),
  })).filter(({ attempts }) => attempts > 0);
}
