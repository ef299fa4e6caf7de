import { Duration, Stack, Validations } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FilterCriteria, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environmentNames } from '../lambda/environment.ts';
import { authoredKinds, compiledKinds } from '../lambda/store/table-schema.ts';
import { BundledFunction } from './bundled-function.ts';
import type { ConfigState } from './config-state.ts';

export type ConfigCompilerProps = { bundle: string; state: ConfigState };

const eventBusName = 'default';
// Keys are checked one by one as they come by on the stream; there may be a million of them.
const compiled = Object.values(compiledKinds);
const compiledFromKinds = authoredKinds.filter((kind) => kind !== 'key');

/** Turns what people edit into published snapshots: the compiler, what wakes it, and what it could not process. */
export class ConfigCompiler extends Construct {
  readonly compiler: BundledFunction;
  readonly failures: Queue;

  constructor(scope: Construct, id: string, { bundle, state }: ConfigCompilerProps) {
    super(scope, id);
    this.failures = new Queue(this, 'Failures', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.failures).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'This queue is itself where failures end; people read it, nothing consumes it.',
    });
    this.compiler = new BundledFunction(this, 'Compiler', {
      description: 'Sluice compiler: validates configuration and publishes it.',
      bundle,
      memorySizeMb: 256,
      timeout: Duration.minutes(1),
      environment: {
        [environmentNames.configTable]: state.table.tableName,
        [environmentNames.eventBus]: eventBusName,
      },
    });
    this.grantAccess(state);
    this.listen(state);
  }

  private grantAccess(state: ConfigState): void {
    const compiler = this.compiler.function;
    state.grantKinds(compiler, ['GetItem', 'Query'], [...compiledFromKinds, ...compiled]);
    state.grantKinds(compiler, ['PutItem', 'DeleteItem'], compiled);
    compiler.addToRolePolicy(
      new PolicyStatement({
        actions: ['events:PutEvents'],
        resources: [Stack.of(this).formatArn({ service: 'events', resource: 'event-bus', resourceName: eventBusName })],
      }),
    );
  }

  private listen(state: ConfigState): void {
    this.compiler.function.addEventSource(
      // CDK's own types clash under exactOptionalPropertyTypes.
      new DynamoEventSource(state.table as ITable, {
        // Edits made while the mapping is being created would be missed from LATEST.
        // https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
        startingPosition: StartingPosition.TRIM_HORIZON,
        // Without the filter the compiler would be woken by its own snapshots, for ever. Kinds that do not exist pass, so
        // that a slip in `kind` is reported.
        filters: [FilterCriteria.filter({ dynamodb: { Keys: { kind: { S: [{ 'anything-but': compiled }] } } } })],
        // Every run compiles the whole table, so one large batch costs no more than one edit.
        batchSize: 1000,
        bisectBatchOnError: true,
        retryAttempts: 5,
        maxRecordAge: Duration.hours(1),
        onFailure: new SqsDlq(this.failures),
      }),
    );
  }
}
