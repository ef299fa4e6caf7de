import { Duration, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct, type Node } from 'constructs';
import { environmentNames } from '../lambda/environment.ts';
import { compiledKinds } from '../lambda/store/table-schema.ts';
import { allowBedrock } from './allow-bedrock.ts';
import { BundledFunction } from './bundled-function.ts';
import type { ConfigState } from './config-state.ts';
import type { GatewaySecrets } from './gateway-secrets.ts';
import type { Measurement } from './measurement.ts';

export type ProberProps = { bundle: string; state: ConfigState; secrets: GatewaySecrets; measurement: Measurement };

/** The shortest that Lambda and EventBridge Scheduler take. */
const longestDelay = Duration.minutes(1);

/** Folds what gateways saw into scores, and asks targets of which too little is known; on a schedule. */
export class Prober extends Construct {
  readonly prober: BundledFunction;
  readonly failures: Queue;
  /** How often it runs. */
  readonly every: Duration;

  constructor(scope: Construct, id: string, { bundle, state, secrets, measurement }: ProberProps) {
    super(scope, id);
    this.every = Duration.minutes(probeEveryMinutes(this.node));
    this.prober = new BundledFunction(this, 'Prober', {
      description: 'Sluice prober: folds measurements into scores, and probes targets of which too little is known.',
      bundle,
      memorySizeMb: 512,
      // It has to be over before it is due again.
      timeout: Duration.seconds(55),
      environment: {
        [environmentNames.configTable]: state.table.tableName,
        [environmentNames.statsTable]: measurement.table.tableName,
        [environmentNames.vendorSecret]: secrets.vendorKeys.secretArn,
      },
    });
    const prober = this.prober.function;
    state.grantKinds(prober, ['GetItem'], [compiledKinds.pointer, compiledKinds.snapshot]);
    measurement.grantFold(prober);
    measurement.grantBreakers(prober);
    measurement.grantTurns(prober);
    measurement.grantProbes(prober);
    prober.addToRolePolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [secrets.vendorKeys.secretArn],
      }),
    );
    allowBedrock(this.prober);
    // A scheduled run is queued by Lambda, which would repeat a failed one beside the next.
    prober.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: longestDelay });
    this.failures = failureQueue(this);
    this.schedule();
  }

  private schedule(): void {
    const role = new Role(this, 'ScheduleRole', { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
    const { functionArn } = this.prober.function;
    // CDK's own target would allow every version of the function.
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn] }));
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.failures.queueArn] }));
    new Schedule(this, 'Schedule', {
      description: 'Wakes the prober of Sluice.',
      schedule: ScheduleExpression.rate(this.every),
      target: {
        bind: () => ({
          arn: functionArn,
          role,
          deadLetterConfig: { arn: this.failures.queueArn },
          // A hitch of AWS's is tried again, but a late run is worth nothing: the next one makes good for it.
          retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: longestDelay.toSeconds() },
        }),
      },
    });
  }
}

/** How often the prober runs, by a CDK context value. Throws on one that cannot be meant. */
function probeEveryMinutes(node: Node): number {
  const given: unknown = node.tryGetContext('probeEveryMinutes') ?? 1;
  const minutes = Number(given);
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= 60) return minutes;
  throw new Error(`The context value probeEveryMinutes is ${JSON.stringify(given)}; it has to be 1 to 60.`);
}

function failureQueue(scope: Construct): Queue {
  const queue = new Queue(scope, 'Failures', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
  Validations.of(queue).acknowledge({
    id: 'AwsSolutions-SQS3',
    reason: 'This queue is itself where failures end; people read it, nothing consumes it.',
  });
  return queue;
}
