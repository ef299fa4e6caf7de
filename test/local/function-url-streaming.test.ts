import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FunctionDefinition } from '../../local/function-definition.ts';
import { aFunction } from './fixtures/definitions.ts';
import { type Harness, send, startHarness, until } from './function-harness.ts';

describe('a function URL with RESPONSE_STREAM', () => {
  let harness: Harness;
  const at = (path: string): string => `${harness.url.url}/${path}`;

  beforeAll(async () => {
    harness = await startHarness(aFunction('streaming'));
    await harness.target.prewarm();
  });
  afterAll(() => harness.close());

  test('brings status, headers, cookies and every chunk live', async () => {
    const seen = await send(at('chunks'));

    expect(seen.status).toBe(201);
    expect(seen.headers['content-type']).toBe('text/event-stream');
    expect(seen.headers['x-custom']).toBe('yes');
    expect(seen.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2']);
    expect(seen.headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen.headers['content-length']).toBeUndefined();
    expect(seen.text).toBe('chunk 0\nchunk 1\nchunk 2\nchunk 3\nchunk 4\n');
    expect(seen.chunks[0]!.atMs).toBeLessThan(seen.endAtMs - 300);
    expect(seen.chunks.length).toBe(5);
    expect(seen.wasCut).toBe(false);
  });

  test('answers 502 when the handler ends without a single write', async () => {
    const seen = await send(at('no-write'));

    expect(seen.status).toBe(502);
  });

  test('sends the head at once when the handler writes an empty string', async () => {
    const seen = await send(at('flush-early'));

    expect(seen.headAtMs).toBeLessThan(seen.endAtMs - 200);
    expect(seen.text).toBe('late');
  });

  test('answers 204 without a body', async () => {
    const seen = await send(at('empty'));

    expect(seen.status).toBe(204);
    expect(seen.text).toBe('');
  });

  test('takes an answer without a prelude as 200 with its own content type', async () => {
    const seen = await send(at('without-prelude'));

    expect(seen.status).toBe(200);
    expect(seen.headers['content-type']).toBe('text/csv');
    expect(seen.text).toBe('a,b');
  });

  test('answers 502 when the prelude cannot be read', async () => {
    const seen = await send(at('bad-prelude'));

    expect(seen.status).toBe(502);
    expect(seen.text).not.toContain('body');
  });

  test.each(['throw-before', 'throw-after-from'])('answers 502 without a stack trace on %s', async (path) => {
    const seen = await send(at(path));

    expect(seen.status).toBe(502);
    expect(seen.text).toBe('Internal Server Error');
    await until(() => harness.reports.at(-1)?.error !== undefined);
    expect(harness.reports.at(-1)?.error?.errorType).toBe('Error');
  });

  test('cuts the connection when the handler throws midway, and keeps the environment', async () =>
    withOwnFunction(aFunction('streaming'), async (own) => {
      const seen = await send(`${own.url.url}/throw-midway`);

      expect(seen.status).toBe(200);
      expect(seen.text).toBe('first\n');
      expect(seen.wasCut).toBe(true);
      await until(() => own.reports.at(-1)?.error?.errorMessage === 'midway');
      const { report } = await own.sendAndReport('echo');
      expect(report.coldStart).toBe(false);
    }));

  test('loses the environment when pipeline() breaks the response stream', async () =>
    withOwnFunction(aFunction('streaming'), async (own) => {
      const seen = await send(`${own.url.url}/pipeline`);

      expect(seen.text).toBe('first\n');
      expect(seen.wasCut).toBe(true);
      await until(() => own.reports.at(-1)?.error?.errorType === 'Runtime.ExitError');
      const { report } = await own.sendAndReport('echo');
      expect(report.coldStart).toBe(true);
    }));

  test('ends the answer at end() and bills the awaited work after it', async () => {
    const { seen, report } = await harness.sendAndReport('work-after-end');

    expect(seen.text).toBe('answer');
    expect(seen.endAtMs).toBeLessThan(500);
    expect(report.billedMs).toBeGreaterThanOrEqual(600);
  });

  test('freezes an idle environment, so a timer that nobody awaited runs only in the next invocation', async () => {
    let ranAfterMs = 0;
    // On a busy machine the freeze may come later than the timer; one that never comes is seen all the same.
    for (let tries = 0; tries < 5 && ranAfterMs <= 390; tries++) {
      await harness.sendAndReport('detached');
      // Far longer than the timer: what must not happen cannot be waited for otherwise.
      await new Promise((resolve) => setTimeout(resolve, 400));
      const { seen } = await harness.sendAndReport('detached-ran-after');
      ranAfterMs = Number(seen.text);
    }

    expect(ranAfterMs).toBeGreaterThan(390);
  });

  test('ends cleanly when the handler throws after end()', async () => {
    const seen = await send(at('throw-after-end'));

    expect(seen.text).toBe('whole');
    expect(seen.wasCut).toBe(false);
    await until(() => harness.logs.some((line) => line.includes('too late to matter')));
  });

  test('cuts the connection and replaces the environment when the process exits midway', async () =>
    withOwnFunction(aFunction('streaming'), async (own) => {
      const seen = await send(`${own.url.url}/exit`);

      expect(seen.text).toBe('first\n');
      expect(seen.wasCut).toBe(true);
      await until(() => own.reports.at(-1)?.error?.errorMessage === 'Runtime exited with error: exit status 7');
      const { report } = await own.sendAndReport('echo');
      expect(report.coldStart).toBe(true);
    }));

  test('never tells the function that its caller has left', async () => {
    const left = Promise.withResolvers<void>();
    const request = httpRequest(at('client-leaves'), { agent: false }, (response) => {
      response.on('error', () => {});
      response.once('data', () => request.destroy());
    });
    request.on('close', () => left.resolve());
    request.on('error', () => {});
    request.end();
    await left.promise;
    const reportsBefore = harness.reports.length;

    await until(() => harness.reports.length > reportsBefore);

    expect(harness.reports.at(-1)?.error).toBeUndefined();
    expect(harness.reports.at(-1)?.billedMs).toBeGreaterThanOrEqual(600);
    expect(harness.logs.some((line) => line.includes('wrote everything, noticed 0'))).toBe(true);
  });

  test('gives concurrent requests an environment each', async () => {
    const seen = await Promise.all(Array.from({ length: 3 }, () => send(at('slow-pid'))));

    expect(new Set(seen.map(({ text }) => text)).size).toBe(3);
  });

  test('carries 20 000 small writes unchanged and in order', async () => {
    const seen = await send(at('tokens'));

    const tokens = [...seen.text.matchAll(/"token":(\d+)/g)].map(([, token]) => Number(token));
    expect(tokens).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
    expect(seen.wasCut).toBe(false);
  });
});

describe('a function URL whose function has one second', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await startHarness(aFunction('streaming', { timeoutMs: 1_000 }));
    await harness.target.prewarm();
  });
  afterAll(() => harness.close());

  test.each(['no-end', 'hang'])('is cut at the deadline on %s, and the environment is replaced', async (path) => {
    const seen = await send(`${harness.url.url}/${path}`);

    expect(seen.text).toBe('first\n');
    expect(seen.wasCut).toBe(true);
    expect(seen.endAtMs).toBeGreaterThanOrEqual(950);
    await until(() => harness.reports.at(-1)?.error !== undefined);
    expect(harness.reports.at(-1)?.error).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: 'Task timed out after 1.00 seconds',
    });
    const { report } = await harness.sendAndReport('echo');
    expect(report.coldStart).toBe(true);
  });
});

/**
 * For a test about which environment comes next: another may still be starting for a request of an earlier test, or be
 * idle since.
 */
async function withOwnFunction(definition: FunctionDefinition, run: (own: Harness) => Promise<void>): Promise<void> {
  const own = await startHarness(definition);
  try {
    await own.target.prewarm();
    await run(own);
  } finally {
    await own.close();
  }
}
