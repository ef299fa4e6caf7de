import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalStackError } from './local-stack-error.ts';

/** Bundles the functions and synthesizes the CDK app into `directory`; resolves to the cloud assembly's directory. */
export async function synthesize(directory: string): Promise<string> {
  // Imported late: whoever has an assembly already does not wait for CDK to load.
  const [{ App }, { SluiceStack }, { buildBundles }] = await Promise.all([
    import('aws-cdk-lib'),
    import('../lib/sluice-stack.ts'),
    import('../bin/build.ts'),
  ]);
  const bundles = await buildBundles({ outdir: join(directory, 'bundles') }).catch((error: Error) => {
    throw new LocalStackError(error.message);
  });
  const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'));
  const app = new App({ outdir: join(directory, 'cdk.out'), context, treeMetadata: false });
  new SluiceStack(app, 'Sluice', { bundles });
  return app.synth().directory;
}
