import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { assembleGateway, type GatewayParts } from '../lambda/assemble-gateway.ts';
import { libraryFacts } from '../lambda/compiler/library-facts.ts';
import { publishConfiguration } from '../lambda/compiler/publish-configuration.ts';
import { dynamoConfigReader } from '../lambda/store/dynamo-config-reader.ts';
import { dynamoIdempotencyStore } from '../lambda/store/dynamo-idempotency-store.ts';
import { memoryBreakerStore } from '../lambda/store/memory-breaker-store.ts';
import { memoryConfigStore } from '../lambda/store/memory-config-store.ts';
import { memoryIdempotencyStore } from '../lambda/store/memory-idempotency-store.ts';
import { memorySecretStore } from '../lambda/store/memory-secret-store.ts';
import { memoryStatsStore } from '../lambda/store/memory-stats-store.ts';
import { memoryTurnStore } from '../lambda/store/memory-turn-store.ts';
import { secretsManagerStore } from '../lambda/store/secrets-manager-store.ts';
import { createTelemetry } from '../lambda/telemetry/telemetry.ts';
import { chatRequest, collectingSink, requestLine } from './support/core.ts';
import { aSample } from './support/samples.ts';
import { answer, completion } from './support/scripted-vendor.ts';
import { type SilentAws, startSilentAws } from './support/silent-aws.ts';
import { suiteVendor } from './support/suite-vendor.ts';

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

const vendor = suiteVendor();

/** A configuration with a key and a model, as the compiler publishes it. */
async function published() {
  const store = memoryConfigStore([
    { kind: 'key', name },
    { kind: 'provider', name: 'scripted', type: 'openai-compatible', baseUrl: vendor.url },
    { kind: 'model', name: 'one', targets: ['scripted/model-1'] },
  ]);
  await publishConfiguration({ store, emit: async () => {}, now: Date.now, factsOf: libraryFacts }, []);
  return store;
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

  describe('when AWS takes every request and says nothing', () => {
    let aws: SilentAws;
    beforeAll(async () => {
      aws = await startSilentAws();
    });
    afterAll(() => aws.stop());

    const limitMs = 40;
    const silentConfig = () => dynamoConfigReader(aws.dynamoDb, 'Config', { itemMs: limitMs });
    const silentSecrets = () =>
      secretsManagerStore(aws.secretsManager, { vendorSecret: 'v', firstKeySecret: 'f' }, limitMs);

    test.each<[string, string, string, () => Promise<Partial<GatewayParts>>]>([
      [
        'the table of keys',
        'The API keys of this gateway',
        'caller-keys',
        async () => {
          const { readKey } = silentConfig();
          return { reader: { ...(await published()), readKey } };
        },
      ],
      [
        'the configuration',
        'The configuration of this gateway',
        'config',
        async () => {
          const { readPointer } = silentConfig();
          return { reader: { ...(await published()), readPointer } };
        },
      ],
      [
        'the secret of the first key',
        'The API keys of this gateway',
        'first-key',
        async () => {
          const { readFirstKey } = silentSecrets();
          return { reader: memoryConfigStore(), secretStore: { ...memorySecretStore({}), readFirstKey } };
        },
      ],
      [
        'the secret of the vendors',
        'The keys of the providers',
        'vendor-keys',
        async () => {
          const { readVendorSecrets } = silentSecrets();
          return { reader: await published(), secretStore: { ...memorySecretStore({}), readVendorSecrets } };
        },
      ],
    ])('tells a caller to come back, where it is %s that was never read', async (_, what, of, silentParts) => {
      const { gateway, close, lines } = assembled(await silentParts());
      const sink = collectingSink();

      await gateway.handle(chatRequest({ model: 'one' }, { headers: { 'x-api-key': key } }), sink);
      close();

      expect(sink.heads[0]).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
      expect(JSON.parse(sink.text()).error).toEqual({
        message: `${what} cannot be read at the moment. Try again.`,
        ...{ type: 'server_error', param: null, code: 'configuration_unavailable' },
      });
      expect(requestLine(lines)).toMatchObject({
        ...{ errorCode: 'configuration_unavailable', faultDomain: 'gateway' },
        cause: expect.stringMatching(/^AbortError/),
      });
      const told = lines.filter((line) => line.includes('"RefreshFailed"')).map((line) => JSON.parse(line));
      expect(told).toContainEqual(expect.objectContaining({ of, reason: 'AbortError', 'sluice.refresh.failures': 1 }));
      expect(lines.join('\n')).not.toContain(key);
    });

    test('answers without the protection of an idempotency key', async () => {
      const idempotencyStore = dynamoIdempotencyStore(aws.dynamoDb, 'Stats', limitMs);
      const { gateway, close, lines } = assembled({
        ...{ reader: await published(), idempotencyStore },
        secretStore: memorySecretStore({ scripted: ['secret'] }),
      });
      vendor.always(answer(200, completion('hello')));
      const headers = { 'x-api-key': key, 'idempotency-key': 'order-1' };
      const required = { ...headers, 'x-sluice-idempotency': 'required' };
      const [sink, strict] = [collectingSink(), collectingSink()];

      await gateway.handle(chatRequest({}, { headers }), sink);
      await gateway.handle(chatRequest({}, { headers: required }), strict);
      close();

      expect(sink.heads[0]).toMatchObject({ status: 200, headers: { 'x-sluice-idempotency': 'unavailable' } });
      expect(strict.heads[0]).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
      expect(lines.filter((line) => line.includes('"IdempotencyUnavailable"'))).toHaveLength(2);
    });
  });

  test('has settled after a few seconds, whichever source never answers', async () => {
    const never = () => new Promise<never>(() => {});
    const silent = [
      assembled({ reader: { readPointer: never, readSnapshot: never, readKey: never } }),
      assembled({ secretStore: { readVendorSecrets: never, readFirstKey: never } }),
      assembled({ turnStore: { take: never } }),
      assembled({ statsStore: { ...memoryStatsStore(), readLive: never } }),
      assembled({ statsStore: { ...memoryStatsStore(), writeSamples: never } }),
    ];
    for (const { deps, warm } of silent) {
      void warm();
      deps.turns.next('keys');
      deps.measure(aSample({ atMs: Date.now() }));
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
