import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Context, DynamoDBStreamEvent } from 'aws-lambda';
import { assembleGateway } from '../../lambda/assemble-gateway.ts';
import { libraryFacts } from '../../lambda/compiler/library-facts.ts';
import { publishConfiguration } from '../../lambda/compiler/publish-configuration.ts';
import type { RawItem } from '../../lambda/config/raw-item.ts';
import { foldAndTell } from '../../lambda/prober/fold-and-tell.ts';
import { runProbes } from '../../lambda/prober/run-probes.ts';
import { memoryBreakerStore } from '../../lambda/store/memory-breaker-store.ts';
import { memoryConfigStore } from '../../lambda/store/memory-config-store.ts';
import { memoryIdempotencyStore } from '../../lambda/store/memory-idempotency-store.ts';
import { memoryProbeBudgetStore } from '../../lambda/store/memory-probe-budget-store.ts';
import { memorySecretStore } from '../../lambda/store/memory-secret-store.ts';
import { memoryStatsStore } from '../../lambda/store/memory-stats-store.ts';
import { memoryTurnStore } from '../../lambda/store/memory-turn-store.ts';
import type { StatsStore } from '../../lambda/store/stats-store.ts';
import { createTelemetry } from '../../lambda/telemetry/telemetry.ts';
import { chatRequest, collectingSink } from '../support/core.ts';
import { createConfigTable, type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../support/embedded-dynamodb.ts';
import {
  type AskedMetric,
  alarmsOf,
  askedByAlarms,
  askedByWidgets,
  dashboardWidgets,
  observedStack,
} from '../support/observed-stack.ts';
import { answer, chunk, done, role, type Script, stream, usageChunk } from '../support/scripted-vendor.ts';
import { suiteVendor } from '../support/suite-vendor.ts';

/** The namespace that the stack gives its functions: its name. */
const namespace = 'Acme';
const text = ({ namespace, name, dimensions }: AskedMetric) => `${namespace}: ${name} by ${[...dimensions].sort()}`;

const stack = observedStack();
const asked = [...askedByWidgets(dashboardWidgets(stack)), ...askedByAlarms(alarmsOf(stack))];
const ours = new Set(asked.filter((metric) => !metric.namespace.startsWith('AWS/')).map(text));

const vendor = suiteVendor();
let dynamoDb: EmbeddedDynamoDb;
const emitted = new Set<string>();

/** Takes the metrics of a line as CloudWatch would: by what the line itself says of them. */
function take(line: string): void {
  const directives = JSON.parse(line)._aws?.CloudWatchMetrics ?? [];
  for (const { Namespace, Dimensions, Metrics } of directives)
    for (const dimensions of Dimensions)
      for (const { Name } of Metrics) emitted.add(text({ namespace: Namespace, name: Name, dimensions }));
}

const key = 'key';
const items: RawItem[] = [
  { kind: 'key', name: createHash('sha256').update(key).digest('hex'), models: ['one', 'keyless'] },
  { kind: 'model', name: 'one', targets: ['scripted/model-1'] },
  { kind: 'model', name: 'keyless', targets: ['openai/model-2'] },
  { kind: 'model', name: 'not-for-everybody', targets: ['scripted/model-1', 'scripted/model-3'] },
];

const usage = {
  ...{ prompt_tokens: 50, completion_tokens: 20 },
  prompt_tokens_details: { cached_tokens: 20, cache_write_tokens: 10 },
  completion_tokens_details: { reasoning_tokens: 5 },
};
const whole = stream(role, chunk({ content: 'hi' }), chunk({}, 'stop'), usageChunk(usage), done);
const halfASound: Script = async (_, response) => {
  response.writeHead(200, { 'content-type': 'audio/mpeg' });
  await new Promise((resolve) => response.write('half', resolve));
  response.destroy();
};
const refused = answer(429, { error: { message: 'not now' } }, { 'retry-after': '5' });

/** One environment of the fleet, whose stats table may be out of order. */
async function environment(broken: Partial<StatsStore> = {}) {
  const reader = memoryConfigStore([
    ...items,
    { kind: 'provider', name: 'scripted', type: 'openai-compatible', baseUrl: vendor.url },
  ]);
  await publishConfiguration({ store: reader, emit: async () => {}, now: Date.now, factsOf: libraryFacts }, []);
  const statsStore = { ...memoryStatsStore(), ...broken };
  const telemetry = createTelemetry({ namespace, write: take, now: Date.now });
  const assembled = assembleGateway({
    ...{ reader, statsStore, telemetry, coldStart: true },
    breakerStore: memoryBreakerStore(statsStore.breakers),
    turnStore: memoryTurnStore(),
    awsCredentials: () => undefined,
    idempotencyStore: memoryIdempotencyStore(),
    secretStore: memorySecretStore({ scripted: ['secret'] }),
  });
  const ask = (model: string, script: Script, path = '/v1/chat/completions') => {
    vendor.always(script);
    return assembled.gateway.handle(chatRequest({ model, stream: true }, { path }), collectingSink());
  };
  return { ...assembled, statsStore, telemetry, ask };
}

async function runGateway(): Promise<void> {
  const { ask, settled, close, statsStore } = await environment();
  const opened = { openedAtMs: Date.now() - 9_000, openings: 1, reason: 'overloaded' } as const;
  statsStore.breakers.set('scripted/model-1', { ...opened, openUntilMs: Date.now() - 1_000 });
  await ask('one', whole);
  await settled();
  await expect(ask('one', halfASound, '/v1/audio/speech')).rejects.toThrow();
  await ask('one', answer(400, { error: { message: 'no such parameter' } }));
  await ask('one', refused);
  await ask('keyless', whole);
  await ask('not-for-everybody', whole);
  await settled();
  close();
}

/** What fails behind the requests: reading what is known, writing what was seen, and folding it. */
async function runGatewaysWithoutTable(): Promise<void> {
  const fail = async () => Promise.reject(new Error('throttled'));
  const known = async () => ({ scores: { foldedAtMs: Date.now() - 60_000, targets: {} }, breakers: {} });
  for (const broken of [{ readLive: fail }, { writeSamples: fail }, { readLive: known, readKnowledge: fail }]) {
    const { ask, settled, close, measurement } = await environment(broken);
    await measurement.warm();
    await ask('one', whole);
    await settled();
    close();
  }
}

async function runProber(): Promise<void> {
  const { ask, settled, close, deps, measurement, statsStore: stats, telemetry } = await environment();
  await ask('one', whole);
  await settled();
  // Late enough for what was seen to be complete.
  await foldAndTell({ stats, snapshot: deps.snapshot, telemetry, now: () => Date.now() + 30_000 });
  await runProbes({ deps, stats, budget: memoryProbeBudgetStore(), measurement }, Date.now() + 60_000);
  await settled();
  close();
}

/** The function itself: an edit that is good, and one that is not, while the event bus is out of reach. */
async function runCompiler(): Promise<void> {
  await createConfigTable(dynamoDb.client, 'Config');
  Object.assign(process.env, {
    ...{ CONFIG_TABLE: 'Config', EVENT_BUS: 'default', METRIC_NAMESPACE: namespace, AWS_REGION: 'us-east-1' },
    ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint },
    AWS_ENDPOINT_URL_EVENTBRIDGE: 'http://127.0.0.1:9',
  });
  const written = jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
    take(String(line));
    return true;
  });
  try {
    const { handler } = await import('../../lambda/compiler.ts');
    const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
    const unknownKind = { dynamodb: { NewImage: { kind: { S: 'modle' }, name: { S: 'one' } } } };
    for (const Records of [[], [unknownKind]]) await handler({ Records } as unknown as DynamoDBStreamEvent, context);
  } finally {
    written.mockRestore();
  }
}

beforeAll(async () => {
  dynamoDb = await startEmbeddedDynamoDb();
  await runGateway();
  await runGatewaysWithoutTable();
  await runProber();
  await runCompiler();
}, 30_000);
afterAll(() => dynamoDb.stop());

test.each([...ours])('somebody emits what is looked at as %s', (metric) => {
  expect([...emitted]).toContain(metric);
});

test('everything that is emitted is looked at', () => {
  expect([...emitted].filter((metric) => !ours.has(metric))).toEqual([]);
});
