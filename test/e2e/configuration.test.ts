import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import type { LocalStack } from '../../local/stack.ts';
import { startStackGateway } from '../support/local-stack-gateway.ts';
import { answer, completion, type ScriptedVendor, startScriptedVendor } from '../support/scripted-vendor.ts';
import type { RunningGateway } from '../support/serve-process.ts';

/** An edit must be in force everywhere after this time. */
const inForceWithinMs = 10_000;
const apiKey = 'sk-of-the-operator';
const messages = [{ role: 'user' as const, content: 'hello' }];
const run = promisify(execFile);
const awsIsInstalled = await run('aws', ['--version']).then(
  () => true,
  () => false,
);

let vendor: ScriptedVendor;
let gateway: RunningGateway & { stack: LocalStack };
let table: DynamoDBClient;

beforeAll(async () => {
  vendor = await startScriptedVendor();
  vendor.always(answer(200, completion('answered')));
  const providers = { scripted: { type: 'openai-compatible', baseUrl: vendor.url } };
  gateway = await startStackGateway({ config: { providers, models: { one: { targets: ['scripted/m'] } } }, apiKey });
  table = new DynamoDBClient({
    endpoint: gateway.stack.dynamodbUrl,
    region: gateway.stack.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}, 60_000);

afterAll(async () => {
  table?.destroy();
  await gateway?.close();
  await vendor?.close();
});

const put = (item: object) =>
  table.send(new PutItemCommand({ TableName: gateway.stack.configTable, Item: marshall(item) }));

async function ask(model: string, key = apiKey): Promise<number> {
  const client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  return client.chat.completions.create({ model, messages }).then(
    () => 200,
    (error: { status?: number }) => error.status ?? 0,
  );
}

async function status(): Promise<Record<string, unknown>> {
  const key = { kind: { S: 'status' }, name: { S: 'config' } };
  const { Item = {} } = await table.send(
    new GetItemCommand({ TableName: gateway.stack.configTable, Key: key, ConsistentRead: true }),
  );
  return unmarshall(Item);
}

/** Asks again and again until the condition holds; fails when that takes longer than an edit may take. */
async function soon<T>(question: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + inForceWithinMs;
  for (;;) {
    const value = await question();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new Error(`Still ${JSON.stringify(value)} after ${inForceWithinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('an edit of the config table', () => {
  test('adds a model that answers within 10 seconds, without a restart', async () => {
    expect(await ask('new-model')).toBe(404);

    await put({ kind: 'model', name: 'new-model', strategy: 'latency', targets: ['scripted/new'] });

    await soon(
      () => ask('new-model'),
      (answered) => answered === 200,
    );
    expect(vendor.seen.at(-1)?.body['model']).toBe('new');
    expect(await status()).toMatchObject({ state: 'published', errors: [] });
  });

  test('that is broken is rejected with its reason, and the last good configuration goes on serving', async () => {
    const { version } = await status();

    await put({ kind: 'model', name: 'broken', targets: ['nobody/m'] });

    const rejected = await soon(status, ({ state }) => state === 'rejected');
    expect(rejected['version']).toBe(version);
    expect(rejected['errors']).toEqual([expect.stringMatching(/^model\/broken targets\[0\]: .*nobody/)]);
    expect(await ask('one')).toBe(200);
    expect(gateway.logs()).toMatch(/ConfigRejected.*nobody/);

    await put({ kind: 'model', name: 'broken', targets: ['scripted/mended'] });

    await soon(
      () => ask('broken'),
      (answered) => answered === 200,
    );
  });

  test('adds a key, limits it, and takes it away again', async () => {
    const key = 'sk-added-later';
    const name = createHash('sha256').update(key).digest('hex');
    expect(await ask('one', key)).toBe(401);

    await put({ kind: 'key', name, label: 'later', models: ['one'] });
    await soon(
      () => ask('one', key),
      (answered) => answered === 200,
    );
    // Another environment may remember for some seconds that there is no such key.
    await soon(
      () => ask('new-model', key),
      (answered) => answered === 403,
    );

    await put({ kind: 'key', name, label: 'later', disabled: true });
    await soon(
      () => ask('one', key),
      (answered) => answered === 401,
    );
  });

  test('of a key with a limit that nothing enforces lets nobody in and says so', async () => {
    const key = 'sk-with-a-typo';

    await put({ kind: 'key', name: createHash('sha256').update(key).digest('hex'), rpmm: 5 });

    await soon(status, ({ state, errors }) => state === 'rejected' && /rpmm/.test(String(errors)));
    expect(await ask('one', key)).toBe(401);
    expect(await ask('one')).toBe(200);
  });

  (awsIsInstalled ? test : test.skip)(
    'works with the aws command line',
    async () => {
      const aws = (...args: string[]) =>
        run(
          'aws',
          ['dynamodb', ...args, '--endpoint-url', gateway.stack.dynamodbUrl, '--region', gateway.stack.region],
          {
            env: {
              PATH: process.env['PATH'],
              HOME: '/nonexistent',
              AWS_ACCESS_KEY_ID: 'local',
              AWS_SECRET_ACCESS_KEY: 'local',
            },
          },
        );
      const item = { kind: { S: 'model' }, name: { S: 'by-cli' }, targets: { SS: ['scripted/by-cli'] } };

      await aws('put-item', '--table-name', gateway.stack.configTable, '--item', JSON.stringify(item));

      await soon(
        () => ask('by-cli'),
        (answered) => answered === 200,
      );
      const shown = await aws(
        'get-item',
        '--table-name',
        gateway.stack.configTable,
        '--key',
        '{"kind":{"S":"status"},"name":{"S":"config"}}',
      );
      expect(JSON.parse(shown.stdout).Item.state.S).toBe('published');
    },
    60_000,
  );
});
