import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { AttributeType, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import {
  Code,
  FilterCriteria,
  FilterRule,
  FunctionUrlAuthType,
  HttpMethod,
  InvokeMode,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { type Assembly, readAssembly } from '../../local/assembly.ts';

describe('an assembly that CDK synthesized', () => {
  let directory: string;
  let assembly: Assembly;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'assembly-'));
    const code = join(directory, 'code');
    mkdirSync(code);
    writeFileSync(join(code, 'index.mjs'), 'export const handler = async () => {};');
    const app = new App({ outdir: join(directory, 'cdk.out'), analyticsReporting: false });
    const stack = new Stack(app, 'Test', { stackName: 'Other' });
    const table = new TableV2(stack, 'Table', {
      partitionKey: { name: 'kind', type: AttributeType.STRING },
      sortKey: { name: 'name', type: AttributeType.STRING },
      dynamoStream: StreamViewType.NEW_IMAGE,
      timeToLiveAttribute: 'ttl',
      globalSecondaryIndexes: [{ indexName: 'byName', partitionKey: { name: 'name', type: AttributeType.STRING } }],
    });
    const secret = new Secret(stack, 'Secret');
    const handler = new LambdaFunction(stack, 'Gateway', {
      runtime: Runtime.NODEJS_24_X,
      code: Code.fromAsset(code),
      handler: 'index.handler',
      memorySize: 512,
      timeout: Duration.seconds(30),
      reservedConcurrentExecutions: 2,
      loggingFormat: LoggingFormat.JSON,
      environment: { TABLE: table.tableName, SECRET: secret.secretArn },
    });
    handler.addAlias('live').addFunctionUrl({
      authType: FunctionUrlAuthType.NONE,
      invokeMode: InvokeMode.RESPONSE_STREAM,
      cors: { allowedOrigins: ['*'], allowedMethods: [HttpMethod.POST] },
    });
    handler.addEventSource(
      // CDK's own types clash under exactOptionalPropertyTypes.
      new DynamoEventSource(table as unknown as ConstructorParameters<typeof DynamoEventSource>[0], {
        startingPosition: StartingPosition.LATEST,
        batchSize: 7,
        retryAttempts: 3,
        bisectBatchOnError: true,
        maxRecordAge: Duration.minutes(10),
        reportBatchItemFailures: true,
        filters: [FilterCriteria.filter({ eventName: FilterRule.isEqual('INSERT') })],
        onFailure: new SqsDlq(new Queue(stack, 'Failures', { queueName: 'failures' })),
      }),
    );
    app.synth();
    assembly = readAssembly(join(directory, 'cdk.out'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('holds its tables as requests to create them', () => {
    const [table] = assembly.tables;

    expect(assembly.stackName).toBe('Other');
    expect(table?.name).toMatch(/^Other-Table/);
    expect(table?.timeToLiveAttribute).toBe('ttl');
    expect(table?.createRequest).toMatchObject({
      TableName: table?.name,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'kind', KeyType: 'HASH' },
        { AttributeName: 'name', KeyType: 'RANGE' },
      ],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
      GlobalSecondaryIndexes: [{ IndexName: 'byName', Projection: { ProjectionType: 'ALL' } }],
    });
  });

  test('holds its functions with code, limits and resolved variables', () => {
    const [definition] = assembly.functions;

    expect(definition).toMatchObject({
      handler: 'index.handler',
      memoryMb: 512,
      timeoutMs: 30_000,
      reservedConcurrency: 2,
      logFormat: 'JSON',
      variables: { TABLE: assembly.tables[0]?.name, SECRET: assembly.secrets[0]?.arn },
    });
    expect(definition?.codeDirectory).toMatch(/cdk\.out\/asset\.[0-9a-f]{64}$/);
  });

  test('leads a function URL through its alias to the function', () => {
    const [url] = assembly.functionUrls;

    expect(url?.functionName).toBe(assembly.functions[0]?.name);
    expect(url?.invokeMode).toBe('RESPONSE_STREAM');
    expect(url?.cors).toEqual({ AllowOrigins: ['*'], AllowMethods: ['POST'] });
  });

  test('holds its event source mappings with every limit', () => {
    const [mapping] = assembly.eventSourceMappings;

    expect(mapping).toMatchObject({
      functionName: assembly.functions[0]?.name,
      startingPosition: 'LATEST',
      batchSize: 7,
      bisectOnError: true,
      maximumRetries: 3,
      maximumRecordAgeMs: 600_000,
      reportsItemFailures: true,
      patterns: [{ eventName: ['INSERT'] }],
      onFailureArn: 'arn:aws:sqs:us-east-1:000000000000:failures',
    });
    expect(mapping?.sourceArn).toContain(`table/${assembly.tables[0]?.name}/stream/`);
  });
});
