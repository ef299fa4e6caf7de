import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  type FunctionUrl,
  FunctionUrlAuthType,
  type FunctionUrlCorsOptions,
  HttpMethod,
  InvokeMode,
} from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { environmentNames } from '../lambda/environment.ts';
import { corsMaxAgeSeconds, corsRequestHeaders } from '../lambda/hosts/cors.ts';
import { type authoredKinds, compiledKinds } from '../lambda/store/table-schema.ts';
import { allowBedrock } from './allow-bedrock.ts';
import { BundledFunction } from './bundled-function.ts';
import type { ConfigState } from './config-state.ts';
import type { GatewaySecrets } from './gateway-secrets.ts';
import type { Measurement } from './measurement.ts';

export type GatewayEndpointProps = {
  bundle: string;
  state: ConfigState;
  secrets: GatewaySecrets;
  measurement: Measurement;
};

const callerKeys: (typeof authoredKinds)[number] = 'key';
const readKinds = [compiledKinds.pointer, compiledKinds.snapshot, callerKeys];

// The URL answers preflights by itself. OPTIONS is not among the methods that it lets one name.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-lambda-url-cors.html
const cors: FunctionUrlCorsOptions = {
  allowedOrigins: ['*'],
  allowedMethods: [HttpMethod.GET, HttpMethod.POST],
  allowedHeaders: [...corsRequestHeaders],
  // Without cookies `*` covers them all: `x-sluice-*`, rate limits, `retry-after`, and what a vendor adds of its own.
  exposedHeaders: ['*'],
  maxAge: Duration.seconds(corsMaxAgeSeconds),
};

/** What callers talk to: the gateway function and its streaming URL. It can write nothing but statistics and its own log. */
export class GatewayEndpoint extends Construct {
  readonly gateway: BundledFunction;
  readonly url: FunctionUrl;

  constructor(scope: Construct, id: string, { bundle, state, secrets, measurement }: GatewayEndpointProps) {
    super(scope, id);
    this.gateway = new BundledFunction(this, 'Gateway', {
      description: 'Sluice gateway: answers callers and calls the model vendors.',
      bundle,
      // 29 % of a core. At 256 MB the first request after a cold start takes more than twice as long.
      memorySizeMb: 512,
      // The longest that Lambda allows; the gateway keeps shorter deadlines of its own.
      timeout: Duration.minutes(15),
      environment: {
        [environmentNames.configTable]: state.table.tableName,
        [environmentNames.statsTable]: measurement.table.tableName,
        [environmentNames.vendorSecret]: secrets.vendorKeys.secretArn,
        [environmentNames.firstKeySecret]: secrets.firstKey.secretArn,
      },
    });
    state.grantKinds(this.gateway.function, ['GetItem'], readKinds);
    measurement.grantFold(this.gateway.function);
    measurement.grantBreakers(this.gateway.function);
    measurement.grantTurns(this.gateway.function);
    measurement.grantIdempotency(this.gateway.function);
    this.gateway.function.addToRolePolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [secrets.vendorKeys.secretArn, secrets.firstKey.secretArn],
      }),
    );
    allowBedrock(this.gateway);
    this.url = this.addUrl();
  }

  /** The URL belongs to an alias, so that a deployment switches versions at once and can be turned back. */
  private addUrl(): FunctionUrl {
    const live = this.gateway.function.addAlias('live');
    return live.addFunctionUrl({
      // Callers prove themselves to the gateway by their key: stock SDKs cannot sign requests for AWS_IAM.
      authType: FunctionUrlAuthType.NONE,
      invokeMode: InvokeMode.RESPONSE_STREAM,
      cors,
    });
  }
}
