import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createBreakerBoard } from '../../lambda/gateway/attempts/breaker-board.ts';
import { fleetTurns } from '../../lambda/gateway/attempts/turns.ts';
import { openedBreaker } from '../../lambda/routing/breaker.ts';
import { dynamoBreakerStore } from '../../lambda/store/dynamo-breaker-store.ts';
import { dynamoTurnStore } from '../../lambda/store/dynamo-turn-store.ts';

/** Takes every request and says nothing. */
const server = createServer(() => {});
let client: DynamoDBClient;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
});
afterAll(() => {
  client.destroy();
  server.close();
  server.closeAllConnections();
});

const target = 'openai/gpt-4o';
const nowMs = 1_000_000;
const breaker = openedBreaker(undefined, { reason: 'timeout', nowMs });

describe('a table that never answers', () => {
  test.concurrent.each<[string, () => Promise<unknown>]>([
    ['report', () => breakers().report(target, { startMs: 0, failures: 1, attempts: 1 })],
    ['open', () => breakers().open(target, breaker, { writer: 'w', nowMs })],
    ['lease', () => breakers().lease(target, breaker, { holder: 'h', nowMs, untilMs: nowMs + 1 })],
    ['release', () => breakers().release(target, 'h')],
    ['close', () => breakers().close(target, nowMs)],
    ['turns', () => dynamoTurnStore(client, 'Stats', () => nowMs).take('keys', 4)],
  ])('is given up by %s', async (_, call) => {
    await expect(call()).rejects.toThrow('abort');
  });

  test.concurrent('keeps what runs behind requests from nobody for long', async () => {
    const errors: string[] = [];
    const onError = (error: unknown) => void errors.push((error as Error).name);
    const parts = { now: () => nowMs, newId: () => 'id', emit: () => {}, onError };
    const board = createBreakerBoard({ ...parts, store: breakers(), isConfigured: async () => true });
    const store = dynamoTurnStore(client, 'Stats', () => nowMs);
    const turns = fleetTurns({ store, random: () => 0, onError });
    for (let i = 0; i < 3; i++) board.note({ target, sign: 'down', reason: 'timeout', startedAtMs: nowMs });
    turns.next('keys');

    await Promise.all([board.settled(), turns.settled()]);

    expect(new Set(errors)).toEqual(new Set(['AbortError']));
    expect(board.state(target)).toBe('open');
  });
});

function breakers() {
  return dynamoBreakerStore(client, 'Stats');
}
