import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AttributeValue, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Context, DynamoDBStreamEvent } from 'aws-lambda';
import type { handler as compilerHandler } from '../../lambda/compiler.ts';
import type { RawItem } from '../../lambda/config/raw-item.ts';
import { itemKey } from '../../lambda/store/dynamo-item.ts';
import { createConfigTable, type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../support/embedded-dynamodb.ts';

let dynamoDb: EmbeddedDynamoDb;
let handler: typeof compilerHandler;
/** EventBridge on loopback: what it was sent, and the status it answers with. */
const eventBridge = { entries: [] as Record<string, string>[], status: 200 };
const eventServer = createServer(async (request, response) => {
  const body: Buffer[] = [];
  for await (const piece of request) body.push(piece);
  if (eventBridge.status === 200) eventBridge.entries.push(...JSON.parse(Buffer.concat(body).toString()).Entries);
  response.writeHead(eventBridge.status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end('{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}');
});

beforeAll(async () => {
  dynamoDb = await startEmbeddedDynamoDb();
  await createConfigTable(dynamoDb.client, 'Config');
  await new Promise<void>((resolve) => eventServer.listen(0, '127.0.0.1', resolve));
  Object.assign(process.env, {
    CONFIG_TABLE: 'Config',
    EVENT_BUS: 'default',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: `http://127.0.0.1:${(eventServer.address() as AddressInfo).port}`,
  });
  ({ handler } = await import('../../lambda/compiler.ts'));
});

afterAll(async () => {
  eventServer.closeAllConnections();
  eventServer.close();
  await dynamoDb.stop();
});

beforeEach(() => {
  Object.assign(eventBridge, { entries: [], status: 200 });
});

describe('the compiler function', () => {
  test('publishes what is in the table and says so on the bus', async () => {
    await save({ kind: 'model', name: 'gpt-4o', targets: ['openai/gpt-4o'] });

    await invoke([]);

    expect(await read('pointer', 'current')).toMatchObject({ version: 1 });
    expect(await read('status', 'config')).toMatchObject({ state: 'published', version: 1, errors: [] });
    expect(eventBridge.entries).toEqual([
      {
        Source: 'sluice',
        DetailType: 'ConfigPublished',
        Detail: '{"version":1,"errors":[]}',
        EventBusName: 'default',
      },
    ]);
  });

  test('reports the bad key items of its batch, and no others', async () => {
    const good = { kind: 'key', name: 'a1'.repeat(32), models: new Set(['gpt-*']) };
    const bad = { kind: 'key', name: 'b2'.repeat(32), rpm: 5 };

    await invoke([good, bad]);

    const errors = ['key/b2b2b2b2… rpm: unknown field'];
    expect(await read('status', 'config')).toMatchObject({ state: 'rejected', version: 1, errors });
    expect(eventBridge.entries.map(({ DetailType }) => DetailType)).toEqual(['ConfigRejected']);
  });

  test('publishes even when the bus does not answer', async () => {
    eventBridge.status = 500;
    await save({ kind: 'settings', name: 'default', defaultModel: 'gpt-4o' });

    await invoke([]);

    expect(await read('status', 'config')).toMatchObject({ state: 'published', version: 2 });
  });

  test('reports an item of a kind that does not exist', async () => {
    const item = { kind: 'modle', name: 'gpt-4o', targets: ['openai/gpt-4o'] };

    await invoke([item]);

    expect(await read('status', 'config')).toMatchObject({
      state: 'rejected',
      errors: ['modle/gpt-4o: there is no kind "modle"; did you mean "model"?; it is not used'],
    });
  });

  test('fails when the table cannot be read, so that the stream brings the batch back', async () => {
    await dynamoDb.client.send(
      new PutItemCommand({ TableName: 'Config', Item: { ...itemKey('pointer', 'current'), version: { S: 'x' } } }),
    );

    await expect(invoke([])).rejects.toThrow('pointer/current is damaged');
  });
});

async function invoke(keyItems: RawItem[]): Promise<void> {
  const image = (item: RawItem) => marshall(item) as Record<string, AttributeValue>;
  const Records = keyItems.map((item) => ({ dynamodb: { NewImage: image(item) } }));
  await handler({ Records } as DynamoDBStreamEvent, { getRemainingTimeInMillis: () => 60_000 } as Context);
}

async function save(item: RawItem): Promise<void> {
  await dynamoDb.client.send(new PutItemCommand({ TableName: 'Config', Item: marshall(item) }));
}

async function read(kind: string, name: string): Promise<Record<string, unknown> | undefined> {
  const command = new GetItemCommand({ TableName: 'Config', Key: itemKey(kind, name) });
  const { Item } = await dynamoDb.client.send(command);
  return Item && unmarshall(Item);
}
