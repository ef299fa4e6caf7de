import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { BundledFunction } from './bundled-function.ts';

/** Which models of Bedrock are called, and in which regions, is configuration; what may be done with them is this. */
export function allowBedrock(caller: BundledFunction): void {
  const { partition, account } = Stack.of(caller);
  caller.function.addToRolePolicy(
    new PolicyStatement({
      actions: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'],
      resources: bedrockModels(account).map((model) => `arn:${partition}:${model}`),
    }),
  );
  for (const model of bedrockModels('<AWS::AccountId>')) {
    Validations.of(caller).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:${model}]`,
      reason: 'Operators name the models of Bedrock in the config table, unknown when the stack is deployed.',
    });
  }
}

/** Every model and inference profile, in every region; the part of an ARN behind its partition. */
function bedrockModels(account: string): string[] {
  const owned = ['inference-profile', 'application-inference-profile'].map((kind) => `bedrock:*:${account}:${kind}/*`);
  return ['bedrock:*::foundation-model/*', ...owned];
}
