import { setTimeout as delay } from 'node:timers/promises';
import { type DeliveryResult, deliverBatch, type StreamRecord } from './batch-delivery.ts';
import type { DynamoDbCall } from './dynamodb-call.ts';
import { matchesPattern } from './event-filter.ts';
import type { EventSourceMapping } from './event-source-mapping.ts';
import type { LocalFunction } from './local-function.ts';

/** Options of one poller. */
export type StreamPollerOptions = {
  mapping: EventSourceMapping;
  call: DynamoDbCall;
  target: LocalFunction;
  pollIntervalMs?: number;
  /** Stands for the failure queue: hears how many records were given up and why. */
  onFailure(recordCount: number, reason: string): void;
  /** Hears that the stream cannot be read; the poller goes on trying. */
  onError(error: unknown): void;
};

/** An event source mapping at work. */
export type StreamPoller = {
  /** Resolves when everything that was in the stream at the time of the call has been delivered or given up. */
  drain(): Promise<void>;
  close(): Promise<void>;
};

type Shard = { id: string; iterator: string | undefined };

/** Polls the stream of a table and brings its records, in order, to the function. */
export function startStreamPoller(options: StreamPollerOptions): StreamPoller {
  const { pollIntervalMs = 100, onError } = options;
  const stopping = new AbortController();
  const drains: (() => void)[] = [];

  async function poll(): Promise<void> {
    const reader = shardReader(options);
    while (!stopping.signal.aborted) {
      // Who waits is served by a round that began after the call and found nothing more.
      const waiting = drains.splice(0);
      let count = -1;
      try {
        count = await pollOnce(reader, options, stopping.signal);
      } catch (error) {
        if (!stopping.signal.aborted) onError(error);
      }
      if (count === 0) for (const resolve of waiting) resolve();
      else drains.push(...waiting);
      if (count <= 0) await delay(pollIntervalMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const polling = poll();
  return {
    drain: () => new Promise((resolve) => drains.push(resolve)),
    async close() {
      stopping.abort();
      for (const resolve of drains) resolve();
      await polling;
    },
  };
}

/** Reads every shard once; resolves to the number of records that were there. */
async function pollOnce(
  reader: ShardReader,
  { mapping, target, onFailure }: StreamPollerOptions,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for await (const records of reader.read()) {
    count += records.length;
    const matching = records.filter((record) => isWanted(record, mapping.patterns));
    for (let start = 0; start < matching.length; start += mapping.batchSize) {
      await deliverBatch(matching.slice(start, start + mapping.batchSize), mapping, {
        invoke: (batch) => invokeWithRecords(target, batch, mapping.sourceArn),
        wait: (delayMs) => delay(delayMs, undefined, { signal }),
        giveUp: (batch, reason) => onFailure(batch.length, reason),
        now: Date.now,
      });
    }
  }
  return count;
}

type ShardReader = { read(): AsyncGenerator<StreamRecord[]> };

function shardReader({ mapping, call }: StreamPollerOptions): ShardReader {
  const tableName = /:table\/([^/]+)/.exec(mapping.sourceArn)?.[1] ?? mapping.sourceArn;
  const shards = new Map<string, Shard>();

  async function findShards(): Promise<void> {
    const { Table } = await call<{ Table: { LatestStreamArn: string } }>('DescribeTable', { TableName: tableName });
    const StreamArn = Table.LatestStreamArn;
    const { StreamDescription } = await call<{ StreamDescription: { Shards: { ShardId: string }[] } }>(
      'DescribeStream',
      { StreamArn },
    );
    // Only the first shards begin where the mapping says; the ones that follow them are read from their beginning.
    const ShardIteratorType = shards.size === 0 ? mapping.startingPosition : 'TRIM_HORIZON';
    for (const { ShardId } of StreamDescription.Shards) {
      if (shards.has(ShardId)) continue;
      const input = { StreamArn, ShardId, ShardIteratorType };
      const { ShardIterator } = await call<{ ShardIterator: string }>('GetShardIterator', input);
      shards.set(ShardId, { id: ShardId, iterator: ShardIterator });
    }
  }

  return {
    async *read() {
      if (![...shards.values()].some(({ iterator }) => iterator)) await findShards();
      for (const shard of shards.values()) {
        if (!shard.iterator) continue;
        const answer = await call<{ Records: StreamRecord[]; NextShardIterator?: string }>('GetRecords', {
          ShardIterator: shard.iterator,
        });
        yield answer.Records;
        // Only now: records whose delivery was cut short by an error are read again.
        shard.iterator = answer.NextShardIterator;
      }
    },
  };
}

function isWanted(record: StreamRecord, patterns: unknown[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, record));
}

async function invokeWithRecords(
  target: LocalFunction,
  records: StreamRecord[],
  sourceArn: string,
): Promise<DeliveryResult> {
  const chunks: Buffer[] = [];
  const event = { Records: records.map((record) => ({ ...record, eventSourceARN: sourceArn })) };
  const { error } = await target.invoke(event, ({ body }) => body.on('data', (chunk: Buffer) => chunks.push(chunk)));
  if (error) return { error: `${error.errorType}: ${error.errorMessage}` };
  return { failedSequenceNumbers: readItemFailures(Buffer.concat(chunks).toString()) };
}

function readItemFailures(payload: string): string[] {
  const answer: unknown = payload ? JSON.parse(payload) : null;
  const { batchItemFailures = [] } = (answer ?? {}) as { batchItemFailures?: { itemIdentifier: string }[] };
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}
