import type { EventSourceMapping } from './event-source-mapping.ts';

/** A record of a DynamoDB stream, as GetRecords and Lambda events both write it. */
export type StreamRecord = {
  eventID: string;
  eventName: string;
  dynamodb: { SequenceNumber: string; ApproximateCreationDateTime?: number; [field: string]: unknown };
  [field: string]: unknown;
};

/** What became of one delivery: done, failed as a whole, or failed from one record on. */
export type DeliveryResult = { error?: string | undefined; failedSequenceNumbers?: string[] | undefined };

/** The outside world of a delivery. */
export type DeliveryEffects = {
  invoke(records: StreamRecord[]): Promise<DeliveryResult>;
  /** Waits before the next try; rejects when the stack closes. */
  wait(delayMs: number): Promise<void>;
  /** Hears of records that are given up. */
  giveUp(records: StreamRecord[], reason: string): void;
  now(): number;
};

/**
 * Brings a batch to the function as Lambda's pollers do: in order, again and again until it succeeds, in halves when
 * the mapping says so, and never past its limits. https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
export async function deliverBatch(
  batch: StreamRecord[],
  mapping: EventSourceMapping,
  effects: DeliveryEffects,
): Promise<void> {
  let retries = 0;
  let records = batch;
  while (records.length > 0) {
    const { error, failedSequenceNumbers } = await effects.invoke(records);
    const result = { error, failedSequenceNumbers: mapping.reportsItemFailures ? failedSequenceNumbers : undefined };
    const firstFailed = indexOfFirstFailure(records, result);
    if (firstFailed === undefined) return;
    if (firstFailed > 0) {
      // What stands before the first failure is done; a batch that makes progress starts counting anew.
      records = records.slice(firstFailed);
      retries = 0;
      continue;
    }
    if (mapping.bisectOnError && records.length > 1) {
      const middle = Math.ceil(records.length / 2);
      await deliverBatch(records.slice(0, middle), mapping, effects);
      records = records.slice(middle);
      continue;
    }
    const reason = limitReached(records, { mapping, retries, now: effects.now() });
    if (reason) return effects.giveUp(records, `${reason}: ${error ?? 'the function reported failures'}`);
    await effects.wait(Math.min(10_000, 200 * 2 ** retries));
    retries += 1;
  }
}

function indexOfFirstFailure(
  records: StreamRecord[],
  { error, failedSequenceNumbers }: DeliveryResult,
): number | undefined {
  if (error !== undefined) return 0;
  if (!failedSequenceNumbers?.length) return undefined;
  const index = records.findIndex(({ dynamodb }) => failedSequenceNumbers.includes(dynamodb.SequenceNumber));
  // An unknown sequence number fails the whole batch.
  return Math.max(0, index);
}

function limitReached(
  [oldest]: StreamRecord[],
  { mapping, retries, now }: { mapping: EventSourceMapping; retries: number; now: number },
): string | undefined {
  if (retries >= mapping.maximumRetries) return `given up after ${retries} retries`;
  const createdAtMs = (oldest?.dynamodb.ApproximateCreationDateTime ?? now / 1000) * 1000;
  return now - createdAtMs > mapping.maximumRecordAgeMs ? 'given up because of the age of the records' : undefined;
}
