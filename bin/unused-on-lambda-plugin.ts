import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

// Imported by the SDK only when it comes to that: a parser for browsers, event streams, and the sources of credentials
// of developers' machines, containers and servers. A function has its role's credentials in its environment, the first
// place where the SDK looks: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
const onDemand =
  /^(bowser|@aws-sdk\/credential-provider-(http|ini|process|sso|web-identity)|@smithy\/(credential-provider-imds|core\/event-streams))$/;

// Classes imported at load and unused after: a cache for endpoint discovery, which no command of these clients does any
// more, and hashes in JavaScript for a Node without its own.
const idleClass = /^(@aws-sdk\/endpoint-cache|\.\/(Sha256Js|Crc32Js))$/;

/** Leaves out what the AWS SDK never uses on Lambda: almost half of the gateway's bundle. */
export const unusedOnLambdaPlugin: Plugin = {
  name: 'unused-on-lambda',
  setup(build) {
    build.onResolve({ filter: onDemand }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, namespace: 'on-demand' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'on-demand' }, ({ path }) => ({
      // `tryNextLink` makes the SDK's chain of credential sources go on to the next one.
      contents: `throw Object.assign(new Error(${leftOut(path)}), { tryNextLink: true });`,
    }));
    build.onResolve({ filter: idleClass }, ({ path }) => ({ path, namespace: 'idle-class', sideEffects: false }));
    build.onLoad({ filter: /.*/, namespace: 'idle-class' }, ({ path }) => ({ contents: idleClassSource(path) }));
    // The clients take their version from it, and esbuild would keep all of it.
    build.onLoad({ filter: /[\\/]@aws-sdk[\\/]client-[^\\/]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/** A class that can be constructed, as the SDK does, and says clearly that it is missing when anything asks it for more. */
function idleClassSource(path: string): string {
  const name = path === '@aws-sdk/endpoint-cache' ? 'EndpointCache' : path.slice('./'.length);
  const use = `get() { throw new Error(${leftOut(path)}); }`;
  return `export class ${name} { constructor() { return new Proxy({}, { ${use} }); } }`;
}

function leftOut(path: string): string {
  return JSON.stringify(`${path} is not part of this bundle`);
}
