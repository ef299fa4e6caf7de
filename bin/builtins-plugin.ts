import { builtinModules } from 'node:module';
import type { Plugin } from 'esbuild';

const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

/**
 * Makes a bundle reach Node's own modules through `process.getBuiltinModule`. A static ESM import of `node:http` reads
 * every export to build its namespace, and one of those getters loads undici: some 20 ms of every cold start.
 */
export const builtinsPlugin: Plugin = {
  name: 'builtins',
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ path, kind }) =>
      builtins.has(path)
        ? { path: path.replace(/^node:/, ''), namespace: `builtin-${kind}`, sideEffects: false }
        : null,
    );
    build.onLoad({ filter: /.*/, namespace: 'builtin-require-call' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}')`,
    }));
    build.onLoad({ filter: /.*/, namespace: 'builtin-import-statement' }, async ({ path }) => ({
      contents: await namedExports(path),
    }));
    // `import()` resolves a module that has a `then` by it: here to the builtin itself, whose getters stay unread.
    build.onLoad({ filter: /.*/, namespace: 'builtin-dynamic-import' }, ({ path }) => ({
      contents: `const builtin = process.getBuiltinModule('node:${path}');
        export const then = (resolve) => resolve(Object.create(builtin, { default: { value: builtin } }));`,
    }));
  },
};

/**
 * One export for each name, marked as pure so that only those in use stay. From a CommonJS module esbuild would copy the
 * properties of the whole builtin at load instead; those of `process` alone take 2 ms and more.
 */
async function namedExports(builtin: string): Promise<string> {
  const names = Object.keys(await import(`node:${builtin}`)).filter((name) => name !== 'default');
  return [
    `const builtin = /* @__PURE__ */ process.getBuiltinModule('node:${builtin}');`,
    'const read = (name) => builtin[name];',
    'export { builtin as default };',
    ...names.map((name, i) => `const _${i} = /* @__PURE__ */ read('${name}'); export { _${i} as '${name}' };`),
  ].join('\n');
}
