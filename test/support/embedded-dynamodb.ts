import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  ListTablesCommand,
} from '@aws-sdk/client-dynamodb';
import { configTable, statsTable } from '../../lambda/store/table-schema.ts';

/** A running DynamoDB on loopback, empty at first. */
export type EmbeddedDynamoDb = { endpoint: string; client: DynamoDBClient; stop(): Promise<void> };

/** Starts the embedded DynamoDB on a free port and waits until it answers. */
export async function startEmbeddedDynamoDb(): Promise<EmbeddedDynamoDb> {
  const manifest = createRequire(import.meta.url).resolve('@dynoxide/linux-x64/package.json');
  const port = await freePort();
  const child = spawn(join(dirname(manifest), 'dynoxide'), ['serve', '--port', String(port)], { stdio: 'ignore' });
  const endpoint = `http://127.0.0.1:${port}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  await answering(client, child);
  return {
    endpoint,
    client,
    async stop() {
      client.destroy();
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await exited;
    },
  };
}

/** Creates a config table as the stack does: two keys and a stream. */
export async function createConfigTable(client: DynamoDBClient, tableName: string): Promise<void> {
  const stream = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;
  await createTable(client, { TableName: tableName, StreamSpecification: stream }, configTable);
}

/** Creates a stats table as the stack does: two keys. */
export async function createStatsTable(client: DynamoDBClient, tableName: string): Promise<void> {
  await createTable(client, { TableName: tableName }, statsTable);
}

async function createTable(
  client: DynamoDBClient,
  table: Pick<CreateTableCommandInput, 'TableName' | 'StreamSpecification'>,
  { partitionKey, sortKey }: { partitionKey: string; sortKey: string },
): Promise<void> {
  await client.send(
    new CreateTableCommand({
      ...table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: partitionKey, AttributeType: 'S' },
        { AttributeName: sortKey, AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: partitionKey, KeyType: 'HASH' },
        { AttributeName: sortKey, KeyType: 'RANGE' },
      ],
    }),
  );
}

async function answering(client: DynamoDBClient, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`The embedded DynamoDB ended with code ${child.exitCode}`);
    const answered = await client.send(new ListTablesCommand({})).catch(() => undefined);
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('The embedded DynamoDB did not answer within 10 s');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('No free port was found');
  return address.port;
}
