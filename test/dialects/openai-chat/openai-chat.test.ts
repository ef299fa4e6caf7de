import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChatEvent } from '../../../lambda/dialects/chat-event.ts';
import type { ChatRequest } from '../../../lambda/dialects/chat-request.ts';
import type { AnswerContext } from '../../../lambda/dialects/dialect.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { openAiChatClient, openAiChatVendor } from '../../../lambda/dialects/openai-chat/openai-chat.ts';
import { RequestProblem } from '../../../lambda/dialects/request-problem.ts';

const written: JsonObject = {
  model: 'm',
  messages: [
    { role: 'developer', content: 'be brief' },
    {
      role: 'user',
      name: 'ann',
      content: [
        { type: 'text', text: 'what is this?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
        { type: 'image_url', image_url: { url: 'https://h.example/i.png' } },
        { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,CCCC' } },
      ],
    },
    {
      role: 'assistant',
      content: 'let me see',
      reasoning_details: [
        { type: 'reasoning.text', text: 'hm', signature: 'sig', index: 0 },
        { type: 'reasoning.encrypted', data: 'xyz', index: 1 },
      ],
      tool_calls: [
        {
          id: 'call_1',
          type: 'function',
          function: { name: 'look', arguments: '{"at":1}' },
        },
        { id: 'call_2', type: 'function', function: { name: 'look', arguments: '{}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'one' },
    { role: 'tool', tool_call_id: 'call_2', content: 'two' },
  ],
  tools: [
    { type: 'function', function: { name: 'look', description: 'd', parameters: { type: 'object' }, strict: true } },
  ],
  tool_choice: { type: 'function', function: { name: 'look' } },
  parallel_tool_calls: false,
  response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' }, strict: true } },
  temperature: 0.5,
  top_p: 0.9,
  frequency_penalty: 1,
  presence_penalty: -1,
  seed: 7,
  max_tokens: 100,
  stop: ['a', 'b'],
  n: 2,
  logprobs: true,
  top_logprobs: 3,
  reasoning_effort: 'high',
  user: 'u',
  metadata: { k: 'v' },
  service_tier: 'flex',
  prompt_cache_key: 'p',
  logit_bias: { 1: 2 },
};

const decode = (body: JsonObject) => openAiChatClient.decodeRequest(body, {});

describe('a request', () => {
  test('is written as it was read', () => {
    const target = { model: 'm', thoughtsField: 'reasoning_details' } as const;
    const { body, unsupported } = openAiChatVendor.encodeRequest(decode(written), target);

    expect(body).toEqual(written);
    expect(unsupported).toEqual([]);
  });

  test('takes the name of the token limit from the vendor, and asks every stream for usage', () => {
    const request = decode({
      model: 'm',
      messages: [{ role: 'user', content: 'x' }],
      max_completion_tokens: 5,
      stream: true,
    });

    const { body } = openAiChatVendor.encodeRequest(request, {
      model: 'other',
      maxTokensField: 'max_completion_tokens',
    });

    expect(body).toMatchObject({
      model: 'other',
      max_completion_tokens: 5,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(body).not.toHaveProperty('max_tokens');
  });

  test('puts the image of a tool result into a message of the user', () => {
    const request: ChatRequest = {
      ...decode({ messages: [{ role: 'user', content: 'x' }] }),
      messages: [
        {
          role: 'user',
          parts: [
            {
              type: 'tool-result',
              callId: 'c',
              content: [
                { type: 'text', text: 'seen' },
                { type: 'image', source: { kind: 'url', url: 'https://h.example/i.png' } },
              ],
            },
          ],
        },
      ],
    };

    expect(openAiChatVendor.encodeRequest(request, { model: 'm' }).body['messages']).toEqual([
      { role: 'tool', tool_call_id: 'c', content: 'seen' },
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://h.example/i.png' } }] },
    ]);
  });

  test.each([
    ['a role that does not exist', { messages: [{ role: 'king', content: 'x' }] }, 'messages[0].role'],
    [
      'a part of no known type',
      { messages: [{ role: 'user', content: [{ type: 'smell' }] }] },
      'messages[0].content[0]',
    ],
    ['a tool message without its call', { messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id'],
    ['a temperature in words', { messages: [{ role: 'user', content: 'x' }], temperature: 'hot' }, 'temperature'],
    [
      'a schema that is none',
      { messages: [{ role: 'user', content: 'x' }], response_format: { type: 'json_schema' } },
      'response_format',
    ],
  ])('with %s names the parameter', (_, body, param) => {
    const decoding = () => decode(body as JsonObject);

    expect(decoding).toThrow(RequestProblem);
    expect(decoding).toThrow(expect.objectContaining({ param }));
  });

  test('of any JSON is understood or refused, never a crash', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(written)), fc.jsonValue()), (body) => {
        try {
          decode(body as JsonObject);
        } catch (error) {
          expect(error).toBeInstanceOf(RequestProblem);
        }
      }),
    );
  });
});

const usage = {
  inputTokens: 5,
  outputTokens: 4,
  cacheReadInputTokens: 3,
  cacheCreationInputTokens: 2,
  reasoningOutputTokens: 1,
};
const events: ChatEvent[] = [
  { type: 'start', id: 'chatcmpl-1', model: 'm-dated', createdSeconds: 9 },
  { type: 'reasoning', choice: 0, text: 'hm ' },
  { type: 'reasoning', choice: 0, text: 'yes', signature: 'sig' },
  { type: 'text', choice: 0, text: 'Hel' },
  { type: 'text', choice: 1, text: 'Other' },
  { type: 'text', choice: 0, text: 'lo' },
  { type: 'citation', choice: 0, citation: { url: 'https://h.example', title: 't', startIndex: 0, endIndex: 5 } },
  { type: 'tool-call', choice: 0, index: 0, id: 'a', name: 'f', signature: 'g' },
  { type: 'tool-call', choice: 0, index: 1, id: 'b', name: 'f' },
  { type: 'tool-arguments', choice: 0, index: 1, text: '{"y":' },
  { type: 'tool-arguments', choice: 0, index: 0, text: '{"x":1}' },
  { type: 'tool-arguments', choice: 0, index: 1, text: '2}' },
  { type: 'finish', choice: 0, reason: 'tool_calls', nativeReason: 'tool_calls' },
  { type: 'finish', choice: 1, reason: 'stop', nativeReason: 'stop' },
  { type: 'usage', usage, serviceTier: 'flex' },
];

function context(includeUsage = true): AnswerContext {
  const request = decode({
    messages: [{ role: 'user', content: 'x' }],
    stream_options: { include_usage: includeUsage },
  });
  return { request, model: 'm', nowSeconds: 1, newId: (prefix) => `${prefix}new` };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const streamed = async (includeUsage = true) =>
  (await collect(openAiChatClient.encodeStream(each(events), context(includeUsage)))).join('');

describe('an answer', () => {
  test('that is written as a stream is read as the same events, wherever the bytes are cut', async () => {
    const bytes = Buffer.from(await streamed());

    for (let at = 0; at <= bytes.length; at += 7) {
      const pieces = each([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(await collect(openAiChatVendor.decodeStream(pieces))).toEqual(events);
    }
  });

  test('that is written whole says the same, folded', () => {
    const body = openAiChatClient.encodeResponse(events, context());

    expect(body).toMatchObject({
      id: 'chatcmpl-1',
      model: 'm-dated',
      created: 9,
      choices: [
        {
          index: 0,
          finish_reason: 'tool_calls',
          message: {
            content: 'Hello',
            reasoning_content: 'hm yes',
            reasoning_details: [{ type: 'reasoning.text', text: 'hm yes', signature: 'sig' }],
            tool_calls: [
              {
                id: 'a',
                function: { name: 'f', arguments: '{"x":1}' },
                extra_content: { google: { thought_signature: 'g' } },
              },
              { id: 'b', function: { name: 'f', arguments: '{"y":2}' } },
            ],
          },
        },
        { index: 1, finish_reason: 'stop', message: { content: 'Other' } },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9, prompt_tokens_details: { cached_tokens: 3 } },
    });
    expect(openAiChatVendor.decodeResponse(body).filter(({ type }) => type === 'usage')).toEqual([events.at(-1)]);
  });

  test('keeps its usage from a caller who did not ask', async () => {
    expect(await streamed(false)).not.toContain('prompt_tokens');
  });

  test('that is an error gives one event', () => {
    const [event] = openAiChatVendor.decodeResponse({ error: { message: 'no', code: 'x', type: 't' } });

    expect(event).toMatchObject({ type: 'error', error: { message: 'no', code: 'x' } });
  });

  test.each([
    ['DeepSeek and xAI', { reasoning_content: 'hm', content: null }, [{ type: 'reasoning', choice: 0, text: 'hm' }]],
    ['Groq', { reasoning: 'hm', channel: 'analysis' }, [{ type: 'reasoning', choice: 0, text: 'hm' }]],
    [
      'Mistral',
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
          { type: 'text', text: 'so' },
        ],
      },
      [
        { type: 'reasoning', choice: 0, text: 'hm' },
        { type: 'text', choice: 0, text: 'so' },
      ],
    ],
    [
      'a vendor that sends calls whole and without an index',
      { content: null, tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] },
      [
        { type: 'tool-call', choice: 0, index: 0, id: 'a', name: 'f' },
        { type: 'tool-arguments', choice: 0, index: 0, text: '{}' },
      ],
    ],
  ])('is read as %s writes it', async (_, delta, expected) => {
    const chunk = `data: ${JSON.stringify({ id: 'i', object: 'chat.completion.chunk', choices: [{ index: 0, delta }] })}\n\n`;

    const read = await collect(openAiChatVendor.decodeStream(each([Buffer.from(chunk)])));

    expect(read.slice(1)).toEqual(expected);
  });

  test.each(['chat.completion', 'chat.completion.chunk', 'chat.completion.done'])(
    'is read once where %s events repeat all of the text so far',
    async (object) => {
      const texts = ['One', ' two'];
      const chunks = texts.map((content, at) => {
        const message = { role: 'assistant', content: texts.slice(0, at + 1).join('') };
        const choice = { index: 0, delta: { role: 'assistant', content }, message, finish_reason: null };
        return `data: ${JSON.stringify({ id: 'i', object, choices: [choice] })}\n\n`;
      });

      const read = await collect(openAiChatVendor.decodeStream(each([Buffer.from(chunks.join(''))])));

      expect(read.slice(1)).toEqual(texts.map((text) => ({ type: 'text', choice: 0, text })));
    },
  );

  test('is read from its message where an empty delta stands beside it', () => {
    const choice = { index: 0, delta: { role: 'assistant', content: '' }, message: { content: 'whole' } };

    const read = openAiChatVendor.decodeResponse({ object: 'chat.completion', choices: [choice] });

    expect(read.slice(1)).toEqual([{ type: 'text', choice: 0, text: 'whole' }]);
  });

  test('of an old model is finished by its finish details', () => {
    const choice = { index: 0, message: { content: 'cut' }, finish_details: { type: 'max_tokens' } };

    const read = openAiChatVendor.decodeResponse({ object: 'chat.completion', choices: [choice] });

    expect(read.at(-1)).toEqual({ type: 'finish', choice: 0, reason: 'length', nativeReason: 'max_tokens' });
  });

  test('that is an error in plain text says so', () => {
    const headers = { 'content-type': 'text/plain; charset=utf-8' };

    expect(openAiChatVendor.decodeError(422, headers, 'missing field `messages`\n').message).toBe(
      'missing field `messages`',
    );
  });

  test('of any JSON is read or refused with an error, never a crash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const bytes = Buffer.from(
          `data: ${JSON.stringify({ choices: [value], usage: value })}\n\ndata: ${JSON.stringify(value)}\n\n`,
        );

        expect(Array.isArray(await collect(openAiChatVendor.decodeStream(each([bytes]))))).toBe(true);
      }),
    );
  });
});
