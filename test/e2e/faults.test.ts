import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI, { APIError } from 'openai';
import { startStackGateway } from '../support/local-stack-gateway.ts';
import {
  answer,
  chunk,
  completion,
  done,
  event,
  role,
  type Script,
  type ScriptedVendor,
  silence,
  startScriptedVendor,
  stream,
  usageChunk,
} from '../support/scripted-vendor.ts';
import { type RunningGateway, startServeProcess } from '../support/serve-process.ts';

const apiKey = 'sk-test-of-the-caller';
const messages = [{ role: 'user' as const, content: 'hi' }];
const limits = { connectMs: 1_000, firstContentMs: 500, answerMs: 500, idleMs: 500, totalMs: 10_000 };

/** Each fault has targets of its own, so that what is learnt of one never hides another. */
const scenarios = Array.from({ length: 60 }, (_, index) => `s${index}`);
let scenario = 0;

const error = (message: string, more: object = {}) => ({ error: { message, ...more } });
const reset: Script = (_, response) => void response.destroy();
const breakOff = (response: Parameters<Script>[1]) => void response.destroy();
const never = () => new Promise<void>(() => {});
const saying = (...pieces: string[]) =>
  stream(role, ...pieces.map((content) => chunk({ content })), chunk({}, 'stop'), usageChunk(), done);

describe.each([
  { name: 'npm run serve', start: startServeProcess },
  { name: 'npm start, the stack under the runtime client', start: startStackGateway },
])('what vendors do, as callers of $name see it', ({ start }) => {
  let first: ScriptedVendor;
  let second: ScriptedVendor;
  let gateway: RunningGateway;
  let client: OpenAI;
  let name: string;

  beforeAll(async () => {
    [first, second] = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
    const entries = (make: (name: string) => [string, unknown][]) => Object.fromEntries(scenarios.flatMap(make));
    const at = ({ url }: ScriptedVendor) => ({ type: 'openai-compatible', baseUrl: url });
    const model = (targets: (string | object)[], more: object = {}) => ({
      targets,
      strategy: 'priority',
      timeouts: limits,
      ...more,
    });
    gateway = await start({
      apiKey,
      config: {
        providers: entries((one) => [
          [`${one}-a`, at(first)],
          [`${one}-b`, at(second)],
        ]),
        models: entries((one) => [
          [one, model([`${one}-a/m`, `${one}-b/m`])],
          [`${one}-alone`, model([`${one}-a/m`])],
          [`${one}-partial`, model([`${one}-a/m`, { target: `${one}-b/m`, continuesPartial: true }])],
          [`${one}-larger`, model([`${one}-a/m`], { fallbacks: [`${one}-large`] })],
          [`${one}-large`, model([`${one}-b/large`])],
        ]),
        secrets: entries((one) => [
          [`${one}-a`, 'key-a'],
          [`${one}-b`, 'key-b'],
        ]),
      },
    });
    client = new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  }, 60_000);
  afterAll(async () => {
    await gateway?.close();
    await Promise.all([first, second].map((vendor) => vendor.close()));
  });
  beforeEach(() => {
    name = scenarios[scenario++ % scenarios.length] as string;
    first.seen.length = 0;
    second.seen.length = 0;
    second.always(({ body }, response) =>
      (body['stream'] ? saying('from', ' b') : answer(200, completion('from b')))({} as never, response),
    );
  });

  type Seen = { text: string; finish: string | undefined; error: APIError | undefined; tookMs: number };

  /** What the official SDK made of it, and how long that took. */
  async function seen(model: string, streamed: boolean, headers: Record<string, string> = {}): Promise<Seen> {
    const startedMs = performance.now();
    const result: Seen = { text: '', finish: undefined, error: undefined, tookMs: 0 };
    try {
      if (streamed) {
        const parts = await client.chat.completions.create({ model, messages, stream: true }, { headers });
        for await (const { choices } of parts) {
          result.text += choices[0]?.delta.content ?? '';
          result.finish = choices[0]?.finish_reason ?? result.finish;
        }
      } else {
        const { choices } = await client.chat.completions.create({ model, messages }, { headers });
        result.text = choices[0]?.message.content ?? '';
        result.finish = choices[0]?.finish_reason;
      }
    } catch (thrown) {
      if (!(thrown instanceof APIError)) throw thrown;
      result.error = thrown;
    }
    return { ...result, tookMs: performance.now() - startedMs };
  }

  const asked = () => [first.seen.length, second.seen.length];
  const both = [false, true];

  describe.each(both)('before the first content (streamed: %s)', (streamed) => {
    test.each<[string, Script, number[], number]>([
      ['429 without Retry-After', answer(429, error('slow down')), [1, 1], 3_000],
      ['429 with Retry-After', answer(429, error('slow down'), { 'retry-after': '30' }), [1, 1], 3_000],
      ['503 for ever', answer(503, error('busy')), [1, 1], 3_000],
      ['500 for ever', answer(500, error('oops')), [2, 1], 3_000],
      ['resets before headers', reset, [2, 1], 3_000],
      ['silence', silence, [1, 1], 4_000],
    ])('%s is not seen: the next target answers', async (_, script, tries, mostMs) => {
      first.always(script);

      const { text, finish, error, tookMs } = await seen(name, streamed);

      expect({ text, finish, error }).toEqual({ text: 'from b', finish: 'stop', error: undefined });
      // What is reset on a connection that was kept open is sent once more: it may just have been closed by chance.
      const sentAgain = script === reset ? first.seen.length - (tries[0] ?? 0) : 0;
      expect([0, 1]).toContain(sentAgain);
      expect(asked()).toEqual([(tries[0] ?? 0) + sentAgain, tries[1]]);
      expect(tookMs).toBeLessThan(mostMs);
    });

    test('503 for ever of all targets is told in the end, after one more try of one of them', async () => {
      first.always(answer(503, error('busy')));
      second.always(answer(503, error('busy')));

      const { error: told, tookMs } = await seen(name, streamed);

      expect(told).toMatchObject({ status: 503, code: 'provider_overloaded' });
      expect(asked().toSorted()).toEqual([1, 2]);
      expect(tookMs).toBeLessThan(6_000);
    });

    test('500 once is not seen: the same target answers', async () => {
      first.always(streamed ? saying('from a') : answer(200, completion('from a')));
      first.next(answer(500, error('oops')));

      const { text } = await seen(name, streamed);

      expect(text).toBe('from a');
      expect(asked()).toEqual([2, 0]);
    });

    test('429 with Retry-After of the only target is waited for when that is short', async () => {
      first.always(streamed ? saying('from a') : answer(200, completion('from a')));
      first.next(answer(429, error('slow down'), { 'retry-after': '1' }));

      const { text, tookMs } = await seen(`${name}-alone`, streamed);

      expect(text).toBe('from a');
      expect(tookMs).toBeGreaterThanOrEqual(1_000);
      expect(tookMs).toBeLessThan(5_000);
    });

    test('429 with Retry-After of the only target is told when that is long', async () => {
      first.always(answer(429, error('slow down'), { 'retry-after': '60' }));

      const { error: told, tookMs } = await seen(`${name}-alone`, streamed);

      expect(told).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
      expect(Number(told?.headers?.get('retry-after'))).toBeGreaterThan(50);
      expect(told?.headers?.get('x-sluice-provider')).toBe(`${name}-a`);
      expect(tookMs).toBeLessThan(3_000);
    });

    test('silence of the only target ends in its time', async () => {
      first.always(silence);

      const { error: told, tookMs } = await seen(`${name}-alone`, streamed);

      expect(told).toMatchObject({ status: 504, code: 'provider_timeout' });
      expect(asked()[0]).toBe(1);
      expect(tookMs).toBeLessThan(4_000);
    });

    test('a request that is too long goes to the fallback model, never to the same model elsewhere', async () => {
      first.always(answer(400, error('too long', { code: 'context_length_exceeded' })));

      const elsewhere = await seen(name, streamed);
      expect(elsewhere.error).toMatchObject({ status: 400, code: 'context_length_exceeded' });
      expect(asked()).toEqual([1, 0]);

      const larger = await seen(`${name}-larger`, streamed);
      expect(larger).toMatchObject({ error: undefined, text: 'from b' });
      expect(asked()).toEqual([2, 1]);
    });

    test('an answer that was filtered is the answer, and nobody else is asked', async () => {
      const choices = [{ index: 0, message: { role: 'assistant', content: null }, finish_reason: 'content_filter' }];
      first.always(
        streamed
          ? stream(role, chunk({}, 'content_filter'), usageChunk(), done)
          : answer(200, completion('', { choices })),
      );

      expect(await seen(name, streamed)).toMatchObject({ text: '', finish: 'content_filter', error: undefined });
      expect(asked()).toEqual([1, 0]);
    });

    test('an error inside an answer of status 200 is not seen: the next target answers', async () => {
      first.always(answer(200, error('busy', { code: 503 })));

      expect(await seen(name, streamed)).toMatchObject({ text: 'from b', finish: 'stop', error: undefined });
      expect(asked()).toEqual([1, 1]);
    });

    test('a verdict on the content is passed on, and nobody else is asked', async () => {
      first.always(answer(400, error('no', { code: 'content_filter', type: 'invalid_request_error' })));

      const { error: told } = await seen(name, streamed);

      expect(told).toMatchObject({ status: 400, code: 'content_filter' });
      expect(asked()).toEqual([1, 0]);
    });
  });

  describe('in a stream that has brought nothing yet', () => {
    test.each<[string, Script, number]>([
      ['pings and roles, but a late first token', stream(role, ': ping\n\n', never), 1],
      ['an error inside an answer of status 200', stream(role, event(error('busy', { code: 503 }))), 1],
      ['an end without content', stream(role, done), 1],
      ['an event that is no JSON', stream(role, 'data: {"choices":[{"delta":{"con\n\n', chunk({ content: 'x' })), 1],
      ['a break behind the role', stream(role, breakOff), 2],
    ])('%s is not seen: the next target answers', async (_, script, tries) => {
      first.always(script);

      const { text, finish, tookMs } = await seen(name, true);

      expect({ text, finish }).toEqual({ text: 'from b', finish: 'stop' });
      expect(asked()).toEqual([tries, 1]);
      expect(tookMs).toBeLessThan(4_000);
    });
  });

  test('a first token that comes late, but within the limit, is waited for', async () => {
    const later = () => new Promise<void>((resolve) => setTimeout(resolve, limits.firstContentMs / 2));
    first.always(stream(role, ': ping\n\n', later, chunk({ content: 'late' }), chunk({}, 'stop'), done));

    const { text, finish, tookMs } = await seen(name, true);

    expect({ text, finish }).toEqual({ text: 'late', finish: 'stop' });
    expect(asked()).toEqual([1, 0]);
    expect(tookMs).toBeGreaterThanOrEqual(limits.firstContentMs / 2 - 10);
  });

  describe('in the middle of a stream', () => {
    test.each<[string, Parameters<typeof stream>[0], string]>([
      ['a cut', breakOff, 'provider_failed'],
      ['an end without finish and marker', () => {}, 'provider_failed'],
      ['a stall', never, 'provider_timeout'],
      ['an error event', event(error('died', { code: 500 })), 'provider_failed'],
      ['an event that is no JSON', 'data: {"choices":[{"delta":{"con\n\n', 'provider_failed'],
    ])('%s is an explicit error, never a false stop', async (_, end, code) => {
      first.always(stream(role, chunk({ content: 'half' }), end));

      const { text, finish, error: told, tookMs } = await seen(name, true);

      expect({ text, finish }).toEqual({ text: 'half', finish: undefined });
      expect(told).toMatchObject({ code });
      expect(asked()).toEqual([1, 0]);
      expect(tookMs).toBeLessThan(4_000);
    });

    test('a missing end marker behind the finish is nothing', async () => {
      first.always(stream(role, chunk({ content: 'whole' }), chunk({}, 'stop')));

      expect(await seen(name, true)).toMatchObject({ text: 'whole', finish: 'stop', error: undefined });
    });

    const resume = { 'x-sluice-on-stream-failure': 'resume' };

    test('a cut is not seen by a caller who wants the stream resumed, when the next answer is a sequel', async () => {
      first.always(stream(role, chunk({ content: 'fro' }), breakOff));

      expect(await seen(name, true, resume)).toMatchObject({ text: 'from b', finish: 'stop', error: undefined });
      expect(asked()).toEqual([1, 1]);
    });

    test('a cut ends in the error of the cut when no answer of another target is a sequel', async () => {
      first.always(answer(400, error('nothing more')));
      first.next(stream(role, chunk({ content: 'half' }), breakOff));

      const { text, finish, error: told } = await seen(name, true, resume);

      expect({ text, finish }).toEqual({ text: 'half', finish: undefined });
      expect(told).toMatchObject({ code: 'provider_failed' });
      expect(asked()).toEqual([2, 1]);
    });

    test('a cut ends in the error of the cut when the fallback refuses partial answers', async () => {
      first.always(answer(400, error('nothing more')));
      first.next(stream(role, chunk({ content: 'half' }), breakOff));
      second.always(answer(400, error('the last message must be of the user')));

      const { text, finish, error: told, tookMs } = await seen(`${name}-partial`, true, resume);

      expect({ text, finish }).toEqual({ text: 'half', finish: undefined });
      expect(told).toMatchObject({ code: 'provider_failed' });
      expect(told?.message).not.toContain('the last message');
      const shown = second.seen.map(({ body }) => (body['messages'] as { role: string }[]).at(-1)?.role);
      expect(shown[0]).toBe('assistant');
      expect(second.seen.length).toBeLessThanOrEqual(2);
      expect(tookMs).toBeLessThan(4_000);
    });
  });

  test('usage after a failover is that of the target that answered, and the log has every attempt', async () => {
    first.always(answer(503, error('busy')));

    const { data, response } = await client.chat.completions.create({ model: name, messages }).withResponse();

    expect(data.usage?.total_tokens).toBe(7);
    expect(response.headers.get('x-sluice-attempts')).toBe('2');
    const id = response.headers.get('x-request-id') ?? 'none';
    const line = await logged(gateway, id);
    expect(line).toMatchObject({
      usage: { inputTokens: 5, outputTokens: 2 },
      attempts: [
        { provider: `${name}-a`, outcome: 'overloaded' },
        { provider: `${name}-b`, outcome: 'answered' },
      ],
    });
  });

  test('tokens that a vendor counted before it failed are nobody’s', async () => {
    const counted = usageChunk({ prompt_tokens: 900, completion_tokens: 90, total_tokens: 990 });
    first.always(stream(role, counted, breakOff));

    const params = { model: name, messages, stream: true as const, stream_options: { include_usage: true } };
    const { data, response } = await client.chat.completions.create(params).withResponse();
    const totals = [];
    for await (const { usage } of data) if (usage) totals.push(usage.total_tokens);

    expect(totals).toEqual([7]);
    const line = await logged(gateway, response.headers.get('x-request-id') ?? 'none');
    expect(line).toMatchObject({
      usage: { inputTokens: 5, outputTokens: 2 },
      attempts: [
        { provider: `${name}-a`, outcome: 'connection' },
        { provider: `${name}-a`, outcome: 'connection' },
        { provider: `${name}-b`, outcome: 'answered' },
      ],
    });
  });

  test('an idempotency key gets the answer again on this host too', async () => {
    const options = { headers: { 'Idempotency-Key': name } };
    const ask = () => client.chat.completions.create({ model: `${name}-large`, messages }, options).withResponse();

    const [one, again] = [await ask(), await ask()];

    expect(again.data).toEqual(one.data);
    expect(again.response.headers.get('x-sluice-idempotent-replay')).toBe('true');
    expect(asked()).toEqual([0, 1]);
  });
});

/** The line of a request, which is written after the caller has its answer. */
async function logged(gateway: RunningGateway, requestId: string): Promise<unknown> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const lines = gateway.logs().split('\n');
    const line = lines.find((one) => one.includes(requestId) && one.includes('RequestCompleted'));
    if (line) return JSON.parse(line.slice(line.indexOf('{')));
    if (Date.now() > deadline) throw new Error(`No line for ${requestId}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
