import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createGateway } from '../../lambda/gateway/gateway.ts';
import {
  chatRequest,
  closeCores,
  collectingSink,
  coreDeps,
  handled,
  snapshotOf,
  vendorSecret,
} from '../support/core.ts';
import { answer, chunk, completion, done, event, role, stream } from '../support/scripted-vendor.ts';
import { aSnapshot } from '../support/snapshots.ts';
import { suiteVendor } from '../support/suite-vendor.ts';

const vendor = suiteVendor();

afterEach(closeCores);
beforeEach(() => {
  vendor.always(answer(200, completion('hello')));
});

function get(path: string, headers: Record<string, string> = { 'x-api-key': 'key' }) {
  return chatRequest({}, { method: 'GET', path, headers, body: Buffer.alloc(0) });
}

class CanaryError extends Error {
  override name = 'CanaryError';
}

describe('createGateway', () => {
  test('answers an unexpected exception with a generic 500, and logs its type and place but not its message', async () => {
    const findCaller = async () => {
      throw new CanaryError('canary-detail of what was processed');
    };

    const { head, text, line, log } = await handled(aSnapshot(), chatRequest(), { deps: { findCaller } });

    expect(head?.status).toBe(500);
    expect(JSON.parse(text).error).toMatchObject({ code: 'internal_error', type: 'server_error' });
    expect(line).toMatchObject({ status: 500, errorCode: 'internal_error', faultDomain: 'gateway' });
    expect(line.cause).toMatch(/^CanaryError at .*gateway\.test/);
    expect(text + log).not.toContain('canary-detail');
  });

  test('copes with a thrown value that is no error', async () => {
    const findCaller = () => Promise.reject('canary-detail');

    const { text, line, log } = await handled(aSnapshot(), chatRequest(), { deps: { findCaller } });

    expect(line.cause).toBe('string');
    expect(text + log).not.toContain('canary-detail');
  });

  test('ends a stream with an error event and no second head when it fails by our own mistake', async () => {
    let proceed = () => {};
    const gate = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    vendor.always(stream(chunk({ content: 'a' }), () => gate, chunk({ content: 'b' }), chunk({}, 'stop'), done));
    const sink = collectingSink();
    const { write } = sink;
    let writes = 0;
    sink.write = (bytes) => {
      proceed();
      if (++writes === 2) throw new CanaryError('canary-detail');
      return write(bytes);
    };

    const { text, line, log } = await handled(snapshotOf(vendor.url), chatRequest({ stream: true }), { sink });

    expect(sink.heads).toHaveLength(1);
    expect(sink.ended).toBe(true);
    expect(JSON.parse(text.trim().split('\n\n').at(-1)?.slice('data: '.length) ?? '').error.code).toBe(
      'internal_error',
    );
    expect(line).toMatchObject({
      status: 200,
      errorCode: 'internal_error',
      cause: expect.stringMatching(/^CanaryError/),
    });
    expect(text + log).not.toContain('canary-detail');
  });

  test('does not take an answer for begun whose head could not be sent', async () => {
    const sink = collectingSink();
    const { head } = sink;
    sink.head = (status, headers) => {
      if (status === 200) throw new CanaryError('canary-detail');
      head(status, headers);
    };

    const { line } = await handled(snapshotOf(vendor.url), chatRequest(), { sink });

    expect(sink.heads.map(({ status }) => status)).toEqual([500]);
    expect(line.status).toBe(500);
  });

  test('names a model in its headers whatever the characters', async () => {
    for (const model of ['scripted/a\r\nx-evil: 1', 'scripted/\ud800', 'scripted/ü☃ "%']) {
      const { head } = await handled(snapshotOf(vendor.url), chatRequest({ model }));

      expect(head?.status).toBe(200);
      expect(head?.headers['x-sluice-model']).toMatch(/^[!-~]+$/);
    }
  });

  test('knows no model whose name is endless, and repeats little of it', async () => {
    const { head, text, log } = await handled(
      snapshotOf(vendor.url),
      chatRequest({ model: `scripted/${'x'.repeat(100_000)}` }),
    );

    expect(head?.status).toBe(404);
    expect(text.length + log.length).toBeLessThan(3_000);
    expect(vendor.seen).toHaveLength(0);
  });

  test.each([false, true])('tells no secret that a vendor repeats (streamed: %s)', async (streamed) => {
    const error = {
      message: `${'x'.repeat(1_990)} ${vendorSecret}`,
      type: vendorSecret,
      code: `c ${vendorSecret}`,
      param: vendorSecret,
    };
    for (const status of [400, 404, 429, 500, 503]) {
      vendor.always(answer(status, { error }));

      const { text, log } = await handled(snapshotOf(vendor.url), chatRequest({ stream: streamed }));

      expect(text + log).not.toContain('canary-v');
      expect(text.length).toBeLessThan(4_000);
    }
  });

  test('tells no secret that a vendor repeats in the middle of a stream', async () => {
    vendor.always(stream(role, chunk({ content: 'a' }), event({ error: { message: `key ${vendorSecret} died` } })));

    const { text, log } = await handled(snapshotOf(vendor.url), chatRequest({ stream: true }));

    expect(text).toContain('key *** died');
    expect(text + log).not.toContain(vendorSecret);
  });

  test('logs neither prompt nor answer, however the request ends', async () => {
    for (const script of [
      answer(200, completion('canary-answer')),
      answer(400, { error: { message: 'canary-prompt is bad' } }),
      answer(200, 'canary-answer'),
      stream(role, chunk({ content: 'canary-answer' })),
    ]) {
      vendor.always(script);

      for (const streamed of [false, true]) {
        const { log } = await handled(snapshotOf(vendor.url), chatRequest({ stream: streamed }));

        expect(log).not.toContain('canary-');
      }
    }
  });

  test('says how long it took by itself, without the time that vendor and caller took', async () => {
    const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
    vendor.always(
      stream(
        () => pause(60),
        role,
        chunk({ content: 'a' }),
        () => pause(60),
        chunk({}, 'stop'),
        done,
      ),
    );
    const sink = collectingSink();
    const { end } = sink;
    sink.end = async (bytes) => {
      await pause(60);
      await end(bytes);
    };

    const { line } = await handled(snapshotOf(vendor.url), chatRequest({ stream: true }), { sink });

    expect(line.durationMs).toBeGreaterThanOrEqual(178);
    expect(line.overheadMs).toBeGreaterThan(0);
    expect(line.overheadMs).toBeLessThan(60);
    expect(line.timeToFirstChunkMs).toBeGreaterThanOrEqual(59);
    expect(line.timeToFirstChunkMs).toBeLessThan(119);
  });

  test('logs the id by which the vendor knows the request, and nothing else that it puts there', async () => {
    const idOf = async (headers: Record<string, string>) => {
      vendor.always(answer(200, completion('hello'), headers));
      return (await handled(snapshotOf(vendor.url), chatRequest())).line.vendorRequestId;
    };

    expect(await idOf({ 'x-request-id': 'req_0a-1' })).toBe('req_0a-1');
    expect(await idOf({ 'request-id': 'req_011' })).toBe('req_011');
    expect(await idOf({ 'x-request-id': 'You said: canary' })).toBeUndefined();
    expect(await idOf({ 'x-request-id': 'x'.repeat(129) })).toBeUndefined();
    expect(await idOf({})).toBeUndefined();
  });

  test('logs the plan with its reasons', async () => {
    const { line } = await handled(snapshotOf(vendor.url), chatRequest());

    expect(line.plan).toEqual([{ target: 'scripted/model-1', reason: 'the only target' }]);
    expect(line.attempts).toMatchObject([{ reason: 'the only target', startedAtMs: expect.any(Number) }]);
  });

  test('knows a cold start by its first request', async () => {
    const { deps, lines, close } = coreDeps(snapshotOf(vendor.url), { coldStart: true });
    const gateway = createGateway(deps);

    await gateway.handle(chatRequest(), collectingSink());
    await gateway.handle(chatRequest(), collectingSink());
    close();

    expect(lines.map((line) => JSON.parse(line).coldStart)).toEqual([true, undefined]);
  });

  test.each([
    [404, 'unknown_url', get('/v1')],
    [404, 'unknown_url', get('/v1/models/%')],
    [404, 'unknown_url', get('/v1/v1/models')],
    [405, 'method_not_allowed', get('/v1/chat/completions')],
    [405, 'method_not_allowed', { ...get('/v1/models'), method: 'DELETE' }],
    [401, 'invalid_api_key', get('/v1/models', {})],
  ])('answers with %d %s before it asks anyone', async (status, code, request) => {
    const { head, text } = await handled(snapshotOf(vendor.url), request);

    expect(head?.status).toBe(status);
    expect(JSON.parse(text).error.code).toBe(code);
    expect(head?.headers['x-request-id']).toBe('request-1');
  });

  test('lets anyone ask for its health, whatever the state of the configuration', async () => {
    const snapshot = () => Promise.reject(new Error('down'));

    const { head } = await handled(aSnapshot(), get('/health', {}), { deps: { snapshot } });

    expect(head?.status).toBe(200);
  });

  test('refuses a body over 6 MB only after it knows the caller', async () => {
    const request = chatRequest({}, { body: Buffer.alloc(6 * 1024 * 1024 + 1) });

    const known = await handled(aSnapshot(), request);
    const stranger = await handled(aSnapshot(), request, { deps: { findCaller: async () => undefined } });

    expect([known.head?.status, stranger.head?.status]).toEqual([413, 401]);
  });
});
