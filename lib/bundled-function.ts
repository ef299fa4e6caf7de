import { type Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { environmentNames } from '../lambda/environment.ts';

export type BundledFunctionProps = {
  description: string;
  /** Directory that holds an `index.mjs` with an export named `handler`. */
  bundle: string;
  memorySizeMb: number;
  timeout: Duration;
  environment: Record<string, string>;
};

/** A function from a finished bundle, with a log group of its own and a role that may write there and nothing else. */
export class BundledFunction extends Construct {
  readonly function: LambdaFunction;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: BundledFunctionProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, 'Logs', {
      retention: RetentionDays.ONE_MONTH,
      // For operating the stack; without the stack nobody asks.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // AWSLambdaBasicExecutionRole would allow every log group of the account.
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    this.logGroup.grantWrite(role);
    this.function = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(props.bundle),
      handler: 'index.handler',
      memorySize: props.memorySizeMb,
      timeout: props.timeout,
      // Two stacks in one account keep their metrics apart.
      environment: { ...props.environment, [environmentNames.metricNamespace]: Stack.of(this).stackName },
      role,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      // A version that was live stays: its streams run to their end, and the alias can be turned back to it.
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
    });
  }
}
