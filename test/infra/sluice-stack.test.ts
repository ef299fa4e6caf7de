import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { App, CfnResource, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { environmentNames } from '../../lambda/environment.ts';
import { compiledKinds, configTable, statsTable } from '../../lambda/store/table-schema.ts';
import { SluiceStack } from '../../lib/sluice-stack.ts';

type Resource = { Type: string; Properties: Record<string, unknown>; DeletionPolicy?: string };
type Statement = {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
};

const directory = mkdtempSync(join(tmpdir(), 'sluice-stack-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));
const app = new App({ context, outdir: join(directory, 'cdk.out') });
const stack = new SluiceStack(app, 'Sluice', {
  stackName: 'Acme',
  bundles: { gateway: bundle('gateway'), compiler: bundle('compiler'), prober: bundle('prober') },
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
// Throws on a finding of cdk-nag or of the template validation that nobody acknowledged: then no test here runs.
const template = Template.fromJSON(app.synth().getStackArtifact(stack.artifactId).template);
const { Resources: resources, Outputs: outputs } = template.toJSON() as {
  Resources: Record<string, Resource>;
  Outputs: Record<string, { Value: unknown }>;
};

describe('validation', () => {
  test('stops the synthesis at a finding that nobody acknowledged', () => {
    const careless = new App({ context, outdir: join(directory, 'careless') });
    new Queue(new Stack(careless, 'Careless'), 'Queue');
    Validations.of(careless).addPlugins(new AwsSolutionsChecks(careless));

    expect(() => careless.synth()).toThrow(/AwsSolutions-SQS4/);
  });

  test('stops the synthesis at a warning of the template validation', () => {
    const careless = new App({ context, outdir: join(directory, 'typo') });
    const properties = { SqsManagedSseEnabledd: true };
    new CfnResource(new Stack(careless, 'Typo'), 'Queue', { type: 'AWS::SQS::Queue', properties });

    expect(() => careless.synth()).toThrow(/SqsManagedSseEnabledd/);
  });

  test('gives a reason for every finding that it acknowledges', () => {
    const reasons = stack.node
      .findAll()
      .flatMap(({ node }) => node.metadata)
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .map(({ data }) => JSON.stringify(data));

    expect(reasons.length).toBeGreaterThan(0);
    for (const reason of reasons) expect(reason.length).toBeGreaterThan(60);
  });
});

describe('gateway endpoint', () => {
  test('streams through a URL that belongs to the alias', () => {
    template.hasResourceProperties('AWS::Lambda::Url', {
      InvokeMode: 'RESPONSE_STREAM',
      AuthType: 'NONE',
      Qualifier: 'live',
    });
    template.hasResourceProperties('AWS::Lambda::Alias', { Name: 'live' });
  });

  test('lets everybody call the URL, and the function by nothing but the URL', () => {
    const permissions = ofType('AWS::Lambda::Permission').map(({ Properties }) => Properties);

    expect(permissions.map(({ Action }) => Action).sort()).toEqual([
      'lambda:InvokeFunction',
      'lambda:InvokeFunctionUrl',
    ]);
    template.hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunction',
      InvokedViaFunctionUrl: true,
    });
  });

  test('answers browsers: names the authorization header and only methods that a function URL accepts', () => {
    const { Cors: cors } = only('AWS::Lambda::Url').Properties as { Cors: Record<string, string[]> };

    expect(cors).toMatchObject({
      AllowOrigins: ['*'],
      AllowMethods: ['GET', 'POST'],
      ExposeHeaders: ['*'],
      MaxAge: 86_400,
    });
    expect(cors.AllowHeaders).toEqual(
      expect.arrayContaining([
        'authorization',
        'content-type',
        'x-api-key',
        'anthropic-version',
        'x-stainless-retry-count',
      ]),
    );
    expect(cors.AllowHeaders!.length).toBeLessThanOrEqual(100);
  });

  test('keeps the versions that were live', () => {
    expect(only('AWS::Lambda::Version').DeletionPolicy).toBe('Retain');
  });

  test('is told the table and the secrets by the names that the function reads', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      MemorySize: 512,
      Timeout: 900,
      Environment: {
        Variables: {
          [environmentNames.configTable]: { Ref: tableId('Acme-Config') },
          [environmentNames.statsTable]: { Ref: tableId('Acme-Stats') },
          [environmentNames.vendorSecret]: { Ref: secretId('Acme/vendor-keys') },
          [environmentNames.firstKeySecret]: { Ref: secretId('Acme/first-key') },
        },
      },
    });
  });
});

describe('functions', () => {
  test('run on Node 24 and arm64', () => {
    template.resourceCountIs('AWS::Lambda::Function', 3);
    template.allResourcesProperties('AWS::Lambda::Function', { Runtime: 'nodejs24.x', Architectures: ['arm64'] });
  });

  test('reserve no concurrency, which an account with a limit of 10 could not give', () => {
    template.allResourcesProperties('AWS::Lambda::Function', { ReservedConcurrentExecutions: Match.absent() });
  });

  test('log as JSON, each to a group of its own that forgets', () => {
    const groups = ofType('AWS::Lambda::Function').map(({ Properties }) => Properties['LoggingConfig']);

    expect(new Set(groups.map((group) => JSON.stringify(group))).size).toBe(3);
    template.allResourcesProperties('AWS::Lambda::Function', { LoggingConfig: { LogFormat: 'JSON' } });
    template.resourceCountIs('AWS::Logs::LogGroup', 3);
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  });
});

describe('configuration', () => {
  const table = resources[tableId('Acme-Config')]!;

  test('is keyed as the stores expect', () => {
    expect(table.Properties).toMatchObject({
      TableName: 'Acme-Config',
      KeySchema: [
        { AttributeName: configTable.partitionKey, KeyType: 'HASH' },
        { AttributeName: configTable.sortKey, KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'expiresAtSeconds', Enabled: true },
    });
  });

  test('can be restored to any second, and survives the stack', () => {
    expect(table.DeletionPolicy).toBe('Retain');
    expect(table.Properties['Replicas']).toEqual([
      expect.objectContaining({
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    ]);
  });

  test('costs nothing while idle and has a ceiling while busy', () => {
    expect(table.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      WriteOnDemandThroughputSettings: { MaxWriteRequestUnits: 1_000 },
      Replicas: [{ ReadOnDemandThroughputSettings: { MaxReadRequestUnits: 10_000 } }],
    });
  });

  test('wakes the compiler for exactly the kinds that people write', () => {
    const { Properties: mapping } = only('AWS::Lambda::EventSourceMapping');
    const { Filters: filters } = mapping['FilterCriteria'] as { Filters: { Pattern: string }[] };

    expect(table.Properties).toMatchObject({ StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' } });
    expect(mapping['EventSourceArn']).toEqual({ 'Fn::GetAtt': [tableId('Acme-Config'), 'StreamArn'] });
    expect(filters.map(({ Pattern }) => JSON.parse(Pattern))).toEqual([
      { dynamodb: { Keys: { kind: { S: [{ 'anything-but': Object.values(compiledKinds) }] } } } },
    ]);
  });

  test('misses no edit, and puts what the compiler cannot process into a queue', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      StartingPosition: 'TRIM_HORIZON',
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 5,
      MaximumRecordAgeInSeconds: 3600,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [idOf('AWS::SQS::Queue'), 'Arn'] } } },
    });
  });

  test('encrypts that queue at rest and refuses to carry it without TLS', () => {
    template.hasResourceProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
    template.hasResourceProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: [Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
      },
    });
  });
});

describe('measurement', () => {
  const table = resources[tableId('Acme-Stats')]!;

  test('is keyed as the stores expect, and lets everything expire', () => {
    expect(table.Properties).toMatchObject({
      KeySchema: [
        { AttributeName: statsTable.partitionKey, KeyType: 'HASH' },
        { AttributeName: statsTable.sortKey, KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: statsTable.expiry, Enabled: true },
    });
  });

  test('goes with the stack, costs nothing while idle and has a ceiling while busy', () => {
    expect(table.DeletionPolicy).toBe('Delete');
    expect(table.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      WriteOnDemandThroughputSettings: { MaxWriteRequestUnits: 4_000 },
      Replicas: [{ ReadOnDemandThroughputSettings: { MaxReadRequestUnits: 8_000 } }],
    });
  });
});

describe('secrets', () => {
  test('start without vendor keys, and never take along those that people put there', () => {
    const secret = resources[secretId('Acme/vendor-keys')]!;

    // Another value here would be written over the keys of every deployment that is updated.
    expect(secret.Properties['SecretString']).toBe('{}');
    expect(secret.DeletionPolicy).toBe('RetainExceptOnCreate');
  });

  test('generate a first key, so that the URL is never open', () => {
    const secret = resources[secretId('Acme/first-key')]!;

    expect(secret.Properties['GenerateSecretString']).toEqual({ PasswordLength: 48, ExcludePunctuation: true });
  });
});

describe('permissions', () => {
  const tableArn = (name: string) => ({ 'Fn::GetAtt': [tableId(name), 'Arn'] });

  test('are written out: no managed policy, no wildcard but for the models of Bedrock, which are configuration', () => {
    const allowed = ofType('AWS::IAM::Policy').flatMap(statementsOf);

    expect(allowed.length).toBeGreaterThan(5);
    for (const role of ofType('AWS::IAM::Role')) expect(role.Properties['ManagedPolicyArns']).toBeUndefined();
    for (const { Action, Resource } of allowed) {
      expect(JSON.stringify(Action)).not.toContain('*');
      if (!JSON.stringify(Action).includes('bedrock:InvokeModel')) expect(JSON.stringify(Resource)).not.toContain('*');
    }
  });

  test('reach the table only through leading keys, and not at all when a request names none', () => {
    const onTable = ofType('AWS::IAM::Policy').flatMap(statementsOf).filter(isOnTable);

    expect(onTable).toHaveLength(4);
    for (const { Condition } of onTable) {
      expect(Condition).toMatchObject({
        'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': expect.any(Array) },
        Null: { 'dynamodb:LeadingKeys': 'false' },
      });
    }
  });

  test('reach the statistics only through leading keys, and not at all when a request names none', () => {
    const onStats = ofType('AWS::IAM::Policy').flatMap(statementsOf).filter(isOnStats);

    expect(onStats.length).toBeGreaterThan(2);
    for (const statement of onStats) {
      expect(leadingKeys(statement)).not.toContain('*');
      expect(statement.Condition).toMatchObject({ Null: { 'dynamodb:LeadingKeys': 'false' } });
    }
  });

  test('let the gateway read snapshots, keys and secrets, call Bedrock, measure and write its log, nothing else', () => {
    const statements = statementsFor('gateway');

    const apart = statements.filter((statement) => !isOnStats(statement));
    expect(apart.flatMap(({ Action }) => Action).sort()).toEqual([
      'bedrock:InvokeModel',
      'bedrock:InvokeModelWithResponseStream',
      'dynamodb:GetItem',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:GetSecretValue',
    ]);
    expect(statements.filter(isOnTable).map(leadingKeys)).toEqual([['key', 'pointer', 'snapshot']]);
  });

  test('let the gateway measure, share its breakers and keep answers, and do nothing else with the statistics', () => {
    const statements = statementsFor('gateway').filter(isOnStats);
    const kindsOf = (action: string) =>
      statements
        .filter(({ Action }) => [Action].flat().includes(`dynamodb:${action}`))
        .flatMap(leadingKeys)
        .sort();

    expect(kindsOf('Query')).toEqual(['idempotency#*', 'live', 'samples#*']);
    expect(kindsOf('GetItem')).toEqual(['fold']);
    expect(kindsOf('PutItem')).toEqual(['fold', 'idempotency#*', 'live', 'samples#*']);
    expect(kindsOf('UpdateItem')).toEqual(['idempotency#*', 'live', 'outcomes', 'turn']);
    expect(kindsOf('DeleteItem')).toEqual(['idempotency#*', 'live']);
    expect(statements.flatMap(({ Action }) => Action).join()).not.toMatch(/Scan|Batch/);
  });

  test('let the prober fold, probe within its budget and read vendors’ keys, and write no configuration', () => {
    const statements = statementsFor('prober');
    const kindsOf = (action: string) =>
      statements
        .filter(({ Action }) => [Action].flat().includes(`dynamodb:${action}`))
        .flatMap(leadingKeys)
        .sort();

    expect(kindsOf('UpdateItem')).toEqual(['live', 'outcomes', 'probes', 'turn']);
    expect(kindsOf('PutItem')).toEqual(['fold', 'live', 'samples#*']);
    expect(statements.filter(isOnTable).map(leadingKeys)).toEqual([['pointer', 'snapshot']]);
    expect(JSON.stringify(statements)).not.toMatch(/FirstKey/);
  });

  test('let the compiler write what it compiles and never what people wrote', () => {
    const writes = statementsFor('compiler').filter(
      (statement) => isOnTable(statement) && /Put|Update|Delete|Write/.test(String(statement.Action)),
    );

    expect(writes.map(leadingKeys)).toEqual([Object.values(compiledKinds).sort()]);
  });

  test('let the compiler read what it compiles from, never scan and never list the keys', () => {
    const reads = statementsFor('compiler').filter(
      (statement) => isOnTable(statement) && /Query/.test(String(statement.Action)),
    );

    expect(reads.map(({ Action }) => Action)).toEqual([['dynamodb:GetItem', 'dynamodb:Query']]);
    expect(reads.map(leadingKeys)).toEqual([['model', 'provider', 'settings', ...Object.values(compiledKinds)].sort()]);
  });

  function isOnTable({ Resource: resource }: Statement): boolean {
    return JSON.stringify(resource) === JSON.stringify(tableArn('Acme-Config'));
  }

  function isOnStats({ Resource: resource }: Statement): boolean {
    return JSON.stringify(resource) === JSON.stringify(tableArn('Acme-Stats'));
  }
});

describe('outputs', () => {
  test('name what an operator needs', () => {
    expect(Object.keys(outputs)).toEqual(
      expect.arrayContaining([
        'GatewayUrl',
        'ConfigTableName',
        'VendorSecretName',
        'FirstKeySecretName',
        'FailureQueueUrl',
        'ProberFailureQueueUrl',
        'ProberLogGroupName',
      ]),
    );
    expect(outputs['GatewayUrl']!.Value).toEqual({ 'Fn::GetAtt': [idOf('AWS::Lambda::Url'), 'FunctionUrl'] });
    expect(outputs['VendorSecretName']!.Value).toBe('Acme/vendor-keys');
    expect(outputs['FirstKeySecretName']!.Value).toBe('Acme/first-key');
  });
});

function bundle(name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  writeFileSync(join(path, 'index.mjs'), `export const handler = async () => '${name}';\n`);
  return path;
}

function ofType(type: string): Resource[] {
  return Object.values(resources).filter(({ Type }) => Type === type);
}

function only(type: string): Resource {
  const found = ofType(type);
  expect(found).toHaveLength(1);
  return found[0]!;
}

function idOf(type: string): string {
  return Object.keys(resources).find((id) => resources[id]!.Type === type)!;
}

function tableId(name: string): string {
  return Object.keys(resources).find((id) => resources[id]!.Properties['TableName'] === name)!;
}

function secretId(name: string): string {
  return Object.keys(resources).find((id) => resources[id]!.Properties['Name'] === name)!;
}

function statementsOf(policy: Resource): Statement[] {
  return (policy.Properties['PolicyDocument'] as { Statement: Statement[] }).Statement;
}

/** The statements of every policy attached to the role of the function whose description names it. */
function statementsFor(name: string): Statement[] {
  const lambda = ofType('AWS::Lambda::Function').find(({ Properties }) =>
    String(Properties['Description']).includes(` ${name}`),
  )!;
  const [roleId] = (lambda.Properties['Role'] as { 'Fn::GetAtt': string[] })['Fn::GetAtt'];
  return ofType('AWS::IAM::Policy')
    .filter(({ Properties }) => JSON.stringify(Properties['Roles']).includes(`"${roleId}"`))
    .flatMap(statementsOf);
}

function leadingKeys({ Condition }: Statement): string[] {
  const compared = Condition!['ForAllValues:StringEquals'] ?? Condition!['ForAllValues:StringLike'];
  return [...(compared!['dynamodb:LeadingKeys'] as string[])].sort();
}

describe('prober', () => {
  test('is woken every minute, and never a second time for the same minute', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      Target: Match.objectLike({ RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 60 } }),
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp('^ProbingProber') },
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
  });
});
