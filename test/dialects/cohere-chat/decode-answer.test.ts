import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cohereChatVendor } from '../../../lambda/dialects/cohere-chat/cohere-chat.ts';
import { isObject, type JsonObject } from '../../../lambda/dialects/json-value.ts';
import { decodedStream } from '../../support/vendor-streams.ts';

const usage = {
  billed_units: { input_tokens: 5, output_tokens: 3 },
  tokens: { input_tokens: 500, output_tokens: 13, reasoning_tokens: 9 },
  cached_tokens: 480,
};
const neutralUsage = {
  ...{ inputTokens: 500, outputTokens: 13, cacheReadInputTokens: 480 },
  ...{ cacheCreationInputTokens: 0, reasoningOutputTokens: 9 },
};

function answer(message: JsonObject, more: JsonObject = {}): JsonObject {
  return { id: 'a-1', message: { role: 'assistant', ...message }, finish_reason: 'COMPLETE', usage, ...more };
}

function sse(...events: JsonObject[]): string {
  const lines = events.map((event) => `event: ${event['type']}\ndata: ${JSON.stringify(event)}\n\n`);
  return `${lines.join('')}data: [DONE]\n\n`;
}

function message(type: string, index: number, held: JsonObject): JsonObject {
  return { type, index, delta: { message: held } };
}

const end = (reason: string, more: JsonObject = {}): JsonObject => ({
  type: 'message-end',
  delta: { finish_reason: reason, usage, ...more },
});

describe("Cohere's answers", () => {
  test('cite documents and results of tools by their place in the text', () => {
    const document = { id: 'doc:0', title: 'facts.txt', text: 'Ruby is red.', url: 'https://x.test/f' };
    const sources = [
      { type: 'document', id: 'doc:0', document },
      { type: 'tool', id: 'w_1:0', tool_output: { output: '60' } },
    ];
    const content = [
      { type: 'thinking', thinking: 'Hm.' },
      { type: 'text', text: 'Well. ' },
      { type: 'text', text: 'Red.' },
    ];

    const events = cohereChatVendor.decodeResponse(
      answer({
        content,
        citations: [
          { start: 0, end: 3, text: 'Red', sources, type: 'TEXT_CONTENT', content_index: 2 },
          { start: 0, end: 2, text: 'Hm', sources: [sources[1]], type: 'THINKING_CONTENT', content_index: 0 },
        ],
      }),
    );

    expect(events.flatMap((event) => (event.type === 'citation' ? [event.citation] : []))).toEqual([
      { url: 'https://x.test/f', title: 'facts.txt', citedText: 'Ruby is red.', startIndex: 6, endIndex: 9 },
      { title: 'w_1:0', startIndex: 6, endIndex: 9 },
      { title: 'w_1:0' },
    ]);
  });

  test('tell the plan as text, and log probabilities in the form of OpenAI', () => {
    const events = cohereChatVendor.decodeResponse(
      answer({ tool_plan: 'I will look.' }, { logprobs: [{ text: 'é!', token_ids: [1, 2], logprobs: [-0.5, -0.25] }] }),
    );

    expect(events).toEqual([
      { type: 'start', id: 'a-1', model: undefined },
      { type: 'text', choice: 0, text: 'I will look.' },
      {
        type: 'logprobs',
        choice: 0,
        content: [{ token: 'é!', logprob: -0.75, bytes: [195, 169, 33], top_logprobs: [] }],
      },
      { type: 'finish', choice: 0, reason: 'stop', nativeReason: 'COMPLETE' },
      { type: 'usage', usage: neutralUsage },
    ]);
  });

  test('count billed units where there are no tokens', () => {
    const events = cohereChatVendor.decodeResponse(
      answer({ content: [] }, { usage: { billed_units: usage.billed_units, cached_tokens: 9 } }),
    );

    expect(events.at(-1)).toMatchObject({ usage: { inputTokens: 5, outputTokens: 3, cacheReadInputTokens: 5 } });
  });

  test.each([
    ['COMPLETE', 'stop'],
    ['STOP_SEQUENCE', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['TOOL_CALL', 'tool_calls'],
    ['ERROR_TOXIC', 'content_filter'],
    ['SOMETHING_NEW', 'stop'],
    ['constructor', 'stop'],
  ])('finish with %s for %s', async (nativeReason, reason) => {
    const finish = { type: 'finish', choice: 0, reason, nativeReason };

    expect(cohereChatVendor.decodeResponse(answer({}, { finish_reason: nativeReason }))).toContainEqual(finish);
    expect(await decodedStream(cohereChatVendor, sse(end(nativeReason)))).toContainEqual(finish);
  });

  test.each(['ERROR', 'TIMEOUT'])('are an error when they finish with %s', async (reason) => {
    const buffered = cohereChatVendor.decodeResponse(answer({ content: [] }, { finish_reason: reason }));
    const streamed = await decodedStream(cohereChatVendor, sse(end(reason, { error: 'out of memory' })));

    expect(buffered).toMatchObject([{ type: 'error', error: { code: reason } }]);
    expect(streamed).toMatchObject([{ type: 'error', error: { code: reason, message: 'out of memory' } }]);
  });

  test('number calls from 0, and give those without arguments an empty object', async () => {
    const call = (id: string): JsonObject => ({
      tool_calls: { id, type: 'function', function: { name: 'f', arguments: '' } },
    });
    const piece = { tool_calls: { function: { arguments: '{"a":1}' } } };

    const events = await decodedStream(
      cohereChatVendor,
      sse(
        message('tool-call-start', 1, call('x')),
        { type: 'tool-call-end', index: 1 },
        message('tool-call-start', 2, call('y')),
        message('tool-call-delta', 2, piece),
        message('tool-call-start', 3, call('z')),
        end('TOOL_CALL'),
      ),
    );

    expect(events.slice(0, 6)).toEqual([
      { type: 'tool-call', choice: 0, index: 0, id: 'x', name: 'f' },
      { type: 'tool-arguments', choice: 0, index: 0, text: '{}' },
      { type: 'tool-call', choice: 0, index: 1, id: 'y', name: 'f' },
      { type: 'tool-arguments', choice: 0, index: 1, text: '{"a":1}' },
      { type: 'tool-call', choice: 0, index: 2, id: 'z', name: 'f' },
      { type: 'tool-arguments', choice: 0, index: 2, text: '{}' },
    ]);
  });

  test('place streamed citations behind the text of earlier blocks', async () => {
    const block = (index: number, text: string): JsonObject =>
      message('content-start', index, { content: { type: 'text', text } });
    const citations = { start: 1, end: 2, sources: [{ type: 'tool', id: 't' }], content_index: 1 };

    const events = await decodedStream(
      cohereChatVendor,
      sse(block(0, 'Well. '), block(1, 'Red.'), message('citation-start', 0, { citations }), { type: 'citation-end' }),
    );

    expect(events.at(-1)).toEqual({
      type: 'citation',
      choice: 0,
      citation: { title: 't', startIndex: 7, endIndex: 8 },
    });
  });

  test('end with an error that comes inside a stream', async () => {
    const events = await decodedStream(
      cohereChatVendor,
      'data: {"id":"x","message":"too busy"}\n\n',
      sse(end('COMPLETE')),
    );

    expect(events).toMatchObject([{ type: 'error', error: { message: 'too busy' } }]);
  });

  test('tell the length of the context as the cause of an error', () => {
    const text = '{"error_type":"TOO_MANY_TOKENS","id":"x","message":"too many tokens"}';

    expect(cohereChatVendor.decodeError(400, {}, text)).toMatchObject({
      ...{ message: 'too many tokens', type: 'TOO_MANY_TOKENS', code: 'context_length_exceeded' },
    });
  });

  test('that are not JSON objects of Cohere are refused clearly, or skipped in a stream, whatever they are', async () => {
    const words = ['type', 'delta', 'message', 'content', 'tool_calls', 'citations', 'index', 'finish_reason', 'usage'];
    const types = ['content-delta', 'tool-call-start', 'tool-call-delta', 'citation-start', 'message-end', 'text'];
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(...types, '', null, 0, -1, true),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...words), tie('tree'), { maxKeys: 5 }),
      ),
    }));

    await fc.assert(
      fc.asyncProperty(tree, async (value) => {
        await decodedStream(cohereChatVendor, `data: ${JSON.stringify(value)}\n\n`);
        if (!isObject(value)) return;
        try {
          cohereChatVendor.decodeResponse(value);
        } catch (error) {
          expect((error as Error).message).toBe('The answer has no message');
        }
      }),
    );
  });
});
