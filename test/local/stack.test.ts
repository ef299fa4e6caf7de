import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { dynamoDbCaller } from '../../local/dynamodb-call.ts';
import { type LocalStack, type LocalStackOptions, startLocalStack } from '../../local/stack.ts';
import { synthesize } from '../../local/synthesize.ts';

describe('the local stack', () => {
  let directory: string;
  let assembly: string;
  let stack: LocalStack | undefined;
  let logs: string[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'stack-'));
    assembly = await synthesize(directory);
  }, 60_000);
  afterEach(async () => {
    await stack?.close();
    stack = undefined;
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  async function start(options: Partial<LocalStackOptions> = {}): Promise<LocalStack> {
    logs = [];
    stack = await startLocalStack({
      assembly,
      environment: {},
      log: (source, line) => logs.push(`${source} ${line}`),
      ...options,
    });
    return stack;
  }

  async function modelsOf({ gatewayUrl, apiKey }: LocalStack): Promise<string[]> {
    const response = await fetch(`${gatewayUrl}/v1/models`, { headers: { authorization: `Bearer ${apiKey}` } });
    const { data } = (await response.json()) as { data: { id: string }[] };
    return data.map(({ id }) => id).sort();
  }

  const aModel = (name: string) => ({ kind: { S: 'model' }, name: { S: name }, targets: { L: [{ S: 'openai/x' }] } });

  test('answers with the demo vendor when there is nothing else', async () => {
    const { gatewayUrl, apiKey } = await start();

    const response = await fetch(`${gatewayUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] }),
    });

    expect(apiKey).toMatch(/^sk-sluice-[\w-]{32}$/);
    expect(response.status).toBe(200);
    expect(JSON.stringify(await response.json())).toContain('demo vendor');
  });

  test('serves what a config file says, and nothing of the demo', async () => {
    const config = 'models:\n  fast:\n    targets: [openai/gpt-4o-mini]\nsecrets:\n  openai: sk-from-the-file\n';

    const { gatewayUrl, apiKey, example } = await start({ config, apiKey: 'sk-sluice-fixed' });

    expect(apiKey).toBe('sk-sluice-fixed');
    expect(await modelsOf(stack!)).toEqual(['fast']);
    expect(example).toEqual({ model: 'fast', target: 'openai/gpt-4o-mini' });
    expect(gatewayUrl).not.toMatch(/\/$/);
    expect(logs.join('\n')).not.toContain('sk-from-the-file');
  });

  test('keeps tables, edits and the key in a data directory', async () => {
    const dataDirectory = join(directory, 'data');
    const first = await start({ dataDirectory });
    const call = dynamoDbCaller(first.dynamodbUrl);
    await call('PutItem', { TableName: first.configTable, Item: aModel('kept') });
    await call('PutItem', {
      TableName: first.configTable,
      Item: { kind: { S: 'settings' }, name: { S: 'default' }, defaultModel: { S: 'kept' } },
    });
    await first.drain();
    await first.close();

    const second = await start({ dataDirectory });

    expect(second.apiKey).toBe(first.apiKey);
    expect(statSync(join(dataDirectory, 'api-key')).mode & 0o777).toBe(0o600);
    expect(await modelsOf(second)).toEqual(['demo', 'kept']);
    const { Item } = await dynamoDbCaller(second.dynamodbUrl)<{ Item: Record<string, unknown> }>('GetItem', {
      TableName: second.configTable,
      Key: { kind: { S: 'settings' }, name: { S: 'default' } },
    });
    expect(Item['defaultModel']).toEqual({ S: 'kept' });
  });

  test('starts from kept tables although an edit in them is rejected, and says why', async () => {
    const dataDirectory = join(directory, 'rejected');
    const first = await start({ dataDirectory });
    const broken = { kind: { S: 'model' }, name: { S: 'broken' }, targets: { L: [] } };
    await dynamoDbCaller(first.dynamodbUrl)('PutItem', { TableName: first.configTable, Item: broken });
    await first.drain();
    await first.close();

    const second = await start({ dataDirectory });

    expect(await modelsOf(second)).toEqual(['demo']);
    expect(logs.join('\n')).toMatch(/config +model\/broken/);
  });

  test('uses a DynamoDB that runs already', async () => {
    const host = await start();

    const guest = await startLocalStack({ assembly, environment: {}, log() {}, dynamodbEndpoint: host.dynamodbUrl });
    const models = await modelsOf(guest);
    await guest.close();

    expect(guest.dynamodbUrl).toBe(host.dynamodbUrl);
    expect(models).toEqual(['demo']);
  });

  test('leaves nothing when it cannot start', async () => {
    const items = [{ kind: 'model', name: 'a', targets: ['nowhere/x'] }];

    await expect(start({ config: { items, secrets: {} } })).rejects.toThrow(/rejected:\n.*model\/a/);

    expect(existsSync(assembly)).toBe(true);
  });
});
