import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventSourceMapping } from './event-source-mapping.ts';
import type { FunctionDefinition } from './function-definition.ts';
import type { FunctionUrlDefinition } from './function-url.ts';
import { functionNameOf } from './physical-names.ts';
import { rateMs, type ScheduleDefinition } from './scheduler.ts';
import { type TableDefinition, toTableDefinition } from './table-definition.ts';
import { type ResolvedResource, resolveTemplate, type Template } from './template.ts';

/** What the local stack runs of a synthesized CDK app. Resources of other types are ignored. */
export type Assembly = {
  stackName: string;
  tables: TableDefinition[];
  functions: FunctionDefinition[];
  functionUrls: FunctionUrlDefinition[];
  eventSourceMappings: EventSourceMapping[];
  schedules: ScheduleDefinition[];
  secrets: { name: string; arn: string }[];
  queues: { name: string; arn: string }[];
};

type Manifest = {
  artifacts: Record<
    string,
    { type: string; properties?: { templateFile?: string; stackName?: string; file?: string } }
  >;
};
type AssetManifest = {
  files: Record<string, { source: { path?: string }; destinations: Record<string, { objectKey: string }> }>;
};

/** Reads the one stack of a cloud assembly (`cdk.out`). */
export function readAssembly(directory: string): Assembly {
  const { artifacts } = readJson<Manifest>(join(directory, 'manifest.json'));
  const stacks = Object.entries(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
  const [stack] = stacks;
  if (!stack || stacks.length > 1)
    throw new Error(`${directory} holds ${stacks.length} stacks; exactly one can run here`);
  const [artifactId, { properties }] = stack;
  const stackName = properties?.stackName ?? artifactId;
  const template = readJson<Template>(join(directory, properties?.templateFile ?? `${artifactId}.template.json`));
  return toAssembly(resolveTemplate(template, stackName), { stackName, assets: readAssets(directory, artifacts) });
}

function readAssets(directory: string, artifacts: Manifest['artifacts']): Map<string, string> {
  const manifests = Object.values(artifacts).filter(({ type }) => type === 'cdk:asset-manifest');
  const files = manifests.flatMap(({ properties }) =>
    Object.values(readJson<AssetManifest>(join(directory, properties?.file ?? '')).files),
  );
  return new Map(
    files.flatMap(({ source, destinations }) =>
      Object.values(destinations).map(({ objectKey }) => [objectKey, join(directory, source.path ?? '')] as const),
    ),
  );
}

function toAssembly(
  resources: ResolvedResource[],
  { stackName, assets }: { stackName: string; assets: Map<string, string> },
): Assembly {
  const ofType = (...types: string[]) => resources.filter(({ type }) => types.includes(type));
  const named = ({ identity: { name, arn } }: ResolvedResource) => ({ name, arn });
  return {
    stackName,
    tables: ofType('AWS::DynamoDB::GlobalTable', 'AWS::DynamoDB::Table').map(toTableDefinition),
    functions: ofType('AWS::Lambda::Function').flatMap((resource) => toFunction(resource, assets)),
    functionUrls: ofType('AWS::Lambda::Url').map(toFunctionUrl),
    eventSourceMappings: ofType('AWS::Lambda::EventSourceMapping').map(toEventSourceMapping),
    schedules: ofType('AWS::Scheduler::Schedule').flatMap(toSchedule),
    secrets: ofType('AWS::SecretsManager::Secret').map(named),
    queues: ofType('AWS::SQS::Queue').map(named),
  };
}

/** Functions without an asset folder (CDK's inline helpers of deployments) have nothing to do here. */
function toFunction({ logicalId, properties, identity }: ResolvedResource, assets: Map<string, string>) {
  const code = properties['Code'] as { S3Key?: string } | undefined;
  const codeDirectory = assets.get(code?.S3Key ?? '');
  if (codeDirectory === undefined) return [];
  const environment = properties['Environment'] as { Variables?: Record<string, string> } | undefined;
  const logging = properties['LoggingConfig'] as { LogFormat?: string; ApplicationLogLevel?: string } | undefined;
  const definition: FunctionDefinition = {
    logicalId,
    name: identity.name,
    arn: identity.arn,
    handler: String(properties['Handler']),
    codeDirectory,
    memoryMb: Number(properties['MemorySize'] ?? 128),
    timeoutMs: Number(properties['Timeout'] ?? 3) * 1000,
    reservedConcurrency: properties['ReservedConcurrentExecutions'] as number | undefined,
    logFormat: logging?.LogFormat === 'JSON' ? 'JSON' : 'Text',
    logLevel: logging?.ApplicationLogLevel,
    variables: environment?.Variables ?? {},
  };
  return [definition];
}

function toFunctionUrl({ logicalId, properties }: ResolvedResource): FunctionUrlDefinition {
  return {
    logicalId,
    functionName: functionNameOf(String(properties['TargetFunctionArn'])),
    invokeMode: properties['InvokeMode'] === 'RESPONSE_STREAM' ? 'RESPONSE_STREAM' : 'BUFFERED',
    cors: properties['Cors'] as FunctionUrlDefinition['cors'],
  };
}

function toEventSourceMapping({ logicalId, properties }: ResolvedResource): EventSourceMapping {
  const filters = properties['FilterCriteria'] as { Filters?: { Pattern?: string }[] } | undefined;
  const destinations = properties['DestinationConfig'] as { OnFailure?: { Destination?: string } } | undefined;
  const responseTypes = (properties['FunctionResponseTypes'] ?? []) as string[];
  return {
    logicalId,
    functionName: functionNameOf(String(properties['FunctionName'])),
    sourceArn: String(properties['EventSourceArn']),
    startingPosition: properties['StartingPosition'] === 'LATEST' ? 'LATEST' : 'TRIM_HORIZON',
    batchSize: Number(properties['BatchSize'] ?? 100),
    patterns: (filters?.Filters ?? []).map(({ Pattern }) => JSON.parse(Pattern ?? '{}')),
    bisectOnError: properties['BisectBatchOnFunctionError'] === true,
    maximumRetries: unlimited(properties['MaximumRetryAttempts']),
    maximumRecordAgeMs: unlimited(properties['MaximumRecordAgeInSeconds']) * 1000,
    reportsItemFailures: responseTypes.includes('ReportBatchItemFailures'),
    onFailureArn: destinations?.OnFailure?.Destination,
  };
}

/** Schedules that wake something else than a function have nothing to do here. */
function toSchedule({ logicalId, properties }: ResolvedResource): ScheduleDefinition[] {
  const target = properties['Target'] as { Arn?: string; Input?: string } | undefined;
  if (properties['State'] === 'DISABLED' || !/:lambda:.*:function:/.test(target?.Arn ?? '')) return [];
  const everyMs = rateMs(String(properties['ScheduleExpression']));
  return [{ logicalId, functionName: functionNameOf(target?.Arn ?? ''), everyMs, input: target?.Input ?? '{}' }];
}

/** Both limits are absent or -1 when there is none. */
function unlimited(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : Number.POSITIVE_INFINITY;
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}
