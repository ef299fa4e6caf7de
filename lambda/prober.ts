import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { assembleGateway } from './assemble-gateway.ts';
import { environmentNames, requiredVariable } from './environment.ts';
import { foldAndTell } from './prober/fold-and-tell.ts';
import { runProbes } from './prober/run-probes.ts';
import { roleCredentials } from './providers/role-credentials.ts';
import { dynamoBreakerStore } from './store/dynamo-breaker-store.ts';
import { dynamoConfigReader } from './store/dynamo-config-reader.ts';
import { dynamoProbeBudgetStore } from './store/dynamo-probe-budget-store.ts';
import { dynamoStatsStore } from './store/dynamo-stats-store.ts';
import { dynamoTurnStore } from './store/dynamo-turn-store.ts';
import { memoryIdempotencyStore } from './store/memory-idempotency-store.ts';
import { secretsManagerStore } from './store/secrets-manager-store.ts';
import { defaultMetricNamespace } from './telemetry/metric-names.ts';
import { createTelemetry, standardOutput } from './telemetry/telemetry.ts';

const variable = (name: string) => requiredVariable(process.env, name);
const configTable = variable(environmentNames.configTable);
const statsTable = variable(environmentNames.statsTable);
const vendorSecret = variable(environmentNames.vendorSecret);

const dynamoDb = new DynamoDBClient({});
const stats = dynamoStatsStore(dynamoDb, statsTable);
const budget = dynamoProbeBudgetStore(dynamoDb, statsTable);
const telemetry = createTelemetry({
  namespace: process.env[environmentNames.metricNamespace] ?? defaultMetricNamespace,
  write: standardOutput,
  now: Date.now,
});
const { deps, measurement, settled } = assembleGateway({
  reader: dynamoConfigReader(dynamoDb, configTable),
  statsStore: stats,
  breakerStore: dynamoBreakerStore(dynamoDb, statsTable),
  turnStore: dynamoTurnStore(dynamoDb, statsTable, Date.now),
  // Probes carry no idempotency key, and nobody calls the prober with a key of the gateway's.
  idempotencyStore: memoryIdempotencyStore(),
  secretStore: secretsManagerStore(new SecretsManagerClient({}), { vendorSecret, firstKeySecret: '' }),
  awsCredentials: () => roleCredentials(process.env),
  telemetry,
});

/** Runs every minute: folds, and probes what is due. Only what is worth an alarm is thrown. */
export const handler = middy<unknown>().handler(async (_: unknown, context: Context) => {
  const untilMs = Date.now() + context.getRemainingTimeInMillis();
  await measurement.warm();
  await foldAndTell({ stats, snapshot: deps.snapshot, telemetry, now: Date.now });
  const probed = await runProbes({ deps, stats, budget, measurement }, untilMs);
  await settled();
  // What the probes found counts at once, not a minute later.
  if (probed > 0) telemetry.event('TargetsProbed', { probed });
});
