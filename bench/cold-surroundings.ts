import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { emptySnapshot, recordByName } from '../lambda/config/snapshot.ts';
import { environmentNames } from '../lambda/environment.ts';
import { dynamoConfigWriter } from '../lambda/store/dynamo-config-writer.ts';
import { itemKey } from '../lambda/store/dynamo-item.ts';
import { encodeSnapshot } from '../lambda/store/snapshot-encoding.ts';
import { type FakeAws, startFakeAws } from './fake-aws.ts';

const tableName = 'Bench-Config';
const callerKey = 'caller-key-of-the-bench';
const vendorAnswer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'pong' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

/** What a gateway function finds around it on Lambda, on loopback, with one vendor, one snapshot and one caller key. */
export type Surroundings = { aws: FakeAws; environment: Record<string, string>; event: unknown; close(): void };

/** Starts vendor and AWS, and publishes a configuration by the store that the compiler uses. */
export async function startSurroundings(): Promise<Surroundings> {
  const vendor = await startVendor();
  const aws = await startFakeAws({ 'vendor-keys': '{"vendor":"secret-of-the-vendor"}', 'first-key': 'another-key' });
  const client = new DynamoDBClient({
    endpoint: aws.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });
  const providers = recordByName([['vendor', { type: 'openai-compatible', baseUrl: vendor.url }]]);
  await dynamoConfigWriter(client, tableName).publish(encodeSnapshot({ ...emptySnapshot, providers, version: 1 }), 0);
  const digest = createHash('sha256').update(callerKey).digest('hex');
  await client.send(new PutItemCommand({ TableName: tableName, Item: itemKey('key', digest) }));
  client.destroy();
  return {
    aws,
    environment: lambdaEnvironment(aws.url),
    event: chatEvent(),
    close: () => [aws, vendor].map((s) => s.close()),
  };
}

function lambdaEnvironment(awsUrl: string): Record<string, string> {
  return {
    HOME: '/nonexistent',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_SESSION_TOKEN: 'bench',
    AWS_ENDPOINT_URL: awsUrl,
    [environmentNames.configTable]: tableName,
    [environmentNames.statsTable]: 'Bench-Stats',
    [environmentNames.vendorSecret]: 'vendor-keys',
    [environmentNames.firstKeySecret]: 'first-key',
  };
}

async function startVendor(): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json').end(JSON.stringify(vendorAnswer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** A function URL's event, format 2.0, of one chat completion. */
function chatEvent(): unknown {
  const path = '/v1/chat/completions';
  return {
    version: '2.0',
    rawPath: path,
    rawQueryString: '',
    headers: { authorization: `Bearer ${callerKey}`, 'content-type': 'application/json' },
    requestContext: { http: { method: 'POST', path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'bench' } },
    body: JSON.stringify({ model: 'vendor/m', messages: [{ role: 'user', content: 'ping' }] }),
    isBase64Encoded: false,
  };
}
