import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { closeServer, listen } from '../../local/listen.ts';
import { isRunning, until } from './function-harness.ts';

const root = resolve(import.meta.dirname, '../..');

type Run = { child: ChildProcessWithoutNullStreams; stdout: string; stderr: string; exitCode: Promise<number> };

const started: Run[] = [];

// A test that fails half-way would leave a whole stack behind, which keeps Jest's worker from ending.
afterEach(async () => {
  for (const { child, exitCode } of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
    await exitCode;
  }
});

/** Starts `npm start` without npm; vendor keys of this machine stay out. */
function start(args: string[], environment: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, ['bin/run.mjs', 'bin/local.ts', ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
  });
  const run: Run = { child, stdout: '', stderr: '', exitCode: once(child, 'close').then(([code]) => code as number) };
  started.push(run);
  child.stdout.on('data', (chunk) => {
    run.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    run.stderr += chunk;
  });
  return run;
}

async function fail(args: string[], environment?: Record<string, string>): Promise<string> {
  const run = start(args, environment);
  expect(await run.exitCode).toBe(1);
  expect(run.stdout).toBe('');
  return run.stderr;
}

/** Ids of the processes that this one started, and of those that they started, by /proc. */
function descendantsOf(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // After the name in brackets: state, parent.
        const [, parent] = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ');
        return [[Number(name), Number(parent)] as const];
      } catch {
        return [];
      }
    });
  const children = parents.filter(([, parent]) => parent === pid).map(([child]) => child);
  return [...children, ...children.flatMap(descendantsOf)];
}

describe('npm start with something wrong', () => {
  let directory: string;
  let takenPort: number;
  const occupant = createServer();

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'cli-'));
    takenPort = await listen(occupant, 0);
  });
  afterAll(async () => {
    rmSync(directory, { recursive: true, force: true });
    await closeServer(occupant);
  });

  test('prints its usage on --help', async () => {
    const run = start(['--help']);

    expect(await run.exitCode).toBe(0);
    expect(run.stdout).toContain('--dynamodb-endpoint URL');
  });

  test.each([
    ['an unknown flag', ['--prot', '1'], /^Unknown option '--prot'\. Try --help\.\n$/],
    ['a value that is missing', ['--port'], /^Option '--port <value>' argument missing\. Try --help\.\n$/],
    ['a port that is none', ['--port', '99999'], /^--port 99999 is not a port; .*\n$/],
    [
      'a config file that is not there',
      ['--config', 'no-such.yaml'],
      /^The config file no-such\.yaml cannot be read \(ENOENT\)\.\n$/,
    ],
    [
      'an endpoint that is no URL',
      ['--dynamodb-endpoint', 'localhost'],
      /^--dynamodb-endpoint localhost is not a URL; .*\n$/,
    ],
  ])('says in one line what is wrong with %s', async (_name, args, message) => {
    expect(await fail(args)).toMatch(message);
  });

  test.each(['--port', '--dynamodb-port'])('names the flag when the port of %s is taken', async (flag) => {
    const ports = { '--port': '0', '--dynamodb-port': '0', [flag]: String(takenPort) };

    expect(await fail(Object.entries(ports).flat())).toBe(
      `Port ${takenPort} is taken by another program; choose another one with ${flag}, or 0 for any free one.\n`,
    );
  });

  test('lists every reason why a config file cannot be used', async () => {
    const file = join(directory, 'broken.yaml');
    writeFileSync(file, 'models:\n  a:\n    targets: []\n  b:\n    targets: [nowhere/x]\n    colour: red\n');

    const message = await fail(['--config', file]);

    expect(message).toContain('The config file cannot be used:');
    expect(message).toMatch(/model\/a .*\n(.*\n)*.*model\/b /);
    expect(message).not.toContain('    at ');
  });

  test('says so when the given DynamoDB does not answer', async () => {
    const message = await fail(['--port', '0', '--dynamodb-endpoint', 'http://127.0.0.1:1']);

    expect(message).toMatch(/^DynamoDB does not answer at http:\/\/127\.0\.0\.1:1 \(.*\)\.\n$/);
  });

  test('says what to install when there is no embedded DynamoDB for this platform', async () => {
    const pretend = "data:text/javascript,Object.defineProperty(process,'arch',{value:'sparc'})";
    const message = await fail(['--port', '0', '--dynamodb-port', '0'], {
      NODE_OPTIONS: `--import ${JSON.stringify(pretend)}`,
    });

    expect(message).toContain('(npm package @dynoxide/linux-sparc) is not installed');
    expect(message).toContain('--dynamodb-endpoint URL');
  });
});

describe('npm start', () => {
  test('gets ready, serves, and leaves nothing behind after Ctrl-C', async () => {
    const startedAt = Date.now();
    const run = start(['--port', '0', '--dynamodb-port', '0'], {
      SLUICE_API_KEY: 'sk-sluice-test',
      GROQ_API_KEY: 'gsk-secret-1',
    });
    await until(() => run.stdout.includes('\nready ') || run.child.exitCode !== null, 60_000);
    const lines = run.stdout.split('\n').filter((line) => line.startsWith('ready '));
    const ready = JSON.parse(lines[0]?.slice('ready '.length) ?? '{}');

    expect(lines.length).toBe(1);
    expect(ready).toMatchObject({ configTable: 'Sluice-Config', apiKey: 'sk-sluice-test' });
    const models = await fetch(`${ready.gateway}/v1/models`, { headers: { authorization: 'Bearer sk-sluice-test' } });
    expect(await models.json()).toMatchObject({ data: [{ id: 'demo' }] });
    expect(Date.now() - startedAt).toBeLessThan(60_000);

    const processes = descendantsOf(run.child.pid ?? 0);
    expect(processes.length).toBeGreaterThanOrEqual(3);
    const stoppedAt = Date.now();
    run.child.kill('SIGINT');

    expect(await run.exitCode).toBe(130);
    // Under a second, but on a busy machine.
    expect(Date.now() - stoppedAt).toBeLessThan(5_000);
    // Right at the exit for all but esbuild, which notices by itself a moment later.
    await until(() => !processes.some(isRunning), 2_000);
    expect(run.stdout + run.stderr).not.toContain('gsk-secret-1');
    await expect(fetch(ready.dynamodb)).rejects.toThrow();
  }, 70_000);
});
