import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anthropicMessagesVendor } from '../../../lambda/dialects/anthropic-messages/anthropic-messages.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { distorted, strangers } from '../../support/distorted.ts';
import { block, collect, decode, messageEnd, messageStart, piecesOf, sse } from './wire.ts';

const start = { type: 'start', id: 'msg_01', model: 'claude-sonnet-4-5' };
const usage = {
  type: 'usage',
  usage: {
    inputTokens: 35,
    outputTokens: 42,
    cacheReadInputTokens: 20,
    cacheCreationInputTokens: 5,
    reasoningOutputTokens: 0,
  },
};

function finish(reason: string, nativeReason: string) {
  return { type: 'finish', choice: 0, reason, nativeReason };
}

const text = block(
  0,
  { type: 'text', text: '' },
  { type: 'text_delta', text: 'Grüße ' },
  { type: 'text_delta', text: '🌍' },
);

const calls = [
  ...block(
    1,
    { type: 'tool_use', id: 'toolu_a', name: 'weather', input: {} },
    { type: 'input_json_delta', partial_json: '' },
    { type: 'input_json_delta', partial_json: '{"city":' },
    { type: 'input_json_delta', partial_json: '"Bonn"}' },
  ),
  ...block(2, { type: 'tool_use', id: 'toolu_b', name: 'time', input: {} }),
];

const thoughts = [
  ...block(
    0,
    { type: 'thinking', thinking: '', signature: '' },
    { type: 'thinking_delta', thinking: 'Let me ' },
    { type: 'thinking_delta', thinking: 'see' },
    { type: 'signature_delta', signature: 'EqQB' },
  ),
  ...block(1, { type: 'redacted_thinking', data: 'EmwK' }),
];

describe('a streamed answer', () => {
  test('text', async () => {
    const events = await decode(sse(messageStart, { type: 'ping' }, ...text, ...messageEnd('end_turn')));

    expect(events).toEqual([
      start,
      { type: 'text', choice: 0, text: 'Grüße ' },
      { type: 'text', choice: 0, text: '🌍' },
      finish('stop', 'end_turn'),
      usage,
    ]);
  });

  test('parallel-tools, one of them without arguments', async () => {
    const events = await decode(sse(messageStart, ...text, ...calls, ...messageEnd('tool_use')));

    expect(events.slice(3)).toEqual([
      { type: 'tool-call', choice: 0, index: 0, id: 'toolu_a', name: 'weather' },
      { type: 'tool-arguments', choice: 0, index: 0, text: '{"city":' },
      { type: 'tool-arguments', choice: 0, index: 0, text: '"Bonn"}' },
      { type: 'tool-call', choice: 0, index: 1, id: 'toolu_b', name: 'time' },
      { type: 'tool-arguments', choice: 0, index: 1, text: '{}' },
      finish('tool_calls', 'tool_use'),
      usage,
    ]);
  });

  test('reasoning, its signature, and what is shown only encrypted', async () => {
    const events = await decode(sse(messageStart, ...thoughts, ...messageEnd('end_turn')));

    expect(events.slice(1, 5)).toEqual([
      { type: 'reasoning', choice: 0, text: 'Let me ' },
      { type: 'reasoning', choice: 0, text: 'see' },
      { type: 'reasoning', choice: 0, signature: 'EqQB' },
      { type: 'reasoning', choice: 0, redacted: 'EmwK' },
    ]);
  });

  test('json-schema answered by a tool that stands for it', async () => {
    const answer = block(
      0,
      { type: 'tool_use', id: 'toolu_j', name: 'sluice_json_answer', input: {} },
      { type: 'input_json_delta', partial_json: '{"a":' },
      { type: 'input_json_delta', partial_json: '1}' },
    );

    const events = await decode(sse(messageStart, ...answer, ...messageEnd('tool_use')));

    expect(events.slice(1, 4)).toEqual([
      { type: 'text', choice: 0, text: '{"a":' },
      { type: 'text', choice: 0, text: '1}' },
      finish('stop', 'tool_use'),
    ]);
  });

  test('citations with the place of the text that leans on them', async () => {
    const cited = block(
      1,
      { type: 'text', text: '', citations: [] },
      {
        type: 'citations_delta',
        citation: { type: 'web_search_result_location', url: 'https://a.test', title: 'A', cited_text: 'a' },
      },
      { type: 'text_delta', text: 'cited' },
    );

    const events = await decode(sse(messageStart, ...text, ...cited, ...messageEnd('end_turn')));

    const citation = { url: 'https://a.test', title: 'A', citedText: 'a', startIndex: 8, endIndex: 13 };
    expect(events).toContainEqual({ type: 'citation', choice: 0, citation });
  });

  test.each([
    ['length-stop', 'max_tokens', 'length'],
    ['length-stop of the context window', 'model_context_window_exceeded', 'length'],
    ['content-filter', 'refusal', 'content_filter'],
    ['a pause', 'pause_turn', 'stop'],
    ['a reason of the future', 'bored', 'stop'],
  ])('%s', async (_, native, reason) => {
    const events = await decode(sse(messageStart, ...text, ...messageEnd(native)));

    expect(events).toContainEqual(finish(reason, native));
  });

  test('why the model refused', async () => {
    const details = { stop_details: { type: 'refusal', category: 'cyber', explanation: 'No.' } };

    const events = await decode(sse(messageStart, ...messageEnd('refusal', details)));

    expect(events).toContainEqual({ type: 'refusal', choice: 0, text: 'No.' });
  });

  test('which stop sequence matched', async () => {
    const events = await decode(sse(messageStart, ...messageEnd('stop_sequence', { stop_sequence: 'END' })));

    expect(events).toContainEqual({ ...finish('stop', 'stop_sequence'), stopSequence: 'END' });
  });

  test('skips blocks, deltas and events that it does not know, and loses none of the others', async () => {
    const unknown = [
      ...block(
        0,
        { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
        { type: 'input_json_delta', partial_json: '{"q":1}' },
      ),
      ...block(1, { type: 'web_search_tool_result', tool_use_id: 's', content: [] }),
      { type: 'content_block_delta', index: 7, delta: { type: 'future_delta', future: 1 } },
      { type: 'future_event' },
      ...block(2, { type: 'text', text: 'known' }),
    ];

    const events = await decode(`data: [DONE]\n\n${sse(messageStart, ...unknown, ...messageEnd('end_turn'))}`);

    expect(events).toEqual([start, { type: 'text', choice: 0, text: 'known' }, finish('stop', 'end_turn'), usage]);
  });

  test('errors inside the stream end it', async () => {
    const failure = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };

    const events = await decode(sse(messageStart, ...text, failure, ...text));

    expect(events.at(-1)).toMatchObject({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
    expect(events).not.toContainEqual(expect.objectContaining({ type: 'finish' }));
  });

  test('errors in plain text are errors too', async () => {
    const events = await decode('event: error\ndata: upstream melted\n\n');

    expect(events).toMatchObject([{ type: 'error', error: { message: 'upstream melted' } }]);
  });

  test('cut stream: no finish, but what was counted until then', async () => {
    const events = await decode(sse(messageStart, ...text));

    expect(events.map(({ type }) => type)).toEqual(['start', 'text', 'text', 'usage']);
  });

  test('every split point of the bytes gives the same events', async () => {
    const wire = Buffer.from(sse(messageStart, ...text, ...calls, ...messageEnd('tool_use')));
    const whole = await collect(anthropicMessagesVendor.decodeStream(piecesOf(wire)));

    for (let cut = 1; cut < wire.length; cut++) {
      const cutUp = await collect(anthropicMessagesVendor.decodeStream(piecesOf(wire, cut)));
      expect(JSON.stringify(cutUp)).toBe(JSON.stringify(whole));
    }
  });
});

describe('a whole answer', () => {
  test('is read as the events of its stream', () => {
    const events = anthropicMessagesVendor.decodeResponse({
      ...messageStart.message,
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'S' },
        { type: 'text', text: 'a', citations: [{ type: 'char_location', document_title: 'D', cited_text: 'c' }] },
        { type: 'tool_use', id: 't', name: 'f', input: { x: [1] } },
      ],
      stop_reason: 'tool_use',
      usage: {
        input_tokens: 3,
        output_tokens: 9,
        output_tokens_details: { thinking_tokens: 4 },
        service_tier: 'standard',
      },
    });

    expect(events).toEqual([
      start,
      { type: 'reasoning', choice: 0, text: 'hm' },
      { type: 'reasoning', choice: 0, signature: 'S' },
      { type: 'text', choice: 0, text: 'a' },
      { type: 'citation', choice: 0, citation: { title: 'D', citedText: 'c', startIndex: 0, endIndex: 1 } },
      { type: 'tool-call', choice: 0, index: 0, id: 't', name: 'f' },
      { type: 'tool-arguments', choice: 0, index: 0, text: '{"x":[1]}' },
      finish('tool_calls', 'tool_use'),
      {
        type: 'usage',
        serviceTier: 'default',
        usage: {
          inputTokens: 3,
          outputTokens: 9,
          cacheReadInputTokens: 0,
          cacheCreationInputTokens: 0,
          reasoningOutputTokens: 4,
        },
      },
    ]);
  });

  test('that is an error gives one error event', () => {
    const body = { type: 'error', error: { type: 'api_error', message: 'Internal' }, request_id: null };

    expect(anthropicMessagesVendor.decodeResponse(body)).toMatchObject([
      { type: 'error', error: { type: 'api_error', message: 'Internal' } },
    ]);
  });

  test('that is no message is refused', () => {
    expect(() => anthropicMessagesVendor.decodeResponse({ choices: [] })).toThrow(/no message/);
  });
});

describe('random JSON', () => {
  const place = fc.nat(60);
  const stranger = fc.oneof(fc.constantFrom(...strangers), fc.jsonValue({ maxDepth: 2 }));
  const whole: JsonObject = {
    ...messageStart.message,
    content: [
      { type: 'thinking', thinking: 'hm', signature: 'S' },
      { type: 'text', text: 'a', citations: [{ type: 'char_location', document_title: 'D', cited_text: 'c' }] },
      { type: 'tool_use', id: 't', name: 'f', input: { x: 1 } },
      { type: 'redacted_thinking', data: 'D' },
    ],
    stop_reason: 'refusal',
    stop_details: { explanation: 'No.' },
  };
  const events = [messageStart, ...thoughts, ...text, ...calls, ...messageEnd('tool_use')];

  test('never crashes the decoder of streams', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(events.length - 1), place, stranger, async (index, at, value) => {
        const changed = events.map((event, one) => (one === index ? distorted(event, at, value) : event));

        expect(Array.isArray(await decode(changed.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')))).toBe(
          true,
        );
      }),
    );
  });

  test('gives the decoder of whole answers events or a clear error', () => {
    fc.assert(
      fc.property(place, stranger, (at, value) => {
        try {
          anthropicMessagesVendor.decodeResponse(distorted(whole, at, value));
        } catch (error) {
          expect((error as Error).message).toMatch(/no message/);
        }
      }),
    );
  });
});
