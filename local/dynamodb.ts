import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildProcesses } from './child-processes.ts';
import { type DynamoDbCall, DynamoDbError, dynamoDbCaller } from './dynamodb-call.ts';
import { findFreePort } from './listen.ts';
import { LocalStackError } from './local-stack-error.ts';
import type { TableDefinition } from './table-definition.ts';

/** Options of the embedded DynamoDB. */
export type DynamoDbOptions = {
  children: ChildProcesses;
  /** 0 for any free port. */
  port: number;
  /** Directory to keep the tables in; without it they are gone at exit. */
  dataDirectory: string | undefined;
};

/** Starts the embedded engine and resolves to its URL when it answers. */
export async function startDynamoDb({ children, port, dataDirectory }: DynamoDbOptions): Promise<string> {
  // The engine does not tell which port it took for 0, so it is given one that was free a moment ago.
  const freePort = await findFreePort(port, '--dynamodb-port');
  const storage = dataDirectory ? ['--db-path', join(dataDirectory, 'dynamodb.sqlite')] : [];
  const child = children.spawn(engineBinary(), ['serve', '--port', String(freePort), ...storage], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {},
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', (error) =>
      reject(new LocalStackError(`The embedded DynamoDB did not start: ${error.message}`)),
    );
    child.once('exit', (code) => {
      reject(new LocalStackError(`The embedded DynamoDB stopped with exit code ${code}: ${errors.trim()}`));
    });
  });
  const url = `http://127.0.0.1:${freePort}`;
  // After the start nobody listens for the exit any more, and a stack that closes kills the engine.
  failed.catch(() => {});
  await Promise.race([untilItAnswers(url, 10_000), failed]);
  return url;
}

/** Rejects with a line that says what to do unless DynamoDB answers at this address. */
export async function untilItAnswers(url: string, timeoutMs: number): Promise<void> {
  const call = dynamoDbCaller(url);
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      await call('ListTables', { Limit: 1 });
      return;
    } catch (error) {
      if (error instanceof DynamoDbError || Date.now() > deadline) {
        throw new LocalStackError(`DynamoDB does not answer at ${url} (${describe(error)}).`);
      }
      await delay(15);
    }
  }
}

/** Creates a table with its stream, unless it is there already. */
export async function createTable(call: DynamoDbCall, { name, createRequest, timeToLiveAttribute }: TableDefinition) {
  try {
    await call('CreateTable', createRequest);
  } catch (error) {
    if (error instanceof DynamoDbError && error.code === 'ResourceInUseException') return;
    throw error;
  }
  if (!timeToLiveAttribute) return;
  const TimeToLiveSpecification = { Enabled: true, AttributeName: timeToLiveAttribute };
  await call('UpdateTimeToLive', { TableName: name, TimeToLiveSpecification });
}

function engineBinary(): string {
  const name = `@dynoxide/${process.platform}-${process.arch}`;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(manifest, '..', process.platform === 'win32' ? 'dynoxide.exe' : 'dynoxide');
  } catch {
    throw new LocalStackError(
      `The embedded DynamoDB (npm package ${name}) is not installed. Run \`npm ci\`; or, where that package does not exist, start any DynamoDB (such as Docker's amazon/dynamodb-local) and pass --dynamodb-endpoint URL.`,
    );
  }
}

function describe(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
