import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { assembleGateway } from './assemble-gateway.ts';
import { environmentNames, requiredVariable } from './environment.ts';
import { functionUrlHandler } from './hosts/function-url.ts';
import { roleCredentials } from './providers/role-credentials.ts';
import { dynamoBreakerStore } from './store/dynamo-breaker-store.ts';
import { dynamoConfigReader } from './store/dynamo-config-reader.ts';
import { dynamoIdempotencyStore } from './store/dynamo-idempotency-store.ts';
import { dynamoStatsStore } from './store/dynamo-stats-store.ts';
import { dynamoTurnStore } from './store/dynamo-turn-store.ts';
import { secretsManagerStore } from './store/secrets-manager-store.ts';
import { defaultMetricNamespace } from './telemetry/metric-names.ts';
import { createTelemetry, standardOutput } from './telemetry/telemetry.ts';

/** Init may take 10 s on Lambda; a slow AWS must not use them up. */
const longestWarmUpMs = 3_000;

// All of them before any work: a variable that is missing is then the only thing that fails.
const variable = (name: string) => requiredVariable(process.env, name);
const configTable = variable(environmentNames.configTable);
const statsTable = variable(environmentNames.statsTable);
const secretNames = {
  vendorSecret: variable(environmentNames.vendorSecret),
  firstKeySecret: variable(environmentNames.firstKeySecret),
};

const dynamoDb = new DynamoDBClient({});
const { gateway, warm, settled } = assembleGateway({
  reader: dynamoConfigReader(dynamoDb, configTable),
  statsStore: dynamoStatsStore(dynamoDb, statsTable),
  breakerStore: dynamoBreakerStore(dynamoDb, statsTable),
  turnStore: dynamoTurnStore(dynamoDb, statsTable, Date.now),
  idempotencyStore: dynamoIdempotencyStore(dynamoDb, statsTable),
  secretStore: secretsManagerStore(new SecretsManagerClient({}), secretNames),
  awsCredentials: () => roleCredentials(process.env),
  telemetry: createTelemetry({
    namespace: process.env[environmentNames.metricNamespace] ?? defaultMetricNamespace,
    write: standardOutput,
    now: Date.now,
  }),
  // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
  coldStart: process.env['AWS_LAMBDA_INITIALIZATION_TYPE'] !== 'provisioned-concurrency',
});

// Init is not throttled, the first request is: read now what it will need.
await Promise.race([warm(), new Promise((resolve) => setTimeout(resolve, longestWarmUpMs).unref())]);

/** The gateway function. */
export const handler = functionUrlHandler(gateway, settled);
