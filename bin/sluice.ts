import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import cdkJson from '../cdk.json' with { type: 'json' };
import { SluiceStack } from '../lib/sluice-stack.ts';
import { buildBundles } from './build.ts';

// The CLI hands the feature flags of cdk.json over by itself; given here, a run without the CLI makes the same template.
const app = new App({ context: cdkJson.context });
const stackName: string = app.node.tryGetContext('stackName') ?? 'Sluice';

new SluiceStack(app, 'Sluice', {
  stackName,
  bundles: await buildBundles(),
  description: 'Sluice, an LLM gateway.',
  // A new stack gets a new URL, so deleting this one by mistake would cut every caller off for good.
  terminationProtection: true,
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
