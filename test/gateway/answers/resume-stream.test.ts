import Anthropic from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { recordByName, type Snapshot } from '../../../lambda/config/snapshot.ts';
import type { GatewayDeps } from '../../../lambda/gateway/gateway-deps.ts';
import { aBreakerBoard, chatRequest, closeCores, handled } from '../../support/core.ts';
import { type CoreFetch, startCoreFetch } from '../../support/core-fetch.ts';
import {
  answer,
  chunk,
  done,
  event,
  role,
  type Script,
  type ScriptedVendor,
  startScriptedVendor,
  stream,
  usageChunk,
} from '../../support/scripted-vendor.ts';
import { aSnapshot } from '../../support/snapshots.ts';

const resume = { 'x-sluice-on-stream-failure': 'resume' };
const messages = [{ role: 'user' as const, content: 'hi' }];
let vendors: ScriptedVendor[];
let snapshot: Snapshot;
let core: CoreFetch;

beforeAll(async () => {
  vendors = await Promise.all(['a', 'b', 'c'].map(() => startScriptedVendor()));
  snapshot = snapshotWith({});
  core = startCoreFetch(snapshot);
});
afterAll(async () => {
  core.close();
  await Promise.all(vendors.map((vendor) => vendor.close()));
});
afterEach(closeCores);
beforeEach(() => {
  for (const vendor of vendors) {
    vendor.seen.length = 0;
    vendor.always(answer(500, { error: { message: 'nobody asked me' } }));
  }
});

type Fields = { continuing?: string[]; only?: string[]; more?: object; settings?: object };

function snapshotWith({ continuing = [], only = ['a', 'b', 'c'], more = {}, settings = {} }: Fields): Snapshot {
  const providers = ['a', 'b', 'c'].map(
    (name, i) => [name, { type: 'openai-compatible', baseUrl: vendors[i]!.url }] as const,
  );
  const targets = only.map((provider) => ({
    provider,
    model: 'm',
    weight: 1,
    ...(continuing.includes(provider) ? { continuesPartial: true } : {}),
  }));
  const model = { targets, strategy: 'priority' as const, fallbacks: [], timeouts: { idleMs: 200 }, ...more };
  return aSnapshot({ providers: recordByName(providers), models: recordByName([['one', model]]), settings });
}

const reset: Parameters<typeof stream>[0] = (response) => void response.destroy();

/** A stream that breaks off behind these pieces of text. */
function broken(...pieces: string[]): Script {
  return stream(role, ...pieces.map((content) => chunk({ content })), reset);
}

function saying(...pieces: string[]): Script {
  return stream(role, ...pieces.map((content) => chunk({ content })), chunk({}, 'stop'), usageChunk(), done);
}

type Seen = { text: string; finishes: string[]; errors: { code: string; message: string }[]; ended: boolean };

/** What a caller of chat completions saw. */
function read(text: string): Seen {
  const data = text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice('data: '.length)] : []));
  const chunks = data.filter((one) => one !== '[DONE]').map((one) => JSON.parse(one));
  const choices = chunks.flatMap(({ choices = [] }) => choices);
  return {
    text: choices.map(({ delta }) => delta.content ?? '').join(''),
    finishes: choices.flatMap(({ finish_reason: reason }) => (reason ? [reason] : [])),
    errors: chunks.flatMap(({ error }) => (error ? [error] : [])),
    ended: data.at(-1) === '[DONE]',
  };
}

type Circumstances = { in?: Snapshot; headers?: Record<string, string>; deps?: Partial<GatewayDeps> };

async function asked(fields: object = {}, { in: config = snapshot, headers = resume, deps = {} }: Circumstances = {}) {
  const request = chatRequest({ stream: true, ...fields }, { headers: { 'x-api-key': 'k', ...headers } });
  const { text, line, head } = await handled(config, request, { deps });
  return { seen: head?.status === 200 ? read(text) : undefined, line, text, head };
}

const whole = { text: 'Hello world!', finishes: ['stop'], errors: [], ended: true };

describe('a stream that breaks off', () => {
  test('goes on with the next target’s answer when it begins with what the caller has', async () => {
    vendors[0]!.always(broken('Hel', 'lo wo'));
    vendors[1]!.always(saying('Hello', ' world', '!'));

    const { seen, line } = await asked();

    expect(seen).toEqual(whole);
    expect(vendors.map((vendor) => vendor.seen.length)).toEqual([1, 1, 0]);
    expect(vendors[1]!.seen[0]?.body['messages']).toEqual(vendors[0]!.seen[0]?.body['messages']);
    expect(line.attempts).toMatchObject([
      { provider: 'a', outcome: 'answered', brokeOff: 'connection' },
      { provider: 'b', outcome: 'answered' },
    ]);
    expect(line.errorCode).toBeUndefined();
  });

  test('ends with the error when no other answer begins so, and repeats no word', async () => {
    vendors[0]!.always(broken('Hello wo'));
    vendors[1]!.always(saying('Hello, World'));
    vendors[2]!.always(saying('Hi'));

    const { seen, line } = await asked();

    expect(seen).toEqual({
      text: 'Hello wo',
      finishes: [],
      errors: [expect.objectContaining({ code: 'provider_failed', message: expect.stringContaining('a/m') })],
      ended: false,
    });
    expect(line.attempts).toMatchObject([{ brokeOff: 'connection' }, { brokeOff: 'differs' }, { brokeOff: 'differs' }]);
    // Each may be asked once; the first one again would be the third resumption.
    expect(vendors.map((vendor) => vendor.seen.length)).toEqual([1, 1, 1]);
  });

  test('is taken up again when the second one breaks off too', async () => {
    vendors[0]!.always(broken('He'));
    vendors[1]!.always(broken('Hello w'));
    vendors[2]!.always(saying('Hello world!'));

    expect((await asked()).seen).toEqual(whole);
  });

  test('passes over a target that is down, and asks the first one again at last', async () => {
    vendors[0]!.next(broken('Hello'), saying('Hello world!'));

    const { seen } = await asked({}, { in: snapshotWith({ only: ['a', 'b'] }) });

    expect(seen).toEqual(whole);
  });

  test('goes on when the vendor’s own error event broke it off, and when it fell silent', async () => {
    for (const end of [event({ error: { message: 'overloaded', code: 529 } }), () => new Promise<void>(() => {})]) {
      vendors[0]!.always(stream(role, chunk({ content: 'Hello' }), end));
      vendors[1]!.always(saying('Hello world!'));

      expect((await asked()).seen).toEqual(whole);
    }
  });

  test('does not ask a target again that fell silent', async () => {
    vendors[0]!.always(stream(role, chunk({ content: 'Hello' }), () => new Promise<void>(() => {})));

    const { seen } = await asked({}, { in: snapshotWith({ only: ['a'] }) });

    expect(seen?.errors).toMatchObject([{ code: 'provider_timeout' }]);
    expect(vendors[0]!.seen).toHaveLength(1);
  });

  test('is not taken up after a verdict on its content', async () => {
    vendors[0]!.always(stream(role, chunk({ content: 'Hello' }), event({ error: { code: 'content_filter' } })));

    const { seen } = await asked();

    expect(seen?.errors).toMatchObject([{ code: 'content_filter' }]);
    expect(vendors[1]!.seen).toHaveLength(0);
  });

  test('tells the caller the usage of the whole answer, and the log what all of it cost', async () => {
    vendors[0]!.always(stream(role, chunk({ content: 'Hello' }), usageChunk(), reset));
    vendors[1]!.always(saying('Hello world!'));

    const { text, line } = await asked({ stream_options: { include_usage: true } });

    expect(text.match(/"usage":\{"prompt_tokens":5,"completion_tokens":2/g)).toHaveLength(1);
    expect(line.usage).toMatchObject({ inputTokens: 10, outputTokens: 4 });
    expect(line.attempts).toMatchObject([{ usage: { inputTokens: 5 } }, { usage: { inputTokens: 5 } }]);
  });
});

test('what breaks off is one failure in the statistics, whatever becomes of the request, and the sequel one success', async () => {
  const samples: string[] = [];
  const measure: GatewayDeps['measure'] = ({ target, outcome }) => void samples.push(`${target} ${outcome}`);
  vendors[0]!.always(broken('Hello'));
  vendors[1]!.always(saying('Hello world!'));

  await asked({}, { deps: { measure } });

  expect(samples).toEqual(['a/m connection', 'b/m answered']);
});

describe('the targets to go on with', () => {
  const endlessly = () => new Promise<void>(() => {});
  const down = { sign: 'limited', reason: 'rate_limited', retryAfterMs: 60_000 } as const;
  const timesAsked = () => vendors.map((vendor) => vendor.seen.length);

  test('are none that others have found to be down meanwhile, while another one stands by', async () => {
    const breakers = aBreakerBoard();
    const others = () => breakers.note({ target: 'b/m', startedAtMs: Date.now(), ...down });
    vendors[0]!.always(stream(role, chunk({ content: 'Hello' }), others, reset));
    for (const vendor of vendors.slice(1)) vendor.always(saying('Hello world!'));

    const { seen, line } = await asked({}, { deps: { breakers } });

    expect(seen).toEqual(whole);
    expect(timesAsked()).toEqual([1, 0, 1]);
    expect(line.passedOver).toEqual([{ target: 'b/m', reason: 'it is known to be down' }]);
  });

  test('are not waited for while another one stands by', async () => {
    const slept: number[] = [];
    const sleep = async (ms: number) => void slept.push(ms);
    vendors[0]!.always(broken('Hello'));
    vendors[1]!.always(answer(429, {}, { 'retry-after': '4' }));
    vendors[2]!.always(saying('Hello world!'));

    const { seen } = await asked({}, { deps: { sleep } });

    expect(seen).toEqual(whole);
    expect(timesAsked()).toEqual([1, 1, 1]);
    expect(slept).toEqual([]);
  });

  test('are waited for when nobody else is left', async () => {
    const slept: number[] = [];
    const sleep = async (ms: number) => void slept.push(ms);
    vendors[0]!.always(stream(role, chunk({ content: 'Hello' }), endlessly));
    vendors[1]!.next(answer(503, {}, { 'retry-after': '4' }), saying('Hello world!'));

    const { seen } = await asked({}, { in: snapshotWith({ only: ['a', 'b'] }), deps: { sleep } });

    expect(seen).toEqual(whole);
    expect(timesAsked()).toEqual([1, 2, 0]);
    expect(slept).toEqual([expect.any(Number)]);
  });

  test('are at last the first one again, though another one fell silent meanwhile', async () => {
    vendors[0]!.next(broken('Hel'), saying('Hello world!'));
    vendors[1]!.always(stream(role, chunk({ content: 'Hello' }), endlessly));

    const { seen } = await asked({}, { in: snapshotWith({ only: ['a', 'b'] }) });

    expect(seen).toEqual(whole);
    expect(timesAsked()).toEqual([2, 1, 0]);
  });

  test('are all behind the first, and never that one again after it fell silent when it was just being tried', async () => {
    let nowMs = Date.now() - 61_000;
    const breakers = aBreakerBoard(() => nowMs);
    breakers.note({ target: 'a/m', startedAtMs: nowMs, ...down });
    nowMs = Date.now();
    vendors[0]!.always(stream(role, chunk({ content: 'Hello' }), endlessly));
    vendors[1]!.always(saying('Hello world!'));

    const { seen, line } = await asked({}, { deps: { breakers } });

    expect(line.attempts[0]).toMatchObject({ provider: 'a', breaker: 'half-open', brokeOff: 'timeout' });
    expect(seen).toEqual(whole);
    expect(timesAsked()).toEqual([1, 1, 0]);
  });
});

describe('a target that continues partial answers', () => {
  test('is shown the beginning, and its answer goes on behind it', async () => {
    vendors[0]!.always(broken('Hello', ' wor'));
    vendors[1]!.always(saying('ld', '!'));

    const { seen } = await asked({ temperature: 0.5 }, { in: snapshotWith({ continuing: ['b'] }) });

    expect(seen).toEqual(whole);
    expect(vendors[1]!.seen[0]?.body).toMatchObject({
      model: 'm',
      stream: true,
      temperature: 0.5,
      messages: [
        { role: 'user', content: 'canary-prompt' },
        { role: 'assistant', content: 'Hello wor' },
      ],
    });
  });

  test.each([' world!', 'world!', ' ', ''])('is not shown blanks at the end, and repeats none: %j', async (first) => {
    vendors[0]!.always(broken('Hello '));
    vendors[1]!.always(saying(...(first.trim() === '' ? [first, 'world!'] : [first])));

    const { seen } = await asked({}, { in: snapshotWith({ continuing: ['b'] }) });

    expect(vendors[1]!.seen[0]?.body['messages']).toContainEqual({ role: 'assistant', content: 'Hello' });
    expect(seen).toEqual(whole);
  });

  test('goes on from a beginning that the caller wrote', async () => {
    vendors[0]!.always(broken('lo wo'));
    vendors[1]!.always(saying('rld!'));
    const prefilled = [...messages, { role: 'assistant', content: 'Hel' }];

    const { seen } = await asked({ messages: prefilled }, { in: snapshotWith({ continuing: ['b'] }) });

    expect(vendors[1]!.seen[0]?.body['messages']).toEqual([...messages, { role: 'assistant', content: 'Hello wo' }]);
    expect(seen?.text).toBe('lo world!');
  });

  test('that refuses partial answers after all leads to the error event, not to a second failure', async () => {
    vendors[0]!.always(broken('Hello'));
    vendors[1]!.always(answer(400, { error: { message: 'the last message must be of the user' } }));

    const { seen } = await asked({}, { in: snapshotWith({ continuing: ['b'], only: ['a', 'b'] }) });

    expect(seen).toMatchObject({ text: 'Hello', finishes: [], errors: [{ code: 'provider_failed' }], ended: false });
  });

  test('is asked to say a tool call again, of which nobody can continue the half', async () => {
    const call = (more: object) => chunk({ tool_calls: [{ index: 0, ...more }] });
    const begin = call({ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a' } });
    vendors[0]!.always(stream(role, begin, reset));
    vendors[1]!.always(stream(role, begin, call({ function: { arguments: '":1}' } }), chunk({}, 'tool_calls'), done));

    const { text, seen } = await asked({}, { in: snapshotWith({ continuing: ['b'] }) });

    const pieces = [...text.matchAll(/"arguments":("(?:[^"\\]|\\.)*")/g)].map(([, one]) => JSON.parse(one!));
    expect(JSON.parse(pieces.join(''))).toEqual({ a: 1 });
    expect(seen?.finishes).toEqual(['tool_calls']);
    expect(vendors[1]!.seen[0]?.body['messages']).toHaveLength(1);
  });
});

describe('the policy', () => {
  test.each<[string, object, Record<string, string>, boolean]>([
    ['is an error by default', {}, {}, false],
    ['can be of the settings', { settings: { onStreamFailure: 'resume' } }, {}, true],
    [
      'of a model beats the settings',
      { settings: { onStreamFailure: 'resume' }, more: { onStreamFailure: 'error' } },
      {},
      false,
    ],
    [
      'of the request beats both',
      { more: { onStreamFailure: 'resume' } },
      { 'x-sluice-on-stream-failure': 'error' },
      false,
    ],
    ['of the request may be to resume', { more: { onStreamFailure: 'error' } }, resume, true],
  ])('%s', async (_, fields, headers, resumes) => {
    vendors[0]!.always(broken('Hello'));
    vendors[1]!.always(saying('Hello world!'));

    const { seen } = await asked({}, { in: snapshotWith(fields), headers });

    expect(seen?.ended).toBe(resumes);
    expect(vendors[1]!.seen).toHaveLength(resumes ? 1 : 0);
  });

  test('that does not exist is refused', async () => {
    const { head, text } = await asked({}, { headers: { 'x-sluice-on-stream-failure': 'retry' } });

    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error.message).toBe('The header x-sluice-on-stream-failure must be error or resume.');
  });
});

describe('resuming in other dialects', () => {
  beforeEach(() => {
    vendors[0]!.always(broken('Hel', 'lo wo'));
    vendors[1]!.always(saying('Hello', ' world', '!'));
  });
  const options = () => ({ apiKey: 'key', fetch: core.fetch, maxRetries: 0, defaultHeaders: resume });

  test('gives the SDK of Anthropic one message', async () => {
    const anthropic = new Anthropic({ ...options(), baseURL: 'http://core' });

    const message = await anthropic.messages.stream({ model: 'one', max_tokens: 9, messages }).finalMessage();

    expect(message).toMatchObject({ content: [{ type: 'text', text: whole.text }], stop_reason: 'end_turn' });
  });

  test('gives OpenAI’s Responses one output text', async () => {
    const openAi = new OpenAI({ ...options(), baseURL: 'http://core/v1' });

    const response = await openAi.responses.stream({ model: 'one', input: 'hi' }).finalResponse();

    expect(response).toMatchObject({ output_text: whole.text, status: 'completed' });
  });

  test('gives OpenAI’s chat helper one completion', async () => {
    const openAi = new OpenAI({ ...options(), baseURL: 'http://core/v1' });

    const result = await openAi.chat.completions.stream({ model: 'one', messages }).finalChatCompletion();

    expect(result.choices).toMatchObject([{ message: { content: whole.text }, finish_reason: 'stop' }]);
  });

  test('gives callers of Gemini and of completions one text', async () => {
    const path = '/v1beta/models/one:streamGenerateContent';
    const contents = Buffer.from(JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }));
    const headers = { 'x-api-key': 'k', ...resume };

    const gemini = await handled(snapshot, chatRequest({}, { path, query: 'alt=sse', headers, body: contents }));
    const prompt = Buffer.from(JSON.stringify({ model: 'one', prompt: 'hi', stream: true }));
    const legacy = await handled(snapshot, chatRequest({}, { path: '/v1/completions', headers, body: prompt }));

    const textOf = (text: string) => [...text.matchAll(/"text":"([^"]*)"/g)].map(([, piece]) => piece).join('');
    expect(textOf(gemini.text)).toBe(whole.text);
    expect(gemini.text).toContain('"finishReason":"STOP"');
    expect(textOf(legacy.text)).toBe(whole.text);
    expect(legacy.text).toContain('[DONE]');
  });
});
