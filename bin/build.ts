import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, type BuildResult, build, type Message } from 'esbuild';
import { builtinsPlugin } from './builtins-plugin.ts';
import { unusedOnLambdaPlugin } from './unused-on-lambda-plugin.ts';

const root = resolve(import.meta.dirname, '..');

/** Directories of the functions' bundles; each holds an `index.mjs` that exports `handler`, and its chunks. */
export type Bundles = { gateway: string; compiler: string; prober: string };

// `module` before `main`: esbuild's default for Node picks the CommonJS builds, twice as slow to load.
// No source maps: they would double what a cold start has to fetch.
const options = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  splitting: true,
  minify: true,
  mainFields: ['module', 'main'],
  outExtension: { '.js': '.mjs' },
  legalComments: 'none',
  plugins: [builtinsPlugin, unusedOnLambdaPlugin],
  absWorkingDir: root,
  logLevel: 'silent',
  write: false,
} as const satisfies BuildOptions;

/** Bundles one function into `directory`, replacing what was there only after esbuild has succeeded. */
export async function buildBundle(entry: string, directory: string): Promise<string> {
  const { outputFiles, warnings } = await bundle(entry, directory);
  if (warnings.length > 0) throw new Error(problems(entry, warnings));
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await Promise.all(outputFiles.map((file) => writeFile(file.path, file.contents)));
  return directory;
}

/** Bundles every function of the stack, by default into `dist/`. Throws one message that names each problem. */
export async function buildBundles({ outdir = join(root, 'dist') } = {}): Promise<Bundles> {
  const [gateway, compiler, prober] = await Promise.all(
    ['gateway', 'compiler', 'prober'].map((name) =>
      buildBundle(join(root, 'lambda', `${name}.ts`), resolve(outdir, name)),
    ),
  );
  return { gateway, compiler, prober } as Bundles;
}

/** Bundles the server that runs without AWS: it starts faster and stays smaller than from its sources. */
export async function buildServer({ outdir = join(root, 'dist') } = {}): Promise<string> {
  return await buildBundle(join(root, 'lambda', 'server.ts'), resolve(outdir, 'server'));
}

async function bundle(entry: string, outdir: string): Promise<BuildResult<typeof options>> {
  try {
    return await build({ ...options, entryPoints: { index: entry }, outdir });
  } catch (error) {
    const messages = (error as { errors?: Message[] }).errors;
    throw messages ? new Error(problems(entry, messages)) : error;
  }
}

function problems(entry: string, messages: Message[]): string {
  const lines = messages.map(({ text, location: at }) =>
    at ? `${at.file}:${at.line}:${at.column + 1}: ${text}` : text,
  );
  return `Cannot bundle ${relative(root, entry)}: ${lines.join('; ')}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  // `build.ts server` for `npm run serve`, whose standard output is its own.
  if (process.argv[2] === 'server') await buildServer();
  else
    for (const directory of [...Object.values(await buildBundles()), await buildServer()])
      console.log(relative(root, directory));
}
