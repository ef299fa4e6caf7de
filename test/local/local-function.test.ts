import { afterEach, describe, expect, test } from '@jest/globals';
import { nodeFlags } from '../../local/function-environment.ts';
import { aFunction } from './fixtures/definitions.ts';
import { type Harness, isRunning, send, startHarness, until } from './function-harness.ts';

describe('a function and its environments', () => {
  let harness: Harness;
  afterEach(() => harness.close());

  test('refuses an invocation over its concurrency with 429, and serves again afterwards', async () => {
    harness = await startHarness(aFunction('streaming', { reservedConcurrency: 1 }));
    await harness.target.prewarm();

    const [first, second] = await Promise.all([send(`${harness.url.url}/pid`), send(`${harness.url.url}/pid`)]);
    await until(() => harness.reports.length === 2);
    const third = await send(`${harness.url.url}/pid`);

    expect([first.status, second.status].sort()).toEqual([200, 429]);
    const refused = first.status === 429 ? first : second;
    expect(JSON.parse(refused.text)).toMatchObject({ Reason: 'ConcurrentInvocationLimitExceeded' });
    expect(third.status).toBe(200);
  });

  test('uses an idle environment again, and bills the start only to the first invocation', async () => {
    harness = await startHarness(aFunction('streaming'));

    const first = await harness.sendAndReport('pid');
    const second = await harness.sendAndReport('pid');

    expect(second.seen.text).toBe(first.seen.text);
    expect(first.report.coldStart).toBe(true);
    expect(first.report.billedMs).toBeGreaterThan(Math.ceil(first.report.durationMs));
    expect(second.report).toMatchObject({ coldStart: false, billedMs: Math.ceil(second.report.durationMs) });
  });

  test('stops an environment that nobody needs', async () => {
    harness = await startHarness(aFunction('streaming'), {}, { idleTimeoutMs: 50 });

    const { seen } = await harness.sendAndReport('pid');

    await until(() => !isRunning(Number(seen.text)));
  });

  test('goes on with unawaited work when it is not frozen', async () => {
    harness = await startHarness(aFunction('streaming'), {}, { freeze: false });

    await harness.sendAndReport('detached');

    await until(async () => Number((await harness.sendAndReport('detached-ran-after')).seen.text) < 300);
  });

  test('answers 502 and reports the reason when the code cannot be loaded', async () => {
    harness = await startHarness(aFunction('broken-init'));

    const { seen, report } = await harness.sendAndReport('');

    expect(seen).toMatchObject({ status: 502, text: 'Internal Server Error' });
    expect(report.error).toEqual({ errorType: 'RangeError', errorMessage: 'cannot start' });
  });

  test('gives up an initialization that takes too long, and kills it', async () => {
    harness = await startHarness(aFunction('slow-init'), {}, { initTimeoutMs: 300 });

    const { report } = await harness.sendAndReport('');

    expect(report.error).toEqual({ errorType: 'Sandbox.Timedout', errorMessage: 'Init timed out after 0.30 seconds' });
    await expect(harness.target.prewarm()).rejects.toThrow('Init timed out');
  });

  test('leaves no process when it closes, frozen or busy', async () => {
    harness = await startHarness(aFunction('streaming'));
    const { seen: frozen } = await harness.sendAndReport('pid');
    const busy = send(`${harness.url.url}/hang`).catch(() => undefined);
    const other = await send(`${harness.url.url}/pid`);

    await harness.close();
    await busy;

    expect(isRunning(Number(frozen.text))).toBe(false);
    expect(isRunning(Number(other.text))).toBe(false);
  });

  test('ends an invocation that still waits for an environment when it closes', async () => {
    harness = await startHarness(aFunction('slow-init'), {}, { initTimeoutMs: 500 });
    const waiting = harness.target.invoke({});

    await harness.target.close();

    expect((await waiting).error?.errorType).toBe('Sandbox.Closed');
    expect((await harness.target.invoke({})).error?.errorType).toBe('Sandbox.Closed');
  });
});

describe('the heap of a function', () => {
  test('is what Lambda derives from its memory', () => {
    expect(nodeFlags(512)).toContain('--max-old-space-size=461');
    expect(nodeFlags(512)).toContain('--max-semi-space-size=25');
  });
});
