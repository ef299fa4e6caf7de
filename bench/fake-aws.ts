import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Item = Record<string, Record<string, string>>;
type Call = { TableName?: string; Key?: Item; Item?: Item; SecretId?: string };

/** DynamoDB and Secrets Manager on one loopback port: as much of both as the gateway's reads need, every call counted. */
export type FakeAws = {
  url: string;
  /** What was asked so far, in order, and when: `GetItem key`, `GetSecretValue vendor-keys`, … */
  calls: { name: string; atMs: number }[];
  close(): void;
};

/** Starts it with the given secrets and an empty table. */
export async function startFakeAws(secrets: Record<string, string>): Promise<FakeAws> {
  const items = new Map<string, Item>();
  const calls: FakeAws['calls'] = [];

  function answer(operation: string, { Key, Item, SecretId = '' }: Call): unknown {
    const name = `${operation} ${(Key ?? Item)?.['kind']?.['S'] ?? SecretId}`.trim();
    calls.push({ name, atMs: performance.timeOrigin + performance.now() });
    if (operation === 'GetSecretValue') return { ARN: SecretId, Name: SecretId, SecretString: secrets[SecretId] };
    if (operation === 'PutItem' && Item) return items.set(nameOf(Item), Item) && {};
    if (operation === 'GetItem' && Key) return { Item: items.get(nameOf(Key)) };
    if (operation === 'Query') return { Items: [], Count: 0, ScannedCount: 0 };
    throw new Error(`The fake AWS does not know ${operation}`);
  }

  const server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    try {
      response.end(JSON.stringify(answer(operationOf(request), JSON.parse(await text(request)))));
    } catch (error) {
      response.writeHead(400).end(JSON.stringify({ __type: 'ValidationException', message: String(error) }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, calls, close: () => server.close() };
}

function operationOf({ headers }: IncomingMessage): string {
  return String(headers['x-amz-target']).split('.').at(-1) ?? '';
}

function nameOf(key: Item): string {
  return `${key['kind']?.['S']}/${key['name']?.['S']}`;
}
