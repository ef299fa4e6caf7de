import { describe, expect, test } from '@jest/globals';
import { type DeliveryResult, deliverBatch, type StreamRecord } from '../../local/batch-delivery.ts';
import type { EventSourceMapping } from '../../local/event-source-mapping.ts';

const mapping: EventSourceMapping = {
  logicalId: 'Mapping',
  functionName: 'compiler',
  sourceArn: 'arn',
  startingPosition: 'TRIM_HORIZON',
  batchSize: 10,
  patterns: [],
  bisectOnError: false,
  maximumRetries: 2,
  maximumRecordAgeMs: Number.POSITIVE_INFINITY,
  reportsItemFailures: false,
  onFailureArn: undefined,
};

const records = (...names: string[]): StreamRecord[] =>
  names.map((name) => ({
    eventID: name,
    eventName: 'INSERT',
    dynamodb: { SequenceNumber: name, ApproximateCreationDateTime: 1_000 },
  }));

/** Delivers to a function that answers as `respond` says; collects what it was sent. */
async function deliver(
  batch: StreamRecord[],
  overrides: Partial<EventSourceMapping>,
  respond: (names: string[], attempt: number) => DeliveryResult,
) {
  const invocations: string[] = [];
  const givenUp: string[] = [];
  const waitsMs: number[] = [];
  const namesOf = (sent: StreamRecord[]): string[] => sent.map(({ eventID }) => eventID);
  await deliverBatch(
    batch,
    { ...mapping, ...overrides },
    {
      async invoke(sent) {
        invocations.push(namesOf(sent).join(''));
        return respond(namesOf(sent), invocations.length);
      },
      wait: async (delayMs) => void waitsMs.push(delayMs),
      giveUp: (sent, reason) => givenUp.push(`${namesOf(sent).join('')}: ${reason}`),
      now: () => 1_060_000,
    },
  );
  return { invocations, givenUp, waitsMs };
}

describe('a batch of stream records', () => {
  test('is delivered once when the function succeeds', async () => {
    const { invocations, givenUp } = await deliver(records('a', 'b'), {}, () => ({}));

    expect(invocations).toEqual(['ab']);
    expect(givenUp).toEqual([]);
  });

  test('is tried again with growing pauses until it succeeds', async () => {
    const { invocations, waitsMs } = await deliver(records('a'), {}, (_names, attempt) =>
      attempt < 3 ? { error: 'Error: no' } : {},
    );

    expect(invocations).toEqual(['a', 'a', 'a']);
    expect(waitsMs).toEqual([200, 400]);
  });

  test('is given up after its retries, with the last error', async () => {
    const { invocations, givenUp } = await deliver(records('a', 'b'), {}, () => ({ error: 'Error: no' }));

    expect(invocations).toEqual(['ab', 'ab', 'ab']);
    expect(givenUp).toEqual(['ab: given up after 2 retries: Error: no']);
  });

  test('is given up when its records are too old', async () => {
    const { invocations, givenUp } = await deliver(records('a'), { maximumRecordAgeMs: 59_000 }, () => ({
      error: 'no',
    }));

    expect(invocations).toEqual(['a']);
    expect(givenUp[0]).toContain('age');
  });

  test('is halved, in order, until only the bad record is given up', async () => {
    const { invocations, givenUp } = await deliver(
      records('a', 'b', 'c', 'd'),
      { bisectOnError: true, maximumRetries: 0 },
      (names) => (names.includes('c') ? { error: 'Error: c' } : {}),
    );

    expect(invocations).toEqual(['abcd', 'ab', 'cd', 'c', 'd']);
    expect(givenUp).toEqual(['c: given up after 0 retries: Error: c']);
  });

  test('goes on from the first record that the function names as failed', async () => {
    const { invocations } = await deliver(records('a', 'b', 'c'), { reportsItemFailures: true }, (_names, attempt) =>
      attempt === 1 ? { failedSequenceNumbers: ['c', 'b'] } : {},
    );

    expect(invocations).toEqual(['abc', 'bc']);
  });

  test('fails as a whole when the named record is unknown', async () => {
    const { invocations } = await deliver(records('a', 'b'), { reportsItemFailures: true }, (_names, attempt) =>
      attempt === 1 ? { failedSequenceNumbers: ['z'] } : {},
    );

    expect(invocations).toEqual(['ab', 'ab']);
  });

  test('is done whatever the function returns when it does not report failures', async () => {
    const { invocations } = await deliver(records('a'), {}, () => ({ failedSequenceNumbers: ['a'] }));

    expect(invocations).toEqual(['a']);
  });
});
