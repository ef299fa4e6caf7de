import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Names the directory of what the suites of this run share. */
export const buildsVariable = 'SLUICE_TEST_BUILDS';

const root = join(import.meta.dirname, '../..');

/** A cloud assembly of the stack with its real bundles, made by the first suite of a run that asks. */
export function sharedAssembly(): Promise<string> {
  const code = "import { synthesize } from './local/synthesize.ts'; await synthesize(process.argv[1]);";
  return builtOnce('assembly', code, 'cdk.out');
}

/** The bundle of what `npm run serve` runs, made likewise. */
export function sharedServer(): Promise<string> {
  const code = "import { buildServer } from './bin/build.ts'; await buildServer({ outdir: process.argv[1] });";
  return builtOnce('server', code, 'server/index.mjs');
}

/**
 * Runs `code` in a process of its own, where CDK loads in a fraction of the time that it takes within Jest. Suites run at
 * the same time: who makes the directory builds, and the others wait until the result stands in it. A build that fails is
 * tried again by the next who asks.
 */
async function builtOnce(name: string, code: string, result: string): Promise<string> {
  const directory = join(process.env[buildsVariable] ?? '', name);
  const done = join(directory, 'done');
  while (!existsSync(done)) {
    if (isOurs(directory)) await build(directory, code, done);
    else await pause(50);
  }
  return join(directory, result);
}

function isOurs(directory: string): boolean {
  try {
    mkdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

async function build(directory: string, code: string, done: string): Promise<void> {
  try {
    const options = ['--no-warnings', '--input-type=module', '--eval', code, directory];
    await promisify(execFile)(process.execPath, options, { cwd: root });
    mkdirSync(done);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}
