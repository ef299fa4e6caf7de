import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anthropicMessagesClient } from '../../../lambda/dialects/anthropic-messages/anthropic-messages.ts';
import type { ChatEvent } from '../../../lambda/dialects/chat-event.ts';
import { isObject, type JsonObject } from '../../../lambda/dialects/json-value.ts';
import { foldAnswer } from '../../support/folded-answer.ts';
import { answerContext, collect, decode, each } from './wire.ts';

const { encodeResponse, encodeStream } = anthropicMessagesClient;

const start: ChatEvent = { type: 'start', id: 'x-1', model: 'm' };
const usage: ChatEvent = {
  type: 'usage',
  usage: {
    inputTokens: 30,
    outputTokens: 9,
    cacheReadInputTokens: 20,
    cacheCreationInputTokens: 4,
    reasoningOutputTokens: 2,
  },
};

function finish(reason: 'stop' | 'length' | 'tool_calls' | 'content_filter', nativeReason?: string): ChatEvent {
  return { type: 'finish', choice: 0, reason, nativeReason };
}

function call(index: number, name: string, signature?: string): ChatEvent {
  return { type: 'tool-call', choice: 0, index, id: `call_${index}`, name, ...(signature ? { signature } : {}) };
}

function args(index: number, text: string): ChatEvent {
  return { type: 'tool-arguments', choice: 0, index, text };
}

const text = (said: string): ChatEvent => ({ type: 'text', choice: 0, text: said });

async function wire(...events: ChatEvent[]): Promise<string> {
  return (await collect(encodeStream(each(events), answerContext))).join('');
}

async function written(...events: ChatEvent[]): Promise<JsonObject[]> {
  const lines = (await wire(...events)).split('\n').filter((line) => line.startsWith('data: '));
  return lines.map((line) => JSON.parse(line.slice('data: '.length)) as JsonObject);
}

function whole(...events: ChatEvent[]): JsonObject {
  return encodeResponse(events, answerContext);
}

/** Types of the events, with the index of the block they belong to. */
function outline(events: JsonObject[]): string[] {
  return events.map(({ type, index }) => (index === undefined ? String(type) : `${type} ${index}`));
}

describe('a streamed answer', () => {
  test('text, from message_start to message_stop', async () => {
    const events = await written(start, text('Hel'), text('lo'), finish('stop'), usage);

    expect(outline(events)).toEqual([
      ...['message_start', 'content_block_start 0', 'content_block_delta 0', 'content_block_delta 0'],
      ...['content_block_stop 0', 'message_delta', 'message_stop'],
    ]);
    expect(events[0]?.['message']).toMatchObject({ id: 'x-1', type: 'message', role: 'assistant', content: [] });
    expect(events.at(-2)).toMatchObject({
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { input_tokens: 6, cache_read_input_tokens: 20, cache_creation_input_tokens: 4, output_tokens: 9 },
    });
  });

  test('names each event as its data do', async () => {
    expect(await wire(start, text('a'), finish('stop'))).toMatch(
      /^event: message_start\ndata: \{"type":"message_start"/,
    );
  });

  test('begins also when the vendor does not say so', async () => {
    const [first] = await written(text('a'));

    expect(first?.['message']).toMatchObject({ id: 'msg_new', model: 'shown-model' });
  });

  test('parallel-tools one after another', async () => {
    const events = await written(
      start,
      call(0, 'a'),
      args(0, '{"x":1}'),
      call(1, 'b'),
      args(1, '{}'),
      finish('tool_calls'),
    );

    expect(outline(events).slice(1, -2)).toEqual([
      ...['content_block_start 0', 'content_block_delta 0', 'content_block_stop 0'],
      ...['content_block_start 1', 'content_block_delta 1', 'content_block_stop 1'],
    ]);
  });

  test('parallel-tools whose arguments come by turns keep each their own', async () => {
    const mixed = [call(0, 'a'), call(1, 'b'), args(0, '{"x":'), args(1, '{"y":"}'), args(0, '1}'), args(1, '{"}')];

    const events = await written(start, ...mixed, finish('tool_calls'));

    expect(outline(events).filter((line) => !line.includes('delta'))).toEqual([
      ...['message_start', 'content_block_start 0', 'content_block_stop 0'],
      ...['content_block_start 1', 'content_block_stop 1', 'message_stop'],
    ]);
    const answer = foldAnswer(await decode(await wire(start, ...mixed, finish('tool_calls'))));
    expect(answer.calls.map((one) => one.arguments)).toEqual(['{"x":1}', '{"y":"}{"}']);
  });

  test('a call without arguments has an empty input', async () => {
    const answer = whole(start, call(0, 'a'), call(1, 'b'), args(1, '{"y":1}'), finish('tool_calls'));

    expect(answer['content']).toMatchObject([
      { type: 'tool_use', id: 'call_0', name: 'a', input: {} },
      { type: 'tool_use', id: 'call_1', name: 'b', input: { y: 1 } },
    ]);
  });

  test('reasoning with its signature, and encrypted', async () => {
    const thoughts: ChatEvent[] = [
      { type: 'reasoning', choice: 0, text: 'hm' },
      { type: 'reasoning', choice: 0, signature: 'S' },
      { type: 'reasoning', choice: 0, text: 'so' },
      { type: 'reasoning', choice: 0, redacted: 'D' },
    ];

    expect(whole(start, ...thoughts, text('a'), finish('stop'))['content']).toEqual([
      { type: 'thinking', thinking: 'hm', signature: 'S' },
      { type: 'thinking', thinking: 'so', signature: '' },
      { type: 'redacted_thinking', data: 'D' },
      { type: 'text', text: 'a' },
    ]);
    expect(foldAnswer(await decode(await wire(start, ...thoughts, finish('stop')))).reasoning).toBe('hmso');
  });

  test('the signature of a call comes back with the next turn', () => {
    const { content } = whole(start, call(0, 'a', 'sig+/='), args(0, '{}'), finish('tool_calls'));

    const request = anthropicMessagesClient.decodeRequest(
      { max_tokens: 1, messages: [{ role: 'assistant', content }] },
      {},
    );

    expect(request.messages[0]?.parts).toEqual([
      { type: 'tool-call', id: 'call_0', name: 'a', arguments: '{}', signature: 'sig+/=' },
    ]);
  });

  test('citations stay with their text', () => {
    const citation = { url: 'https://a.test', title: 'A', citedText: 'c', startIndex: 0, endIndex: 1 };

    const { content } = whole(start, text('a'), { type: 'citation', choice: 0, citation }, finish('stop'));

    expect(content).toMatchObject([
      { text: 'a', citations: [{ type: 'web_search_result_location', url: 'https://a.test', cited_text: 'c' }] },
    ]);
  });

  test.each([
    ['length-stop', [finish('length')], 'max_tokens'],
    ['content-filter', [finish('content_filter')], 'refusal'],
    ['a call under the wrong reason', [call(0, 'a'), finish('stop')], 'tool_use'],
    ['a pause', [finish('stop', 'pause_turn')], 'pause_turn'],
    ["another vendor's own reason", [finish('stop', 'STOP')], 'end_turn'],
    ['a refusal in words', [{ type: 'refusal', choice: 0, text: 'No.' }, finish('stop')], 'refusal'],
  ] as [string, ChatEvent[], string][])('%s', (_, events, reason) => {
    expect(whole(start, ...events)['stop_reason']).toBe(reason);
  });

  test('a stop sequence that matched is named', () => {
    const stopped: ChatEvent = { type: 'finish', choice: 0, reason: 'stop', nativeReason: 'x', stopSequence: 'END' };

    expect(whole(start, stopped)).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'END' });
  });

  test('cut stream: never ends as if it were whole', async () => {
    expect(await wire(start, text('a'))).not.toMatch(/message_stop|message_delta/);
  });

  test('errors: nothing follows', async () => {
    const error: ChatEvent = {
      type: 'error',
      error: { message: 'x', type: undefined, param: undefined, code: undefined },
    };

    expect(outline(await written(start, text('a'), error, finish('stop')))).toEqual([
      ...['message_start', 'content_block_start 0', 'content_block_delta 0'],
    ]);
  });

  test('only the first choice is written', () => {
    const other: ChatEvent = { type: 'text', choice: 1, text: 'other' };

    expect(whole(start, other, text('first'), finish('stop'))['content']).toEqual([{ type: 'text', text: 'first' }]);
  });
});

const pieces = fc.array(
  fc.oneof(
    fc.string({ minLength: 1 }).map(text),
    fc.record({ type: fc.constant('reasoning' as const), choice: fc.constant(0), text: fc.string({ minLength: 1 }) }),
    fc.record({
      type: fc.constant('reasoning' as const),
      choice: fc.constant(0),
      signature: fc.string({ minLength: 1 }),
    }),
  ),
);
const inputs = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), { maxLength: 4 });

describe('whatever is written', () => {
  test('is read again as the same', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, inputs, fc.nat(9), async (said, objects, cut) => {
        const calls = objects.flatMap((input, index) => {
          const json = JSON.stringify(input);
          return [call(index, `f${index}`), args(index, json.slice(0, cut)), args(index, json.slice(cut))];
        });
        const events = [start, ...said, ...calls, finish(calls.length > 0 ? 'tool_calls' : 'stop'), usage];

        const read = foldAnswer(await decode(await wire(...events)));

        expect(read).toEqual(foldAnswer(events));
        expect(whole(...events)['content']).toHaveLength(
          (await written(...events)).filter(({ content_block: block }) => isObject(block)).length,
        );
      }),
    );
  });
});

describe('errors', () => {
  test.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [413, 'request_too_large'],
    [422, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [502, 'api_error'],
    [503, 'overloaded_error'],
    [504, 'timeout_error'],
    [529, 'overloaded_error'],
  ])('of status %i are of type %s', (status, type) => {
    const error = { status, code: 'c', type: 't', message: 'm', param: 'p', requestId: 'req_1' };

    expect(anthropicMessagesClient.encodeError(error)).toEqual({
      type: 'error',
      error: { type, message: 'm', details: { error_code: 'c', param: 'p' } },
      request_id: 'req_1',
    });
    expect(anthropicMessagesClient.encodeStreamError(error)).toMatch(/^event: error\ndata: \{"type":"error",.*\}\n\n$/);
  });
});
