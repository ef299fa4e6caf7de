import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bundleSize, initFiles } from '../../bench/bundle-size.ts';
import { coldStart } from '../../bench/cold-run.ts';
import { startSurroundings } from '../../bench/cold-surroundings.ts';
import { type Bundles, buildBundle, buildBundles } from '../../bin/build.ts';
import { startSilentAws } from '../support/silent-aws.ts';

const outdir = mkdtempSync(join(tmpdir(), 'sluice-bundle-'));
afterAll(() => rmSync(outdir, { recursive: true, force: true }));

describe('bundles', () => {
  let bundles: Bundles;
  beforeAll(async () => {
    bundles = await buildBundles({ outdir });
  });

  test('keep the gateway within 620 KB, both SDK clients included', () => {
    expect(bundleSize(bundles.gateway).totalBytes).toBeLessThanOrEqual(620_000);
    expect(textOf(bundles.gateway)).toContain('secretsmanager');
    expect(textOf(bundles.gateway)).toContain('DynamoDB_20120810');
  });

  test('keep what init loads of the gateway small, so that a release of the SDK that brings more is noticed', () => {
    expect(bundleSize(bundles.gateway).initBytes).toBeLessThanOrEqual(380_000);
  });

  test.each(['anthropic-messages', 'openai-responses', 'gemini', 'bedrock-converse', 'cohere-chat'])(
    'leave the dialect %s to the request that speaks it first',
    (dialect) => {
      const chunk = readdirSync(bundles.gateway).filter((file) => file.startsWith(`${dialect}-`));

      expect(chunk).toHaveLength(1);
      expect(textOf(bundles.gateway)).toContain(`import("./${chunk}")`);
      expect(textOf(bundles.gateway)).not.toContain(`from"./${chunk}"`);
    },
  );

  test('leave the schemas of items to the compiler, and idempotency to those who ask for it', () => {
    const loaded = initFiles(bundles.gateway)
      .map((name) => readFileSync(join(bundles.gateway, name), 'utf8'))
      .join('\n');

    expect(loaded).not.toContain('there is no kind');
    expect(loaded).not.toContain('must have 1 to');
    expect(textOf(bundles.gateway)).toContain('must have 1 to');
    expect(textOf(bundles.compiler)).toContain('there is no kind');
  });

  test('answer a first request by what they read from DynamoDB and Secrets Manager in init', async () => {
    const { aws, environment, event, close } = await startSurroundings();
    const published = aws.calls.length;

    const [, answer] = await coldStart({
      bundle: bundles.gateway,
      environment,
      request: { event, onReady: () => undefined },
    }).finally(close);

    expect(answer).toMatchObject({ status: 200, body: expect.stringContaining('pong') });
    const waitedFor = aws.calls.slice(published).filter(({ atMs }) => atMs <= answer!.answeredAtMs);
    expect(waitedFor.map(({ name }) => name).sort()).toEqual([
      'GetItem key',
      'GetItem pointer',
      'GetItem snapshot',
      'GetSecretValue first-key',
      'GetSecretValue vendor-keys',
      'Query',
    ]);
  });

  test('tell a caller to come back while DynamoDB and Secrets Manager take every request and say nothing', async () => {
    const { environment, event, close } = await startSurroundings();
    const aws = await startSilentAws();
    const startedMs = Date.now();

    const [, answer] = await coldStart({
      bundle: bundles.gateway,
      environment: { ...environment, AWS_ENDPOINT_URL: aws.url },
      request: { event, onReady: () => undefined },
    }).finally(() => {
      close();
      aws.stop();
    });

    expect(answer).toMatchObject({ status: 503, body: expect.stringContaining('"configuration_unavailable"') });
    // Two in init, two in the request, and what a busy machine takes.
    expect(answer!.answeredAtMs - startedMs).toBeLessThan(9_000);
  }, 20_000);

  test('pass over the sources of credentials that are left out, and report that there are none', () => {
    const { output } = load(bundles.gateway, { AWS_ACCESS_KEY_ID: '' });

    expect(output).toContain('"event":"RefreshFailed"');
    expect(output).toContain('"reason":"CredentialsProviderError"');
  });

  test.each(['gateway', 'compiler', 'prober'] as const)(
    'call no `require`, which a module does not have: %s',
    (name) => {
      expect(textOf(bundles[name])).not.toContain('Dynamic require of');
    },
  );

  test.each(['gateway', 'compiler', 'prober'] as const)(
    'never import one of Node’s modules the slow way: %s',
    (name) => {
      expect(textOf(bundles[name])).not.toMatch(/(from|import)\s*\(?"node:/);
      expect(textOf(bundles[name])).toContain('process.getBuiltinModule');
    },
  );

  test.each(['gateway', 'compiler', 'prober'] as const)(
    'carry no source map and no comment of a licence: %s',
    (name) => {
      expect(readdirSync(bundles[name]).filter((file) => !file.endsWith('.mjs'))).toEqual([]);
      expect(textOf(bundles[name])).not.toMatch(/sourceMappingURL|@license|@preserve/);
    },
  );

  test('come out the same every time, so that an unchanged function is not deployed again', async () => {
    const again = await buildBundles({ outdir: join(outdir, 'again') });

    expect(filesOf(again.gateway)).toEqual(filesOf(bundles.gateway));
    expect(filesOf(again.compiler)).toEqual(filesOf(bundles.compiler));
  });

  test.each(['gateway', 'compiler', 'prober'] as const)(
    'load in a plain Node without undici and export a handler: %s',
    (name) => {
      const { handler, undici } = load(bundles[name]);

      expect({ handler, undici }).toEqual({ handler: 'function', undici: false });
    },
  );
});

describe('building', () => {
  test('reaches a builtin by name, as a whole, as a namespace and on demand, and keeps only the names in use', async () => {
    const source = `
      import http, { STATUS_CODES } from 'node:http';
      import * as path from 'path';
      const { AsyncLocalStorage, default: whole } = await import('node:async_hooks');
      const onDemand = new AsyncLocalStorage() instanceof whole.AsyncLocalStorage;
      export const handler = [http.STATUS_CODES === STATUS_CODES, path.join('a', 'b'), onDemand];`;

    const directory = await buildBundle(entry('builtins.ts', source), join(outdir, 'builtins'));

    const { handler } = await import(pathToFileURL(join(directory, 'index.mjs')).href);
    expect(handler).toEqual([true, 'a/b', true]);
    expect(textOf(directory)).not.toContain('WebSocket');
  });

  test('removes what an earlier build left', async () => {
    const directory = join(outdir, 'rebuilt');
    await buildBundle(entry('first.ts', 'export const handler = () => 1;'), directory);
    writeFileSync(join(directory, 'stale.mjs'), '');

    await buildBundle(entry('second.ts', 'export const handler = () => 2;'), directory);

    expect(readdirSync(directory)).toEqual(['index.mjs']);
  });

  test('keeps the earlier bundle when a source is broken, and says where', async () => {
    const directory = join(outdir, 'kept');
    await buildBundle(entry('good.ts', 'export const handler = () => 1;'), directory);

    const broken = buildBundle(entry('broken.ts', 'import "./nowhere.ts";'), directory);

    await expect(broken).rejects.toThrow(/Cannot bundle .*broken\.ts: .*:1:8: Could not resolve ".\/nowhere.ts"/);
    expect(readdirSync(directory)).toEqual(['index.mjs']);
  });
});

function entry(name: string, source: string): string {
  const path = join(outdir, name);
  writeFileSync(path, source);
  return path;
}

function filesOf(directory: string): [string, string][] {
  return readdirSync(directory)
    .sort()
    .map((file) => [file, readFileSync(join(directory, file), 'utf8')]);
}

function textOf(directory: string): string {
  return filesOf(directory)
    .map(([, text]) => text)
    .join('\n');
}

type Loaded = { handler: string; undici: boolean; output: string };

/** Imports the bundle as the Lambda runtime does, in a Node of its own; what it asks of AWS finds a closed port. */
function load(directory: string, environment: Record<string, string> = {}): Loaded {
  const script = `
    globalThis.awslambda = { streamifyResponse: (handler) => handler, HttpResponseStream: { from: (stream) => stream } };
    const { handler } = await import(${JSON.stringify(pathToFileURL(join(directory, 'index.mjs')).href)});
    const undici = process.moduleLoadList.some((name) => name.includes('undici'));
    process.stdout.write('\\n' + JSON.stringify({ handler: typeof handler, undici }));
    process.exit(0);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    env: {
      HOME: '/nonexistent',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_MAX_ATTEMPTS: '1',
      CONFIG_TABLE: 'Config',
      STATS_TABLE: 'Stats',
      VENDOR_SECRET: 'vendor-keys',
      FIRST_KEY_SECRET: 'first-key',
      EVENT_BUS: 'default',
      ...environment,
    },
  });
  return { ...JSON.parse(output.trim().split('\n').at(-1) ?? ''), output };
}
