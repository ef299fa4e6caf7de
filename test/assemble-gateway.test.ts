import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { assembleGateway, type GatewayParts } from '../lambda/assemble-gateway.ts';
import { memoryBreakerStore } from '../lambda/store/memory-breaker-store.ts';
import { memoryConfigStore } from '../lambda/store/memory-config-store.ts';
import { memoryIdempotencyStore } from '../lambda/store/memory-idempotency-store.ts';
import { memorySecretStore } from '../lambda/store/memory-secret-store.ts';
import { memoryStatsStore } from '../lambda/store/memory-stats-store.ts';
import { memoryTurnStore } from '../lambda/store/memory-turn-store.ts';
import { createTelemetry } from '../lambda/telemetry/telemetry.ts';
import { chatRequest, collectingSink } from './support/core.ts';

const key = 'canary-caller-key';
const name = createHash('sha256').update(key).digest('hex');

function assembled(parts: Partial<GatewayParts>) {
  const lines: string[] = [];
  const gateway = assembleGateway({
    breakerStore: memoryBreakerStore(),
    turnStore: memoryTurnStore(),
    awsCredentials: () => undefined,
    idempotencyStore: memoryIdempotencyStore(),
    reader: memoryConfigStore([]),
    secretStore: memorySecretStore({}),
    statsStore: memoryStatsStore(),
    telemetry: createTelemetry({ namespace: 'Test', write: (line) => void lines.push(line), now: Date.now }),
    ...parts,
  });
  return { ...gateway, lines };
}

/** The status that a holder of the key gets, and what was logged. */
async function statusWith(
  item: object | undefined,
  { firstKey, sent = key }: { firstKey?: string; sent?: string } = {},
) {
  const { gateway, close, lines } = assembled({
    reader: memoryConfigStore(item ? [{ kind: 'key', name, ...item }] : []),
    secretStore: memorySecretStore({}, firstKey),
  });
  const sink = collectingSink();
  await gateway.handle(chatRequest({}, { method: 'GET', path: '/v1/models', headers: { 'x-api-key': sent } }), sink);
  close();
  return { status: sink.heads[0]?.status, log: lines.join('\n') };
}

describe('assembleGateway', () => {
  test.each<[string, object | undefined, number]>([
    ['a key', {}, 200],
    ['a key that expires later', { expiresAt: '2999-01-01T00:00:00Z' }, 200],
    ['no key', undefined, 401],
    ['a disabled key', { disabled: true }, 401],
    ['an expired key', { expiresAt: '2020-01-01T00:00:00Z' }, 401],
    ['a key whose end has a time zone that no clock here can read', { expiresAt: '2020-01-01T00:00:00+05' }, 401],
    ['a key with a limit that nothing enforces', { budget: 5 }, 401],
    ['a key with a broken limit', { models: 'all' }, 401],
  ])('lets %s in as it should', async (_, item, status) => {
    const result = await statusWith(item);

    expect(result.status).toBe(status);
    expect(result.log).not.toContain(key);
  });

  test('lets the first key in, and nobody by its absence', async () => {
    expect((await statusWith(undefined, { firstKey: key })).status).toBe(200);
    expect((await statusWith(undefined, { firstKey: 'another' })).status).toBe(401);
    expect((await statusWith(undefined, { sent: '' })).status).toBe(401);
    expect((await statusWith(undefined, { sent: 'undefined' })).status).toBe(401);
  });

  test('has settled after a few seconds, whichever source never answers', async () => {
    const never = () => new Promise<never>(() => {});
    const silent = [
      assembled({ reader: { readPointer: never, readSnapshot: never, readKey: never } }),
      assembled({ secretStore: { readVendorSecrets: never, readFirstKey: never } }),
      assembled({ turnStore: { take: never } }),
    ];
    for (const { deps, warm } of silent) {
      void warm();
      deps.turns.next('keys');
    }

    await Promise.all(silent.map(({ settled }) => settled()));
    for (const { close } of silent) close();
  });

  test('shares no breaker of a name that nobody but a caller knows, until it answers', async () => {
    const statsStore = memoryStatsStore();
    const { deps, settled, close } = assembled({ statsStore, breakerStore: memoryBreakerStore(statsStore.breakers) });
    const failure = { sign: 'down', reason: 'not_found', startedAtMs: Date.now() } as const;
    const answer = { sign: 'up', reason: 'cancelled', startedAtMs: Date.now(), answered: true } as const;

    deps.breakers.note({ ...answer, target: 'openai/real' });
    for (const target of ['openai/made-up', 'openai/real'])
      for (let i = 0; i < 3; i++) deps.breakers.note({ ...failure, target });
    await settled();
    close();

    expect(deps.breakers.state('openai/made-up')).toBe('open');
    expect([...statsStore.breakers.keys()]).toEqual(['openai/real']);
  });
});
