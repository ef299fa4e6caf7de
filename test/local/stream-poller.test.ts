import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ChildProcesses, createChildProcesses } from '../../local/child-processes.ts';
import { createTable, startDynamoDb } from '../../local/dynamodb.ts';
import { type DynamoDbCall, dynamoDbCaller } from '../../local/dynamodb-call.ts';
import type { EventSourceMapping } from '../../local/event-source-mapping.ts';
import { LocalFunction } from '../../local/local-function.ts';
import { type StreamPoller, startStreamPoller } from '../../local/stream-poller.ts';
import { aFunction } from './fixtures/definitions.ts';

describe('a stream poller on the embedded DynamoDB', () => {
  let children: ChildProcesses;
  let call: DynamoDbCall;
  let target: LocalFunction;
  let logs: string[] = [];

  beforeAll(async () => {
    children = createChildProcesses();
    call = dynamoDbCaller(await startDynamoDb({ children, port: 0, dataDirectory: undefined }));
    target = new LocalFunction({
      definition: aFunction('records', { name: 'compiler' }),
      children,
      platformVariables: {},
      onLog: (_name, line) => logs.push(line),
    });
  });
  afterAll(async () => {
    await target.close();
    await children.close();
  });

  async function aTable(name: string): Promise<void> {
    logs = [];
    await createTable(call, {
      name,
      createRequest: {
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: ['kind', 'name'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
        KeySchema: [
          { AttributeName: 'kind', KeyType: 'HASH' },
          { AttributeName: 'name', KeyType: 'RANGE' },
        ],
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      },
      timeToLiveAttribute: 'ttl',
    });
  }

  const put = (TableName: string, kind: string, name: string) =>
    call('PutItem', { TableName, Item: { kind: { S: kind }, name: { S: name } } });

  function startPolling(table: string, overrides: Partial<EventSourceMapping> = {}) {
    const failures: string[] = [];
    const mapping: EventSourceMapping = {
      logicalId: 'Mapping',
      functionName: 'compiler',
      sourceArn: `arn:aws:dynamodb:us-east-1:000000000000:table/${table}/stream/local`,
      startingPosition: 'TRIM_HORIZON',
      batchSize: 100,
      patterns: [],
      bisectOnError: false,
      maximumRetries: 0,
      maximumRecordAgeMs: Number.POSITIVE_INFINITY,
      reportsItemFailures: false,
      onFailureArn: undefined,
      ...overrides,
    };
    const poller: StreamPoller = startStreamPoller({
      mapping,
      call,
      target,
      pollIntervalMs: 20,
      onFailure: (count, reason) => failures.push(`${count}: ${reason}`),
      onError: (error) => failures.push(String(error)),
    });
    return { poller, failures, mapping };
  }

  const batches = (): string[][] =>
    logs.filter((line) => line.includes('batch')).map((line) => JSON.parse(JSON.parse(line).message).batch);

  test('brings what was written before and after it started, in order', async () => {
    await aTable('Ordered');
    await put('Ordered', 'model', 'before');
    const { poller, mapping } = startPolling('Ordered');
    await poller.drain();

    await put('Ordered', 'model', 'after');
    await call('UpdateItem', {
      TableName: 'Ordered',
      Key: { kind: { S: 'model' }, name: { S: 'after' } },
      UpdateExpression: 'SET weight = :w',
      ExpressionAttributeValues: { ':w': { N: '1' } },
    });
    await call('DeleteItem', { TableName: 'Ordered', Key: { kind: { S: 'model' }, name: { S: 'before' } } });
    await poller.drain();
    await poller.close();

    expect(batches().flat()).toEqual(['INSERT:before', 'INSERT:after', 'MODIFY:after', 'REMOVE:before']);
    expect(logs.some((line) => line.includes(mapping.sourceArn))).toBe(true);
  });

  test('leaves out what its patterns do not match, and cuts batches to size', async () => {
    await aTable('Filtered');
    for (const name of ['a', 'b', 'c']) await put('Filtered', 'model', name);
    await put('Filtered', 'snapshot', '1');
    const { poller } = startPolling('Filtered', {
      batchSize: 2,
      patterns: [{ dynamodb: { Keys: { kind: { S: ['model'] } } } }],
    });

    await poller.drain();
    await poller.close();

    expect(batches()).toEqual([['INSERT:a', 'INSERT:b'], ['INSERT:c']]);
  });

  test('gives up a record that the function cannot take, and goes on behind it', async () => {
    await aTable('Poisoned');
    for (const name of ['a', 'poison', 'b']) await put('Poisoned', 'model', name);
    const { poller, failures } = startPolling('Poisoned', { bisectOnError: true });

    await poller.drain();
    await poller.close();

    expect(failures).toEqual(['1: given up after 0 retries: Error: poisoned']);
    expect(batches().at(-1)).toEqual(['INSERT:b']);
  });

  test('starts with the next record from LATEST', async () => {
    await aTable('Latest');
    await put('Latest', 'model', 'old');
    const { poller } = startPolling('Latest', { startingPosition: 'LATEST' });
    await poller.drain();

    await put('Latest', 'model', 'new');
    await poller.drain();
    await poller.close();

    expect(batches().flat()).toEqual(['INSERT:new']);
  });

  test('keeps a table that is there already', async () => {
    await aTable('Twice');
    await put('Twice', 'model', 'kept');

    await aTable('Twice');

    const { Count } = await call<{ Count: number }>('Scan', { TableName: 'Twice' });
    expect(Count).toBe(1);
  });
});
