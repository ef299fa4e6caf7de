import type { Plugin } from 'esbuild';

// The SDK imports these on demand only: a parser for browsers, and the sources of credentials of developers' machines
// and other services. A function has its role's credentials in its environment, the first place where the SDK looks.
const unused = /^(bowser|@aws-sdk\/credential-provider-(ini|process|sso|web-identity))$/;

/** Leaves out what the AWS SDK would never load on Lambda: a third of the gateway's bundle. */
export const unusedOnLambdaPlugin: Plugin = {
  name: 'unused-on-lambda',
  setup(build) {
    build.onResolve({ filter: unused }, ({ path }) => ({ path, namespace: 'unused' }));
    build.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({
      // `tryNextLink` makes the SDK's chain of credential sources go on to the next one.
      contents: `throw Object.assign(new Error(${JSON.stringify(`${path} is not part of this bundle`)}), { tryNextLink: true });`,
      loader: 'js',
    }));
  },
};
