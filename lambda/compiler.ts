import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import middy from '@middy/core';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { libraryFacts } from './compiler/library-facts.ts';
import { type ConfigEvent, publishConfiguration } from './compiler/publish-configuration.ts';
import type { RawItem } from './config/raw-item.ts';
import { environmentNames, requiredVariable } from './environment.ts';
import { dynamoConfigWriter } from './store/dynamo-config-writer.ts';
import { type DynamoItem, rawItem } from './store/dynamo-item.ts';
import { errorName } from './telemetry/error-name.ts';
import { defaultMetricNamespace } from './telemetry/metric-names.ts';
import { createTelemetry, standardOutput } from './telemetry/telemetry.ts';

const store = dynamoConfigWriter(new DynamoDBClient({}), requiredVariable(process.env, environmentNames.configTable));
const eventBusName = requiredVariable(process.env, environmentNames.eventBus);
const telemetry = createTelemetry({
  namespace: process.env[environmentNames.metricNamespace] ?? defaultMetricNamespace,
  write: standardOutput,
  now: Date.now,
});
const eventBridge = new EventBridgeClient({ maxAttempts: 2 });

/** Runs after every edit of the config table. A rejected edit is no failure: only what is worth a retry is thrown. */
export const handler = middy<DynamoDBStreamEvent>().handler(async (event: DynamoDBStreamEvent) => {
  const status = await publishConfiguration({ store, emit, now: Date.now, factsOf: libraryFacts }, changedApart(event));
  const metric = status.state === 'rejected' ? 'configRejected' : 'configPublished';
  telemetry.event('ConfigCompiled', { records: event.Records.length, ...status }, { [metric]: 1 });
});

const compiledFrom = ['provider', 'model', 'settings'];

/** What was saved and is not compiled with the rest: keys, and kinds that do not exist. */
function changedApart(event: DynamoDBStreamEvent): RawItem[] {
  return event.Records.flatMap(({ dynamodb }) => {
    // The event types have sets and binaries as JSON has them; of a key item only its strings and lists matter.
    const image = dynamodb?.NewImage as DynamoItem | undefined;
    return image && !compiledFrom.includes(image['kind']?.S ?? '') ? [rawItem(image)] : [];
  });
}

async function emit({ type, ...detail }: ConfigEvent): Promise<void> {
  const entry = { Source: 'sluice', DetailType: type, Detail: JSON.stringify(detail), EventBusName: eventBusName };
  try {
    const { Entries = [] } = await eventBridge.send(new PutEventsCommand({ Entries: [entry] }));
    for (const { ErrorCode } of Entries) if (ErrorCode) throw new Error(ErrorCode);
  } catch (error) {
    const reason = errorName(error);
    telemetry.event('EventNotSent', { detailType: type, ...detail, reason }, { eventsLost: 1 });
  }
}
