import Anthropic from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { recordByName, type Snapshot } from '../../../lambda/config/snapshot.ts';
import { chatRequest, closeCores, handled } from '../../support/core.ts';
import { type CoreFetch, startCoreFetch } from '../../support/core-fetch.ts';
import {
  answer,
  chunk,
  completion,
  done,
  event,
  role,
  type ScriptedVendor,
  startScriptedVendor,
  stream,
  usageChunk,
} from '../../support/scripted-vendor.ts';
import { aSnapshot } from '../../support/snapshots.ts';

const enabled = { 'x-sluice-metadata': 'enabled' };
const messages = [{ role: 'user' as const, content: 'hi' }];
const told = {
  requestModel: 'one',
  provider: 'second',
  model: 'model-2',
  configVersion: 1,
  attempts: [
    expect.objectContaining({ provider: 'first', model: 'model-1', outcome: 'overloaded', status: 503 }),
    expect.objectContaining({ provider: 'second', outcome: 'answered', durationMs: expect.any(Number) }),
  ],
};
const plainStream = [role, chunk({ content: 'a' }), chunk({ content: 'b' }), chunk({}, 'stop')];

let first: ScriptedVendor;
let second: ScriptedVendor;
let core: CoreFetch;
let snapshot: Snapshot;

beforeAll(async () => {
  [first, second] = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
  const targets = [
    { provider: 'first', model: 'model-1', weight: 1 },
    { provider: 'second', model: 'model-2', weight: 1 },
  ];
  snapshot = aSnapshot({
    providers: recordByName([
      ['first', { type: 'openai-compatible', baseUrl: first.url }],
      ['second', { type: 'openai-compatible', baseUrl: second.url }],
    ]),
    models: recordByName([['one', { targets, strategy: 'priority', fallbacks: [], timeouts: {} }]]),
  });
});
afterAll(async () => {
  await Promise.all([first.close(), second.close()]);
});
afterEach(() => {
  core.close();
  closeCores();
});
beforeEach(() => {
  // A gateway of its own for each test: it must not know yet that the first target is down.
  core = startCoreFetch(snapshot);
  first.always(answer(503, { error: { message: 'busy' } }));
  second.always(answer(200, completion('hello')));
});

const openAi = () =>
  new OpenAI({ apiKey: 'key', baseURL: 'http://core/v1', fetch: core.fetch, maxRetries: 0, defaultHeaders: enabled });

describe('metadata in a buffered answer', () => {
  test('is a field of its own beside the bytes of the vendor', async () => {
    const text = '{ "choices":[{"index":0,"message":{"content":"\\u00e9"},"finish_reason":"stop"}], "n": 1.50 }\n';
    second.always(answer(200, text));

    const { text: sent } = await handled(snapshot, chatRequest({}, { headers: { 'x-api-key': 'k', ...enabled } }));

    expect(JSON.parse(sent).sluice).toMatchObject(told);
    expect(sent.replace(/"sluice":\{.*\}\]\},/, '')).toBe(text);
  });

  test('reaches the official SDK, by our header and by that of OpenRouter', async () => {
    for (const headers of [enabled, { 'X-OpenRouter-Metadata': 'enabled', 'x-sluice-metadata': null }]) {
      const result = await openAi().chat.completions.create({ model: 'one', messages }, { headers });

      expect(result).toMatchObject({ sluice: told, choices: [{ message: { content: 'hello' } }] });
    }
  });

  test('is not there unasked', async () => {
    const { text } = await handled(snapshot, chatRequest());

    expect(text).toBe(JSON.stringify(completion('hello')));
  });
});

describe('metadata in an error', () => {
  test('names every attempt, and the headers name the target whose failure is told', async () => {
    second.always(answer(500, { error: { message: 'broken' } }));

    const { text, head } = await handled(snapshot, chatRequest({}, { headers: { 'x-api-key': 'k', ...enabled } }));

    expect(JSON.parse(text)).toMatchObject({
      error: { code: 'provider_overloaded' },
      sluice: {
        attempts: [
          { outcome: 'overloaded' },
          { outcome: 'server_error' },
          { outcome: 'server_error', retry: 'same_key' },
          { outcome: 'overloaded', retry: 'after_waiting' },
        ],
      },
    });
    expect(head?.headers).toMatchObject({
      'x-sluice-provider': 'first',
      'x-sluice-model': 'model-1',
      'x-sluice-attempts': '4',
      'x-sluice-config-version': '1',
    });
    expect(head?.headers['server-timing']).toMatch(
      /^auth;dur=[\d.]+, plan;dur=[\d.]+, upstream;dur=[\d.]+, translate;/,
    );
  });

  test('leaves the message to the SDK', async () => {
    second.always(answer(400, { error: { message: 'too hot', type: 'invalid_request_error' } }));

    const failing = openAi().chat.completions.create({ model: 'one', messages });

    await expect(failing).rejects.toMatchObject({ status: 400, message: '400 too hot' });
  });
});

describe('metadata in a stream', () => {
  test.each([
    ['the finish', [...plainStream, done], false],
    ['the usage that was asked for', [...plainStream, usageChunk(), done], true],
    ['the finish of a vendor that sends no end marker', plainStream, false],
  ])('is in the last chunk: %s', async (_, pieces, wantsUsage) => {
    second.always(stream(...pieces));
    const options = wantsUsage ? { stream_options: { include_usage: true } } : {};

    const chunks = [];
    const params = { model: 'one', messages, stream: true as const, ...options };
    for await (const part of await openAi().chat.completions.create(params)) chunks.push(part);

    expect(chunks.at(-1)).toMatchObject({ sluice: told });
    expect(chunks.filter((part) => 'sluice' in part)).toHaveLength(1);
    expect(chunks.map((part) => part.choices[0]?.delta.content ?? '').join('')).toBe('ab');
  });

  test('holds nothing else back, and changes no other byte', async () => {
    second.always(stream(`: note\r\n\r\n${plainStream.join('')}${done}`));

    const request = chatRequest({ stream: true }, { headers: { 'x-api-key': 'k', ...enabled } });
    const { text } = await handled(snapshot, request);

    expect(text.replace(/"sluice":\{.*\}\]\},/, '')).toBe(`: note\r\n\r\n${plainStream.join('')}${done}`);
  });

  test('brings each chunk while the vendor is still sending', async () => {
    let proceed = () => {};
    const gate = () =>
      new Promise<void>((resolve) => {
        proceed = resolve;
      });
    second.always(stream(role, chunk({ content: 'a' }), gate, chunk({ content: 'b' }), gate, chunk({}, 'stop'), done));

    for await (const part of await openAi().chat.completions.create({ model: 'one', messages, stream: true })) {
      // The vendor goes on only when the caller has what came before.
      if (part.choices[0]?.delta.content) proceed();
    }

    expect(second.seen.length).toBeGreaterThan(0);
  });

  test('is in the error event of a stream that breaks', async () => {
    second.always(stream(role, chunk({ content: 'a' }), event({ error: { message: 'died', code: 500 } })));

    const request = chatRequest({ stream: true }, { headers: { 'x-api-key': 'k', ...enabled } });
    const { text } = await handled(snapshot, request);

    const last = JSON.parse(text.trim().split('\n\n').at(-1)?.slice('data: '.length) ?? '');
    expect(last).toMatchObject({
      error: { code: 'provider_failed' },
      sluice: { ...told, attempts: [{ outcome: 'overloaded' }, { brokeOff: 'server_error' }] },
    });
  });
});

describe('metadata in other dialects', () => {
  beforeEach(() => second.always(stream(...plainStream, usageChunk(), done)));

  test('is in Anthropic’s message_stop, where the SDK passes it on', async () => {
    const options = { apiKey: 'key', baseURL: 'http://core', fetch: core.fetch, defaultHeaders: enabled };
    const anthropic = new Anthropic({ ...options, maxRetries: 0 });
    const events = [];
    const running = anthropic.messages.stream({ model: 'one', max_tokens: 9, messages });
    for await (const one of running) events.push(one);

    expect(events.at(-1)).toMatchObject({ type: 'message_stop', sluice: told });
    expect(await running.finalText()).toBe('ab');
  });

  test('is in the last event of Responses, and in its answer', async () => {
    const events = [];
    for await (const one of await openAi().responses.create({ model: 'one', input: 'hi', stream: true }))
      events.push(one);
    second.always(answer(200, completion('hello')));
    const whole = await openAi().responses.create({ model: 'one', input: 'hi' });

    expect(events.at(-1)).toMatchObject({ type: 'response.completed', sluice: told });
    expect(whole).toMatchObject({ output_text: 'hello', sluice: told });
  });

  test('is in the last chunk of Gemini, and an array is left alone', async () => {
    const body = Buffer.from(JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }));
    const path = '/v1beta/models/one:streamGenerateContent';
    const headers = { 'x-goog-api-key': 'k', ...enabled };

    const sse = await handled(snapshot, chatRequest({}, { path, query: 'alt=sse', headers, body }));
    const array = await handled(snapshot, chatRequest({}, { path, headers, body }));

    const last = JSON.parse(sse.text.trim().split('\r\n\r\n').at(-1)?.slice('data: '.length) ?? '');
    expect(last).toMatchObject({ candidates: [{ finishReason: 'STOP' }], sluice: told });
    expect(JSON.parse(array.text).at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }] });
    expect(array.text).not.toContain('sluice');
  });
});
