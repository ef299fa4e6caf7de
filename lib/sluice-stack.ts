import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { ConfigCompiler } from './config-compiler.ts';
import { ConfigState } from './config-state.ts';
import { GatewayEndpoint } from './gateway-endpoint.ts';
import { GatewaySecrets } from './gateway-secrets.ts';
import { Measurement } from './measurement.ts';
import { Observability } from './observability.ts';
import { Prober } from './prober.ts';

export type SluiceStackProps = StackProps & {
  /** Directories of the finished bundles, each with an `index.mjs` that exports `handler`. */
  bundles: { gateway: string; compiler: string; prober: string };
};

/** Everything that one gateway needs in an AWS account. */
export class SluiceStack extends Stack {
  constructor(scope: Construct, id: string, { bundles, ...props }: SluiceStackProps) {
    super(scope, id, props);
    const state = new ConfigState(this, 'State');
    const secrets = new GatewaySecrets(this, 'Secrets');
    const measurement = new Measurement(this, 'Measurement');
    const endpoint = new GatewayEndpoint(this, 'Endpoint', { bundle: bundles.gateway, state, secrets, measurement });
    const config = new ConfigCompiler(this, 'Config', { bundle: bundles.compiler, state });
    const prober = new Prober(this, 'Probing', { bundle: bundles.prober, state, secrets, measurement });
    const gateway = endpoint.gateway.function;
    const compiler = config.compiler.function;
    const observability = new Observability(this, 'Observability', {
      gateway,
      functions: { gateway, compiler, prober: prober.prober.function },
      // CDK's own types clash under exactOptionalPropertyTypes.
      tables: { config: state.table as ITable, stats: measurement.table as ITable },
      failureQueues: { Compiler: config.failures, Prober: prober.failures },
      probeEvery: prober.every,
    });
    Tags.of(this).add('application', 'sluice');
    this.addOutputs({
      GatewayUrl: endpoint.url.url,
      ConfigTableName: state.table.tableName,
      StatsTableName: measurement.table.tableName,
      VendorSecretName: secrets.vendorKeysName,
      FirstKeySecretName: secrets.firstKeyName,
      GatewayFunctionName: endpoint.gateway.function.functionName,
      GatewayLogGroupName: endpoint.gateway.logGroup.logGroupName,
      CompilerFunctionName: config.compiler.function.functionName,
      CompilerLogGroupName: config.compiler.logGroup.logGroupName,
      ProberFunctionName: prober.prober.function.functionName,
      ProberLogGroupName: prober.prober.logGroup.logGroupName,
      FailureQueueUrl: config.failures.queueUrl,
      ProberFailureQueueUrl: prober.failures.queueUrl,
      DashboardName: observability.dashboardName,
      ...(observability.alarmTopic ? { AlarmTopicArn: observability.alarmTopic.topicArn } : {}),
    });
  }

  private addOutputs(values: Record<string, string>): void {
    for (const [name, value] of Object.entries(values)) new CfnOutput(this, name, { value });
  }
}
