import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openAiResponsesVendor as vendor } from '../../../lambda/dialects/openai-responses/openai-responses.ts';
import { collect, decode, pieces, wire } from './wire.ts';

const created = {
  type: 'response.created',
  response: { id: 'resp_1', object: 'response', created_at: 1_700_000_000, model: 'gpt-5-2025', status: 'in_progress' },
};
const usage = {
  input_tokens: 20,
  input_tokens_details: { cached_tokens: 8, cache_write_tokens: 4 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 5 },
  total_tokens: 32,
};
const completed = {
  type: 'response.completed',
  response: {
    id: 'resp_1',
    status: 'completed',
    service_tier: 'default',
    incomplete_details: null,
    error: null,
    usage,
  },
};
const start = { type: 'start', id: 'resp_1', model: 'gpt-5-2025', createdSeconds: 1_700_000_000 };
const ended = [
  {
    type: 'usage',
    usage: {
      inputTokens: 20,
      outputTokens: 12,
      cacheReadInputTokens: 8,
      cacheCreationInputTokens: 4,
      reasoningOutputTokens: 5,
    },
    serviceTier: 'default',
  },
];
const finish = (reason: string, nativeReason: string) => ({ type: 'finish', choice: 0, reason, nativeReason });
const message = (content: object[]) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content,
});
const call = (id: string, name: string, written: string) => ({
  id: `fc_${id}`,
  type: 'function_call',
  status: 'completed',
  call_id: id,
  name,
  arguments: written,
});

const textStream = [
  created,
  { type: 'response.in_progress', response: created.response },
  { type: 'response.output_item.added', output_index: 0, item: message([]) },
  {
    type: 'response.content_part.added',
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    part: { type: 'output_text', text: '' },
  },
  {
    type: 'response.output_text.delta',
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    delta: 'Grüß',
    logprobs: [],
    obfuscation: 'x7',
  },
  { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: ' dich 👋' },
  { type: 'response.output_text.done', item_id: 'msg_1', output_index: 0, content_index: 0, text: 'Grüß dich 👋' },
  {
    type: 'response.content_part.done',
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    part: { type: 'output_text', text: 'Grüß dich 👋', annotations: [] },
  },
  {
    type: 'response.output_item.done',
    output_index: 0,
    item: message([{ type: 'output_text', text: 'Grüß dich 👋', annotations: [] }]),
  },
  completed,
];
const textEvents = [
  start,
  { type: 'text', choice: 0, text: 'Grüß' },
  { type: 'text', choice: 0, text: ' dich 👋' },
  finish('stop', 'completed'),
  ...ended,
];

describe('a streamed answer of a Responses vendor', () => {
  test('text: every piece is told once, and the end with what was used', async () => {
    expect(await decode(wire(textStream))).toEqual(textEvents);
  });

  test('means the same wherever its bytes are split', async () => {
    const bytes = wire(textStream);

    for (let at = 1; at < bytes.length; at += 3) {
      const split = await collect(vendor.decodeStream(pieces(bytes.subarray(0, at), bytes.subarray(at))));
      expect(split).toEqual(textEvents);
    }
  });

  test('comments, end markers and unknown events are no content', async () => {
    const noise = Buffer.from(
      ': keepalive\n\nevent: response.new_thing\ndata: {"type":"response.new_thing"}\n\ndata: [DONE]\n\n',
    );

    const events = await collect(vendor.decodeStream(pieces(noise, wire(textStream), noise)));

    expect(events).toEqual(textEvents);
  });

  test('parallel tools: pieces that alternate belong to their calls', async () => {
    const args = (index: number, delta: string) => ({
      type: 'response.function_call_arguments.delta',
      output_index: index,
      delta,
    });
    const events = await decode(
      wire([
        created,
        { type: 'response.output_item.added', output_index: 0, item: call('a', 'weather', '') },
        { type: 'response.output_item.added', output_index: 1, item: call('b', 'time', '') },
        args(0, '{"city":'),
        args(1, '{"zone":"CET"}'),
        args(0, '"Bern"}'),
        { type: 'response.function_call_arguments.done', output_index: 0, arguments: '{"city":"Bern"}' },
        { type: 'response.output_item.done', output_index: 0, item: call('a', 'weather', '{"city":"Bern"}') },
        { type: 'response.output_item.done', output_index: 1, item: call('b', 'time', '{"zone":"CET"}') },
        completed,
      ]),
    );

    expect(events.slice(1, -1)).toEqual([
      { type: 'tool-call', choice: 0, index: 0, id: 'a', name: 'weather' },
      { type: 'tool-call', choice: 0, index: 1, id: 'b', name: 'time' },
      { type: 'tool-arguments', choice: 0, index: 0, text: '{"city":' },
      { type: 'tool-arguments', choice: 0, index: 1, text: '{"zone":"CET"}' },
      { type: 'tool-arguments', choice: 0, index: 0, text: '"Bern"}' },
      finish('tool_calls', 'completed'),
    ]);
  });

  test('tools: a call that comes only as a whole item is told as well', async () => {
    const item = call('a', 'weather', '{"city":"Bern"}');
    const events = await decode(
      wire([created, { type: 'response.output_item.done', output_index: 0, item }, completed]),
    );

    expect(events.slice(1, 3)).toEqual([
      { type: 'tool-call', choice: 0, index: 0, id: 'a', name: 'weather' },
      { type: 'tool-arguments', choice: 0, index: 0, text: '{"city":"Bern"}' },
    ]);
  });

  test('reasoning: paragraphs of a summary stay apart, the encrypted thought is its signature', async () => {
    const delta = (summaryIndex: number, text: string) => ({
      type: 'response.reasoning_summary_text.delta',
      item_id: 'rs_1',
      output_index: 0,
      summary_index: summaryIndex,
      delta: text,
    });
    const item = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'gAAA' };
    const events = await decode(
      wire([
        created,
        delta(0, '**Plan**'),
        delta(0, ' first'),
        delta(1, '**Check**'),
        { type: 'response.output_item.done', output_index: 0, item },
        completed,
      ]),
    );

    expect(events.slice(1, 5)).toEqual([
      { type: 'reasoning', choice: 0, text: '**Plan**', id: 'rs_1' },
      { type: 'reasoning', choice: 0, text: ' first', id: 'rs_1' },
      { type: 'reasoning', choice: 0, text: '\n\n**Check**', id: 'rs_1' },
      { type: 'reasoning', choice: 0, signature: 'gAAA', id: 'rs_1' },
    ]);
  });

  test('citations count characters of the whole text, and are told once', async () => {
    const annotation = { type: 'url_citation', url: 'https://a.example', title: 'A', start_index: 0, end_index: 2 };
    const events = await decode(
      wire([
        created,
        { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'abc' },
        { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'de' },
        { type: 'response.output_text.annotation.added', output_index: 1, content_index: 0, annotation },
        {
          type: 'response.output_item.done',
          output_index: 1,
          item: message([{ type: 'output_text', text: 'de', annotations: [annotation] }]),
        },
        completed,
      ]),
    );

    expect(events.filter(({ type }) => type === 'citation')).toEqual([
      { type: 'citation', choice: 0, citation: { url: 'https://a.example', title: 'A', startIndex: 3, endIndex: 5 } },
    ]);
  });

  test('log probabilities and refusals are content', async () => {
    const logprob = { token: 'a', logprob: -0.1, bytes: [97], top_logprobs: [] };
    const events = await decode(
      wire([
        created,
        { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'a', logprobs: [logprob] },
        { type: 'response.refusal.delta', output_index: 0, content_index: 1, delta: 'No.' },
        { type: 'response.refusal.done', output_index: 0, content_index: 1, refusal: 'No.' },
        completed,
      ]),
    );

    expect(events.slice(1, 4)).toEqual([
      { type: 'text', choice: 0, text: 'a' },
      { type: 'logprobs', choice: 0, content: [logprob] },
      { type: 'refusal', choice: 0, text: 'No.' },
    ]);
  });

  test.each([
    ['length stop', 'max_output_tokens', 'length'],
    ['content filter', 'content_filter', 'content_filter'],
  ])('%s: an incomplete answer says why', async (_, native, reason) => {
    const response = { id: 'resp_1', status: 'incomplete', incomplete_details: { reason: native }, usage };
    const events = await decode(wire([created, { type: 'response.incomplete', response }]));

    expect(events.slice(1)).toMatchObject([finish(reason, native), { type: 'usage' }]);
  });

  test.each([
    [
      'nested',
      { type: 'error', error: { type: 'tokens', code: 'rate_limit_exceeded', message: 'Slow down.', param: null } },
      'tokens',
    ],
    ['flat', { type: 'error', code: 'rate_limit_exceeded', message: 'Slow down.', param: null }, undefined],
    [
      'a failed response',
      {
        type: 'response.failed',
        response: { id: 'resp_1', status: 'failed', error: { code: 'rate_limit_exceeded', message: 'Slow down.' } },
      },
      undefined,
    ],
  ])('errors: a failure inside a stream with status 200 is an error (%s)', async (_, failure, type) => {
    const events = await decode(wire([created, failure, completed]));

    expect(events).toEqual([
      start,
      { type: 'error', error: { message: 'Slow down.', type, param: undefined, code: 'rate_limit_exceeded' } },
    ]);
  });

  test('cut stream: no finish is made up', async () => {
    const events = await decode(wire(textStream.slice(0, 5)));

    expect(events.map(({ type }) => type)).toEqual(['start', 'text']);
  });

  test('an answer that stands only in the last event is read there', async () => {
    const response = {
      ...completed.response,
      output: [message([{ type: 'output_text', text: 'all', annotations: [] }])],
    };
    const events = await decode(wire([created, { type: 'response.completed', response }]));

    expect(events[1]).toEqual({ type: 'text', choice: 0, text: 'all' });
  });
});

describe('a buffered answer of a Responses vendor', () => {
  test('tells items in their order and skips those of hosted tools', () => {
    const events = vendor.decodeResponse({
      ...created.response,
      ...completed.response,
      output: [
        { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'gAAA' },
        { id: 'ws_1', type: 'web_search_call', status: 'completed' },
        message([{ type: 'output_text', text: 'Look: ', annotations: [], logprobs: [] }]),
        call('a', 'weather', ''),
      ],
    });

    expect(events).toEqual([
      start,
      { type: 'reasoning', choice: 0, text: 'Hm.', signature: 'gAAA', id: 'rs_1' },
      { type: 'text', choice: 0, text: 'Look: ' },
      { type: 'tool-call', choice: 0, index: 0, id: 'a', name: 'weather' },
      finish('tool_calls', 'completed'),
      ...ended,
    ]);
  });

  test('errors: a failed response and an error body are one error event', () => {
    const failed = { id: 'r', status: 'failed', error: { code: 'server_error', message: 'Oops.' }, output: [] };

    expect(vendor.decodeResponse(failed)).toMatchObject([{ type: 'error', error: { message: 'Oops.' } }]);
    expect(vendor.decodeResponse({ error: { message: 'Oops.' } })).toMatchObject([{ type: 'error' }]);
    expect(() => vendor.decodeResponse({ choices: [] })).toThrow('output');
  });
});

describe('random JSON', () => {
  const types = textStream
    .map(({ type }) => type)
    .concat('response.function_call_arguments.delta', 'response.refusal.delta');
  const field = fc.constantFrom(
    'item',
    'part',
    'response',
    'delta',
    'logprobs',
    'annotation',
    'output_index',
    'content',
  );

  test('never crashes the decoder of streams', async () => {
    const event = fc.tuple(fc.constantFrom(...types), fc.dictionary(field, fc.jsonValue()));

    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 8 }), async (events) => {
        await decode(wire(events.map(([type, fields]) => ({ ...fields, type }))));
      }),
    );
  });

  test('gives the decoder of answers events or a clear error', () => {
    const item = fc.record({
      type: fc.constantFrom('message', 'reasoning', 'function_call', 'other'),
      content: fc.jsonValue(),
      summary: fc.jsonValue(),
      arguments: fc.jsonValue(),
      name: fc.jsonValue(),
    });

    fc.assert(
      fc.property(fc.array(fc.oneof(item, fc.jsonValue())), fc.jsonValue(), (output, details) => {
        vendor.decodeResponse({ output, usage: details, incomplete_details: details, status: 'incomplete' });
      }),
    );
  });
});
