import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { recordByName, type Snapshot } from '../../../lambda/config/snapshot.ts';
import { chatRequest, closeCores, collectingSink, handled } from '../../support/core.ts';
import { type CoreFetch, startCoreFetch } from '../../support/core-fetch.ts';
import { anthropicMessagesFixture } from '../../support/dialect-fixtures/anthropic-messages.ts';
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

/** For longer than anybody waits. */
const busy = answer(503, { error: { message: 'busy' } }, { 'retry-after': '60' });
const messages = [{ role: 'user' as const, content: 'hi' }];
let first: ScriptedVendor;
let second: ScriptedVendor;
let claude: ScriptedVendor;
let snapshot: Snapshot;
let core: CoreFetch;
let client: OpenAI;

beforeAll(async () => {
  [first, second, claude] = await Promise.all([startScriptedVendor(), startScriptedVendor(), startScriptedVendor()]);
  const model = (provider: string, more: object = {}) => ({
    targets: [{ provider, model: `${provider}-1`, weight: 1 }],
    strategy: 'priority' as const,
    fallbacks: [],
    timeouts: {},
    ...more,
  });
  snapshot = aSnapshot({
    providers: recordByName([
      ['first', { type: 'openai-compatible', baseUrl: first.url }],
      ['second', { type: 'openai-compatible', baseUrl: second.url }],
      ['claude', { type: 'anthropic', baseUrl: claude.url }],
    ]),
    models: recordByName([
      ['a', model('first')],
      ['b', model('second')],
      ['c', model('claude', { unsupportedParameters: 'drop' })],
      ['safe', model('second', { fallbacks: ['a'] })],
    ]),
  });
  core = startCoreFetch(snapshot);
  client = new OpenAI({ apiKey: 'key', baseURL: 'http://core/v1', fetch: core.fetch, maxRetries: 0 });
});
afterAll(async () => {
  core.close();
  await Promise.all([first, second, claude].map((vendor) => vendor.close()));
});
afterEach(closeCores);
beforeEach(() => {
  for (const vendor of [first, second, claude]) vendor.seen.length = 0;
  first.always(answer(200, completion('from a')));
  second.always(answer(200, completion('from b')));
  const wire = { text: ['from c'], calls: [], finish: 'stop' as const, usage: usageOf(3, 4) };
  claude.always(({ body }, response) => {
    const isStream = body['stream'] === true;
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
    if (!isStream) return void response.end(JSON.stringify(anthropicMessagesFixture.body(wire)));
    for (const piece of anthropicMessagesFixture.stream(wire)) response.write(piece);
    response.end();
  });
});

function usageOf(inputTokens: number, outputTokens: number) {
  const none = { cacheReadInputTokens: 0, cacheCreationInputTokens: 0, reasoningOutputTokens: 0 };
  return { inputTokens, outputTokens, ...none };
}

/** Resolves when `open` is called; until then a script waits. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { wait: () => opened, open: () => open() };
}

const saying = (...pieces: string[]) =>
  stream(role, ...pieces.map((content) => chunk({ content })), chunk({}, 'stop'), usageChunk(), done);

describe('several models, buffered', () => {
  test('are one answer to the SDK: a choice for each, in their order, and the usage of all', async () => {
    const result = await client.chat.completions.create({ model: 'a, b,c', messages });

    expect(result).toMatchObject({
      object: 'chat.completion',
      id: expect.stringMatching(/^chatcmpl-/),
      model: 'a,b,c',
      choices: [
        { index: 0, model: 'a', message: { content: 'from a' }, finish_reason: 'stop' },
        { index: 1, model: 'b', message: { content: 'from b' }, finish_reason: 'stop' },
        { index: 2, model: 'c', message: { content: 'from c' }, finish_reason: 'stop' },
      ],
      usage: { prompt_tokens: 13, completion_tokens: 8, total_tokens: 21, prompt_tokens_details: { cached_tokens: 6 } },
      usage_details: [
        { model: 'a', response_model: 'model-1-dated', prompt_tokens: 5, completion_tokens: 2 },
        { model: 'b', prompt_tokens: 5 },
        { model: 'c', prompt_tokens: 3, completion_tokens: 4 },
      ],
    });
    expect(result).not.toHaveProperty('errors');
  });

  test('are asked in parallel', async () => {
    const both = gate();
    const meeting = (vendor: ScriptedVendor, text: string) => {
      vendor.always(async (request, response) => {
        if (first.seen.length + second.seen.length === 2) both.open();
        await both.wait();
        await answer(200, completion(text))(request, response);
      });
    };
    meeting(first, 'x');
    meeting(second, 'y');

    const { choices } = await client.chat.completions.create({ model: 'a,b', messages });

    expect(choices.map(({ message }) => message.content)).toEqual(['x', 'y']);
  });

  test('tell the error of one at its place, and the others answer', async () => {
    first.always(answer(429, { error: { message: 'slow down' } }, { 'retry-after': '60' }));

    const { text, line } = await handled(snapshot, chatRequest({ model: 'a,b' }));

    const error = {
      code: 'rate_limit_exceeded',
      message: expect.stringContaining('first/first-1'),
      type: 'rate_limit_error',
    };
    expect(JSON.parse(text)).toMatchObject({
      choices: [
        { index: 0, model: 'a', message: { role: 'assistant', content: null }, finish_reason: 'error', error },
        { index: 1, model: 'b', message: { content: 'from b' } },
      ],
      errors: [{ model: 'a', index: 0, ...error }],
      usage: { prompt_tokens: 5 },
    });
    expect(line).toMatchObject({ status: 200, errorCode: 'rate_limit_exceeded', faultDomain: 'provider' });
    expect(line.attempts).toMatchObject([
      { requestModel: 'a', outcome: 'rate_limited' },
      { requestModel: 'b', outcome: 'answered', usage: { inputTokens: 5 } },
    ]);
  });

  test('each have their own plan', async () => {
    second.always(answer(500, { error: { message: 'down' } }));

    const { choices } = await client.chat.completions.create({ model: 'a,safe', messages });

    expect(choices.map(({ message }) => message.content)).toEqual(['from a', 'from a']);
  });

  test('fail only together, with what the caller can change, and with the words of all', async () => {
    first.always(busy);
    second.always(answer(400, { error: { message: 'too long', code: 'context_length_exceeded' } }));

    const { text, head, line } = await handled(snapshot, chatRequest({ model: 'a,b' }));

    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error).toMatchObject({
      code: 'context_length_exceeded',
      message: expect.stringMatching(/^None of the models answered\. a: .*busy.* b: too long$/),
    });
    expect(head?.headers).toMatchObject({ 'x-sluice-provider': 'second', 'x-sluice-attempts': '2' });
    expect(line).toMatchObject({ status: 400, errorCode: 'context_length_exceeded' });
  });

  test('keep the time to wait when all of them are limited', async () => {
    for (const vendor of [first, second]) {
      vendor.always(answer(429, { error: { message: 'slow down' } }, { 'retry-after': '60' }));
    }

    const { head } = await handled(snapshot, chatRequest({ model: 'a,b' }));

    expect(head).toMatchObject({ status: 429, headers: { 'retry-after': '60' } });
  });

  test('name the parameters that were left out for one of them', async () => {
    const { text } = await handled(snapshot, chatRequest({ model: 'a,c', seed: 7 }));

    expect(JSON.parse(text).choices).toMatchObject([{ model: 'a' }, { model: 'c', dropped_parameters: ['seed'] }]);
    expect(JSON.parse(text).choices[0]).not.toHaveProperty('dropped_parameters');
  });
});

describe('several models, streamed', () => {
  test('are one well-formed stream to the SDK’s helper', async () => {
    first.always(saying('from', ' a'));
    second.always(saying('from b'));
    const params = { model: 'a,b,c', messages, stream_options: { include_usage: true } };

    const running = client.chat.completions.stream(params);
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    running.on('chunk', (one) => void chunks.push(one));
    const result = await running.finalChatCompletion();

    expect(result.choices.map(({ message, finish_reason }) => [message.content, finish_reason])).toEqual([
      ['from a', 'stop'],
      ['from b', 'stop'],
      ['from c', 'stop'],
    ]);
    expect(result.usage).toMatchObject({ prompt_tokens: 13, completion_tokens: 8 });
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks.filter(({ usage }) => usage)).toHaveLength(1);
    const named = chunks.flatMap(({ model, choices }) => choices.map(({ index }) => `${index} ${model}`));
    expect([...new Set(named)].sort()).toEqual(['0 a', '1 b', '2 c']);
  });

  test('end with one marker, and with no usage that nobody asked for', async () => {
    first.always(saying('x'));
    second.always(saying('y'));

    const { text } = await handled(snapshot, chatRequest({ model: 'a,b', stream: true }));

    expect(text.match(/\[DONE\]/g)).toHaveLength(1);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(text).not.toContain('"usage"');
  });

  test('come as they are said: one does not wait for another', async () => {
    const slow = gate();
    first.always(stream(() => slow.wait(), role, chunk({ content: 'late' }), chunk({}, 'stop'), done));
    second.always(saying('early'));
    const order: string[] = [];

    for await (const part of await client.chat.completions.create({ model: 'a,b', messages, stream: true })) {
      const [choice] = part.choices;
      if (choice?.delta.content) order.push(choice.delta.content);
      if (choice?.index === 1 && choice.finish_reason) slow.open();
    }

    expect(order).toEqual(['early', 'late']);
  });

  test.each([
    ['before its first word', busy, 'provider_overloaded', ''],
    [
      'in the middle',
      stream(role, chunk({ content: 'ha' }), (response) => void response.destroy()),
      'provider_failed',
      'ha',
    ],
    [
      'by the vendor’s error event',
      stream(role, chunk({ content: 'ha' }), event({ error: { message: 'x', code: 500 } })),
      'provider_failed',
      'ha',
    ],
  ])('tell in the stream that one failed %s, and go on', async (_, script, code, said) => {
    first.always(script);
    second.always(saying('whole'));

    const result = await client.chat.completions.stream({ model: 'a,b', messages }).finalChatCompletion();

    expect(result.choices).toMatchObject([
      { index: 0, finish_reason: 'error', error: { code } },
      { index: 1, finish_reason: 'stop', message: { content: 'whole' } },
    ]);
    expect(result.choices[0]?.message.content ?? '').toBe(said);
    const attempts = JSON.parse(core.lines.at(-1) ?? '').attempts;
    if (said)
      expect(attempts[0]).toMatchObject({ requestModel: 'a', outcome: 'answered', brokeOff: expect.any(String) });
  });

  test('are an error with its true status when none of them begins', async () => {
    for (const vendor of [first, second]) vendor.always(busy);

    const failing = client.chat.completions.create({ model: 'a,b', messages, stream: true });

    await expect(failing).rejects.toMatchObject({ status: 503, code: 'provider_overloaded' });
  });

  test('show in the metadata who was asked for what', async () => {
    first.always(busy);
    second.always(saying('y'));
    const headers = { 'x-api-key': 'k', 'x-sluice-metadata': 'enabled' };

    const { text } = await handled(snapshot, chatRequest({ model: 'a,b', stream: true }, { headers }));

    const last = JSON.parse(text.trim().split('\n\n').at(-2)?.slice('data: '.length) ?? '');
    expect(last.sluice.attempts).toMatchObject([
      { requestModel: 'a', outcome: 'overloaded' },
      { requestModel: 'b', outcome: 'answered' },
    ]);
  });

  test('stop all of them when the caller leaves', async () => {
    const ended: Promise<unknown>[] = [];
    for (const vendor of [first, second]) {
      vendor.always(
        stream(role, chunk({ content: 'x' }), (response) => {
          const closed = new Promise((resolve) => response.once('close', resolve));
          ended.push(closed);
          return closed as Promise<void>;
        }),
      );
    }
    const caller = new AbortController();
    const sink = collectingSink();
    const { write } = sink;
    sink.write = (bytes) => {
      const slow = write(bytes);
      if (sink.text().includes('"index":0') && sink.text().includes('"index":1')) caller.abort();
      return slow;
    };

    const request = chatRequest({ model: 'a,b', stream: true }, { signal: caller.signal });
    await handled(snapshot, request, { sink });

    expect(await Promise.all(ended)).toHaveLength(2);
    expect(sink.ended).toBe(true);
  });

  test('wait for a caller who is slower than they are', async () => {
    for (const vendor of [first, second]) vendor.always(saying('1', '2', '3'));
    const sink = collectingSink();
    const { write } = sink;
    let writing = 0;
    let most = 0;
    sink.write = async (bytes) => {
      most = Math.max(most, ++writing);
      await write(bytes);
      await new Promise((resolve) => setImmediate(resolve));
      writing--;
    };

    await handled(snapshot, chatRequest({ model: 'a,b', stream: true }), { sink });

    // Each model waits for its own write to be taken before it makes another.
    expect(most).toBeLessThanOrEqual(2);
    expect(sink.text().match(/"content":"3"/g)).toHaveLength(2);
  });
});

describe('a list of models that cannot be answered', () => {
  test.each<[string, object, number, string]>([
    ['an unknown one', { model: 'a,nope' }, 404, 'The model "nope" does not exist here.'],
    ['one that is named twice', { model: 'a,b,a' }, 400, '"model" names "a" twice; each answers once.'],
    ['an empty name', { model: 'a,,b' }, 400, '"model" is a list with an empty name.'],
    ['too many', { model: 'a,b,c,d,e,f,g,h,i' }, 400, '"model" names 9 models; 8 are the most.'],
    ['several choices of each', { model: 'a,b', n: 2 }, 400, '"n" must be 1 when several models are asked'],
  ])('is refused before any is asked: %s', async (_, fields, status, message) => {
    const { head, text } = await handled(snapshot, chatRequest(fields));

    expect(head?.status).toBe(status);
    expect(JSON.parse(text).error.message).toContain(message);
    expect(first.seen.length + second.seen.length).toBe(0);
  });

  test('is refused when the key may not use one of them', async () => {
    const findCaller = async () => ({ label: 'limited', models: ['a'] });

    const { head } = await handled(snapshot, chatRequest({ model: 'a,b' }), { deps: { findCaller } });

    expect(head?.status).toBe(403);
    expect(first.seen).toHaveLength(0);
  });

  test.each([
    ['/v1/messages', { model: 'a,b', max_tokens: 5, messages }],
    ['/v1/responses', { model: 'a,b', input: 'hi' }],
    ['/v1/completions', { model: 'a,b', prompt: 'hi' }],
    ['/v1beta/models/a,b:generateContent', { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }],
  ])('is refused where an answer has no place for it: %s', async (path, body) => {
    const { head, text } = await handled(snapshot, chatRequest({}, { path, body: Buffer.from(JSON.stringify(body)) }));

    expect(head?.status).toBe(400);
    expect(text).toContain('Several models at once can be asked in chat completions only.');
  });
});
