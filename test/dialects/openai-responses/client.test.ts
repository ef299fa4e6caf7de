import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import OpenAI from 'openai';
import type { ChatEvent } from '../../../lambda/dialects/chat-event.ts';
import type { CallerError } from '../../../lambda/dialects/dialect.ts';
import {
  openAiResponsesClient as client,
  openAiResponsesVendor as vendor,
} from '../../../lambda/dialects/openai-responses/openai-responses.ts';
import { answerTo, decode, encodeStreamText } from './wire.ts';

/** OpenAI's own SDK, which gets this text for an answer. */
function sdk(text: string, contentType: string): OpenAI {
  return new OpenAI({
    apiKey: 'none',
    fetch: async () => new Response(text, { headers: { 'content-type': contentType } }),
  });
}

const streamed = (text: string) =>
  sdk(text, client.streamContentType).responses.stream({ model: 'gpt-5', input: 'hi' });

const usage: ChatEvent = {
  type: 'usage',
  usage: {
    inputTokens: 20,
    outputTokens: 12,
    cacheReadInputTokens: 8,
    cacheCreationInputTokens: 0,
    reasoningOutputTokens: 5,
  },
  serviceTier: 'default',
};
const start: ChatEvent = { type: 'start', id: 'resp_v', model: 'claude', createdSeconds: 1 };
const finish = (reason: 'stop' | 'length' | 'tool_calls' | 'content_filter'): ChatEvent => ({
  type: 'finish',
  choice: 0,
  reason,
  nativeReason: undefined,
});
const text = (piece: string): ChatEvent => ({ type: 'text', choice: 0, text: piece });
const logprob = { token: 'Bern', logprob: -0.5, bytes: [66], top_logprobs: [] };

const everything: ChatEvent[] = [
  start,
  { type: 'reasoning', choice: 0, text: 'Let me ' },
  { type: 'reasoning', choice: 0, text: 'think.' },
  { type: 'reasoning', choice: 0, signature: 'sig' },
  { type: 'reasoning', choice: 0, redacted: 'hidden' },
  text('In Bern'),
  { type: 'logprobs', choice: 0, content: [logprob] },
  { type: 'citation', choice: 0, citation: { url: 'https://a.example', title: 'A', startIndex: 3, endIndex: 7 } },
  text(' it rains.'),
  { type: 'tool-call', choice: 0, index: 0, id: 'a', name: 'weather', signature: 'g' },
  { type: 'tool-call', choice: 0, index: 1, id: 'b', name: 'time' },
  { type: 'tool-arguments', choice: 0, index: 0, text: '{"city":' },
  { type: 'tool-arguments', choice: 0, index: 1, text: '{"zone":"CET"}' },
  { type: 'tool-arguments', choice: 0, index: 0, text: '"Bern"}' },
  finish('tool_calls'),
  usage,
];

describe('a streamed answer to a Responses caller', () => {
  test("satisfies OpenAI's SDK: thoughts, text, parallel calls and usage", async () => {
    const stream = streamed(await encodeStreamText(everything));
    const seen: string[] = [];
    for await (const event of stream) seen.push(event.type);

    const response = await stream.finalResponse();

    expect(response).toMatchObject({
      id: 'resp_v',
      status: 'completed',
      model: 'claude',
      output_text: 'In Bern it rains.',
    });
    expect(response.output).toMatchObject([
      { type: 'reasoning', summary: [{ text: 'Let me think.' }], encrypted_content: 'sig' },
      { type: 'reasoning', summary: [], encrypted_content: 'sluice:redacted:hidden' },
      {
        type: 'message',
        status: 'completed',
        content: [{ text: 'In Bern it rains.', annotations: [{ type: 'url_citation', start_index: 3, end_index: 7 }] }],
      },
      { type: 'reasoning', summary: [], encrypted_content: 'sluice:call:a:g' },
      { type: 'function_call', call_id: 'a', name: 'weather', arguments: '{"city":"Bern"}', status: 'completed' },
      { type: 'function_call', call_id: 'b', name: 'time', arguments: '{"zone":"CET"}' },
    ]);
    expect(response.usage).toEqual({
      input_tokens: 20,
      input_tokens_details: { cached_tokens: 8 },
      output_tokens: 12,
      output_tokens_details: { reasoning_tokens: 5 },
      total_tokens: 32,
    });
    expect(seen).toContain('response.reasoning_summary_text.delta');
    expect(seen.at(-1)).toBe('response.completed');
  });

  test('numbers its events, and repeats each of its items when it is whole', async () => {
    const events = (await encodeStreamText(everything))
      .split('\n\n')
      .filter((event) => event !== '')
      .map((event) => JSON.parse(event.split('\ndata: ')[1] ?? ''));

    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    const done = events.filter((event) => event.type === 'response.output_item.done').map((event) => event.item);
    expect(done).toEqual(events.at(-1).response.output);
    expect(new Set(done.map((item) => item.id)).size).toBe(done.length);
  });

  test.each([
    ['length stop', 'length', 'max_output_tokens'],
    ['content filter', 'content_filter', 'content_filter'],
  ] as const)('%s: the response is incomplete and says why', async (_, reason, native) => {
    const response = await streamed(await encodeStreamText([start, text('a'), finish(reason), usage])).finalResponse();

    expect(response).toMatchObject({ status: 'incomplete', incomplete_details: { reason: native } });
    expect(response.output[0]).toMatchObject({ status: 'incomplete' });
  });

  test('a call without arguments has an empty object', async () => {
    const call: ChatEvent = { type: 'tool-call', choice: 0, index: 0, id: 'a', name: 'time' };
    const response = await streamed(await encodeStreamText([start, call, finish('tool_calls')])).finalResponse();

    expect(response.output[0]).toMatchObject({ arguments: '{}' });
  });

  test('a refusal is a part of its own', async () => {
    const refusal: ChatEvent = { type: 'refusal', choice: 0, text: 'No.' };
    const response = await streamed(await encodeStreamText([start, refusal, finish('stop')])).finalResponse();

    expect(response.output[0]).toMatchObject({ content: [{ type: 'refusal', refusal: 'No.' }] });
  });

  test('errors: a failure of the vendor reaches the SDK as one', async () => {
    const error = { message: 'Overloaded.', type: 'overloaded', param: undefined, code: 'busy' };
    const failed = streamed(await encodeStreamText([start, text('a'), { type: 'error', error }]));

    await expect(failed.finalResponse()).rejects.toThrow('Overloaded.');
  });

  test('errors: a failure of the gateway after the stream began reaches the SDK as one', async () => {
    const error: CallerError = {
      status: 502,
      code: 'provider_failed',
      type: 'server_error',
      message: 'The stream broke off.',
      param: null,
      requestId: 'r',
    };
    const begun = await encodeStreamText([start, text('a')]);

    await expect(streamed(begun + client.encodeStreamError(error)).finalResponse()).rejects.toMatchObject({
      message: expect.stringContaining('The stream broke off.'),
      code: 'provider_failed',
    });
  });

  test('cut stream: nothing says that the answer is complete', async () => {
    expect(await encodeStreamText([start, text('a')])).not.toContain('response.completed');
  });

  test('its secrets come back with the next turn as what they were', async () => {
    const { output } = await streamed(await encodeStreamText(everything)).finalResponse();
    const { messages } = client.decodeRequest({ input: JSON.parse(JSON.stringify(output)) }, {});

    expect(messages).toHaveLength(1);
    expect(messages[0]?.parts).toMatchObject([
      { type: 'reasoning', text: 'Let me think.', signature: 'sig' },
      { type: 'reasoning', text: '', redacted: 'hidden' },
      { type: 'text', text: 'In Bern it rains.' },
      { type: 'tool-call', id: 'a', signature: 'g' },
      { type: 'tool-call', id: 'b', arguments: '{"zone":"CET"}' },
    ]);
  });
});

describe('a buffered answer to a Responses caller', () => {
  test("satisfies OpenAI's SDK and equals the end of the stream", async () => {
    const body = client.encodeResponse(everything, answerTo());
    const response = await sdk(JSON.stringify(body), 'application/json').responses.create({
      model: 'gpt-5',
      input: 'hi',
    });
    const last = (await encodeStreamText(everything)).split('\ndata: ').at(-1) ?? '';

    expect(response.output_text).toBe('In Bern it rains.');
    expect(body).toEqual(JSON.parse(last).response);
  });

  test('json schema: the SDK parses what was asked for', async () => {
    const format = { type: 'json_schema', name: 'reply', schema: { type: 'object' }, strict: true } as const;
    const body = client.encodeResponse(
      [start, text('{"a":1}'), finish('stop')],
      answerTo({ input: 'x', text: { format } }),
    );
    const parsed = await sdk(JSON.stringify(body), 'application/json').responses.parse({
      model: 'gpt-5',
      input: 'x',
      text: { format },
    });

    expect(body['text']).toEqual({ format });
    expect(parsed.output_parsed).toEqual({ a: 1 });
  });
});

describe('any answer', () => {
  const piece = fc.string({ minLength: 1 });
  const content = fc.oneof(
    fc.record({ type: fc.constant('text' as const), choice: fc.constant(0), text: piece }),
    fc.record({ type: fc.constant('reasoning' as const), choice: fc.constant(0), text: piece, signature: piece }),
    fc.record({ type: fc.constant('refusal' as const), choice: fc.constant(0), text: piece }),
  );

  test('is read back as it was written, streamed and buffered', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { minLength: 1 }),
        fc.array(fc.tuple(piece, fc.json())),
        async (said, called) => {
          const calls = called.flatMap(([name, written], index): ChatEvent[] => [
            { type: 'tool-call', choice: 0, index, id: `call_${index}`, name },
            { type: 'tool-arguments', choice: 0, index, text: written },
          ]);
          const events: ChatEvent[] = [
            start,
            ...said,
            ...calls,
            finish(calls.length > 0 ? 'tool_calls' : 'stop'),
            usage,
          ];

          const streamedBack = fold(await decode(Buffer.from(await encodeStreamText(events))));
          const bufferedBack = fold(vendor.decodeResponse(client.encodeResponse(events, answerTo())));

          expect(streamedBack).toEqual(fold(events));
          expect(bufferedBack).toEqual(fold(events));
        },
      ),
    );
  });
});

/** What an answer says, however it was cut into events. */
function fold(events: readonly ChatEvent[]) {
  const said: [string, string][] = [];
  for (const event of events) {
    if (event.type === 'tool-call') said.push([`call ${event.index}`, `${event.id} ${event.name}`]);
    if (event.type === 'finish') said.push(['finish', event.reason]);
    if (event.type === 'usage') said.push(['usage', JSON.stringify(event)]);
    const key = event.type === 'tool-arguments' ? `arguments ${event.index}` : event.type;
    if ('text' in event && event.text) {
      const last = said.at(-1);
      if (last?.[0] === key) last[1] += event.text;
      else said.push([key, event.text]);
    }
    if (event.type === 'reasoning' && event.signature) said.push(['signature', event.signature]);
  }
  return said;
}
