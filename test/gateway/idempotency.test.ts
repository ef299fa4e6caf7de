import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import OpenAI from 'openai';
import type { Snapshot } from '../../lambda/config/snapshot.ts';
import type { GatewayDeps } from '../../lambda/gateway/gateway-deps.ts';
import { mostKeptBytes } from '../../lambda/gateway/recording-sink.ts';
import type { IdempotencyStore } from '../../lambda/store/idempotency-store.ts';
import { memoryIdempotencyStore } from '../../lambda/store/memory-idempotency-store.ts';
import { chatRequest, closeCores, collectingSink, handled, snapshotOf } from '../support/core.ts';
import { type CoreFetch, startCoreFetch } from '../support/core-fetch.ts';
import {
  answer,
  chunk,
  completion,
  done,
  event,
  role,
  type Script,
  stream,
  usageChunk,
} from '../support/scripted-vendor.ts';
import { suiteVendor } from '../support/suite-vendor.ts';

const messages = [{ role: 'user' as const, content: 'hi' }];
const vendor = suiteVendor();
let snapshot: Snapshot;
let idempotency: IdempotencyStore;
let count: number;

beforeAll(async () => {
  snapshot = snapshotOf(vendor.url);
});
afterEach(closeCores);
beforeEach(() => {
  idempotency = memoryIdempotencyStore();
  count = 0;
  vendor.always((request, response) => answer(200, completion(`answer ${++count}`))(request, response));
});

let requests = 0;

/** One request with an idempotency key, by a caller with this key of their own. */
async function asked(
  fields: object = {},
  {
    key = 'order-1',
    caller = 'k',
    headers = {} as Record<string, string>,
    path = '/v1/chat/completions',
    deps = {} as Partial<GatewayDeps>,
  } = {},
) {
  const request = chatRequest(fields, {
    id: `request-${++requests}`,
    path,
    headers: { 'x-api-key': caller, 'idempotency-key': key, ...headers },
  });
  return handled(snapshot, request, { deps: { idempotency, ...deps } });
}

/** Resolves when `open` is called. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { wait: () => opened, open: () => open() };
}

const streamed = [role, chunk({ content: 'zwölf ' }), chunk({ content: '☃' }), chunk({}, 'stop'), usageChunk(), done];

describe('a request with an idempotency key', () => {
  test('is answered once; its repetition gets the same answer without asking the vendor', async () => {
    const first = await asked();
    const second = await asked();

    expect(second.text).toBe(first.text);
    expect(second.head?.status).toBe(200);
    expect(vendor.seen).toHaveLength(1);
    expect(first.head?.headers).not.toHaveProperty('x-sluice-idempotent-replay');
    expect(second.head?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-sluice-idempotent-replay': 'true',
      'x-sluice-original-request-id': first.head?.headers['x-request-id'],
      'x-sluice-provider': 'scripted',
      'x-sluice-attempts': '1',
    });
    expect(second.head?.headers['x-request-id']).not.toBe(first.head?.headers['x-request-id']);
    expect(second.line).toMatchObject({ status: 200, replayOf: first.head?.headers['x-request-id'], attempts: [] });
  });

  test('gets its stream again, byte for byte and as a stream', async () => {
    vendor.always(stream(...streamed));
    const params = { stream: true, stream_options: { include_usage: true } };

    const first = await asked(params);
    const second = await asked(params);

    expect(second.text).toBe(streamed.join(''));
    expect(second.text).toBe(first.text);
    expect(second.head?.headers['content-type']).toBe(first.head?.headers['content-type']);
    expect(vendor.seen).toHaveLength(1);
  });

  test('reads to the official SDK as the first answer did', async () => {
    vendor.always(stream(...streamed));
    const core: CoreFetch = startCoreFetch(snapshot);
    const client = new OpenAI({ apiKey: 'key', baseURL: 'http://core/v1', fetch: core.fetch, maxRetries: 0 });
    const options = { idempotencyKey: 'order-1', headers: { 'Idempotency-Key': 'order-1' } };

    const texts = [];
    for (const _ of [1, 2]) {
      const result = await client.chat.completions.stream({ model: 'one', messages }, options).finalChatCompletion();
      texts.push(result.choices[0]?.message.content);
    }
    core.close();

    expect(texts).toEqual(['zwölf ☃', 'zwölf ☃']);
    expect(vendor.seen).toHaveLength(1);
  });

  test.each([
    ['/v1/messages', { max_tokens: 5, messages }],
    ['/v1/responses', { input: 'hi' }],
    ['/v1/completions', { prompt: 'hi' }],
    ['/v1beta/models/one:generateContent', { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }],
  ])('is answered once on %s too', async (path, body) => {
    const request = () =>
      chatRequest(
        {},
        {
          path,
          headers: { 'x-api-key': 'k', 'idempotency-key': path },
          body: Buffer.from(JSON.stringify(path.includes('v1beta') ? body : { model: 'one', ...body })),
        },
      );

    const first = await handled(snapshot, request(), { deps: { idempotency } });
    const second = await handled(snapshot, request(), { deps: { idempotency } });

    expect(first.head?.status).toBe(200);
    expect(second.text).toBe(first.text);
    expect(vendor.seen).toHaveLength(1);
  });

  test('is refused while another request has its key: with another body, model, path or query', async () => {
    await asked();

    const others = [
      await asked({ temperature: 1 }),
      await asked({ model: 'scripted/other' }),
      await asked({}, { path: '/chat/completions' }),
    ];

    for (const { head, text } of others) {
      expect(head?.status).toBe(409);
      expect(JSON.parse(text).error).toMatchObject({ code: 'idempotency_conflict', type: 'invalid_request_error' });
    }
    expect(vendor.seen).toHaveLength(1);
  });

  test('is another one for another caller', async () => {
    const first = await asked({}, { caller: 'a' });
    const second = await asked({}, { caller: 'b' });

    expect(second.text).not.toBe(first.text);
    expect(vendor.seen).toHaveLength(2);
  });

  test('is told to come back while the first one is being answered', async () => {
    const slow = gate();
    vendor.always(async (request, response) => {
      await slow.wait();
      await answer(200, completion('late'))(request, response);
    });

    const first = asked();
    await vendor.sawRequests(1);
    const second = await asked();
    slow.open();
    await first;
    const third = await asked();

    expect(second.head).toMatchObject({ status: 409, headers: { 'retry-after': '1' } });
    expect(JSON.parse(second.text).error.code).toBe('idempotency_in_progress');
    expect(third.text).toBe((await first).text);
    expect(vendor.seen).toHaveLength(1);
  });

  test.each<[string, Script, object]>([
    ['a failure of the vendor', answer(500, { error: { message: 'x' } }), {}],
    ['a rate limit', answer(429, { error: { message: 'x' } }, { 'retry-after': '60' }), {}],
    ['a mistake of the caller', answer(400, { error: { message: 'x' } }), {}],
    [
      'a stream that broke off',
      stream(role, chunk({ content: 'a' }), (response) => void response.destroy()),
      { stream: true },
    ],
    ['an error event', stream(role, chunk({ content: 'a' }), event({ error: { message: 'x' } })), { stream: true }],
  ])('is asked again after %s', async (_, script, fields) => {
    vendor.always(script);
    await asked(fields);
    const seen = vendor.seen.length;
    vendor.always('stream' in fields ? stream(...streamed) : answer(200, completion('better')));

    const again = await asked(fields);

    expect(again.head?.status).toBe(200);
    expect(again.text).toMatch(/better|☃/);
    expect(again.head?.headers).not.toHaveProperty('x-sluice-idempotent-replay');
    expect(vendor.seen.length).toBe(seen + 1);
  });

  test('is answered to its end for a caller who leaves, and the retry gets it', async () => {
    const slow = gate();
    const [first, ...rest] = [role + chunk({ content: 'a' }), chunk({ content: 'b' }), chunk({}, 'stop'), done];
    vendor.always(stream(first as string, () => slow.wait(), ...rest));
    const caller = new AbortController();
    const sink = collectingSink();
    const { write } = sink;
    sink.write = (bytes) => {
      caller.abort();
      slow.open();
      return write(bytes);
    };

    const headers = { 'x-api-key': 'k', 'idempotency-key': 'order-1' };
    await handled(snapshot, chatRequest({ stream: true }, { headers, signal: caller.signal }), {
      deps: { idempotency },
      sink,
    });
    const retry = await asked({ stream: true });

    expect(retry.text).toBe([first, ...rest].join(''));
    expect(vendor.seen).toHaveLength(1);
  });

  test('is asked again when its answer was too large to be kept, and says so', async () => {
    const large = completion('x'.repeat(mostKeptBytes));
    vendor.always(answer(200, large));

    const first = await asked();
    const second = await asked();

    expect(first.head?.headers).not.toHaveProperty('x-sluice-idempotency');
    expect(second.head?.headers['x-sluice-idempotency']).toBe('repeated');
    expect(second.text).toBe(JSON.stringify(large));
    expect(vendor.seen).toHaveLength(2);
    expect((await asked({ temperature: 1 })).head?.status).toBe(409);
  });

  test.each(['', '   ', 'x'.repeat(256)])('is refused with a key that is none: %j', async (key) => {
    const { head, text } = await asked({}, { key });

    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error.message).toBe('The header Idempotency-Key must have 1 to 255 characters.');
  });
});

describe('when the table is out of reach', () => {
  const failing = async () => {
    throw Object.assign(new Error('canary-detail'), { name: 'ProvisionedThroughputExceededException' });
  };
  const down: IdempotencyStore = { claim: failing, renew: failing, finish: failing, release: failing };

  test('a request is answered without protection, and both caller and log are told', async () => {
    const { head, text, log } = await asked({}, { deps: { idempotency: down } });

    expect(head).toMatchObject({ status: 200, headers: { 'x-sluice-idempotency': 'unavailable' } });
    expect(text).toContain('answer 1');
    expect(log).toContain('"event":"IdempotencyUnavailable"');
    expect(log).toContain('ProvisionedThroughputExceededException');
    expect(log).not.toContain('canary-detail');
  });

  test('a request is refused whose caller prefers that', async () => {
    const headers = { 'x-sluice-idempotency': 'required' };

    const { head, text } = await asked({}, { deps: { idempotency: down }, headers });

    expect(head?.status).toBe(503);
    expect(JSON.parse(text).error.code).toBe('idempotency_unavailable');
    expect(vendor.seen).toHaveLength(0);
  });

  test('an answer that cannot be kept reaches the caller all the same', async () => {
    const { head, text, log } = await asked({}, { deps: { idempotency: { ...idempotency, finish: failing } } });

    expect(head?.status).toBe(200);
    expect(text).toContain('answer 1');
    expect(log).toContain('"event":"IdempotencyUnavailable"');
  });

  test('a retry need not wait for the lease of a claim that was written, and not heard of', async () => {
    const claim: IdempotencyStore['claim'] = async (wish) => {
      await idempotency.claim(wish);
      throw Object.assign(new Error('canary-detail'), { name: 'AbortError' });
    };
    vendor.always(answer(500, { error: { message: 'x' } }));
    const first = await asked({}, { deps: { idempotency: { ...idempotency, claim } } });
    vendor.always(answer(200, completion('better')));

    const retry = await asked();

    expect(first.log).toContain('"event":"IdempotencyUnavailable"');
    expect(retry.text).toContain('better');
    expect(retry.head?.headers).not.toHaveProperty('x-sluice-idempotency');
  });

  test('a table that answers too late gives back what nobody waited for', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
    try {
      const late = gate();
      const claim: IdempotencyStore['claim'] = async (wish) => {
        await late.wait();
        return idempotency.claim(wish);
      };
      const running = asked({}, { deps: { idempotency: { ...idempotency, claim } } });
      await jest.advanceTimersByTimeAsync(1_500);
      jest.useRealTimers();
      await running;
      late.open();
      await new Promise(setImmediate);

      expect((await asked()).head?.headers).not.toHaveProperty('x-sluice-idempotency');
      expect(vendor.seen).toHaveLength(2);
    } finally {
      jest.useRealTimers();
    }
  });

  test('a table that says nothing holds nobody up for long', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
    try {
      const claim = () => new Promise<never>(() => {});
      const running = asked({}, { deps: { idempotency: { ...idempotency, claim } } });
      await jest.advanceTimersByTimeAsync(1_500);
      jest.useRealTimers();

      expect((await running).head).toMatchObject({ status: 200, headers: { 'x-sluice-idempotency': 'unavailable' } });
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('the lease of a running request', () => {
  test('is renewed while it runs, and not afterwards', async () => {
    jest.useFakeTimers({
      doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'setTimeout', 'clearTimeout', 'Date'],
    });
    try {
      const renewals: number[] = [];
      const renew: IdempotencyStore['renew'] = async (_, untilMs) => void renewals.push(untilMs);
      const slow = gate();
      vendor.always(async (request, response) => {
        await slow.wait();
        await answer(200, completion('late'))(request, response);
      });

      const running = asked({}, { deps: { idempotency: { ...idempotency, renew } } });
      await vendor.sawRequests(1);
      jest.advanceTimersByTime(45_000);
      slow.open();
      await running;
      jest.advanceTimersByTime(60_000);

      expect(renewals).toHaveLength(2);
      expect(renewals[0]).toBeGreaterThan(Date.now());
    } finally {
      jest.useRealTimers();
    }
  });
});
