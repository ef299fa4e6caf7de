import { describe, expect, test } from '@jest/globals';
import type { ChatRequest, Message, Part } from '../../../lambda/dialects/chat-request.ts';
import { cohereChatVendor } from '../../../lambda/dialects/cohere-chat/cohere-chat.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { aChatRequest, aUserMessage } from '../../support/chat-requests.ts';

const call: Part = { type: 'tool-call', id: 'w_1', name: 'weather', arguments: '{"city":"Paris"}' };
const weather = { name: 'weather', description: 'Tells the weather', parameters: { type: 'object', properties: {} } };

function encode(changes: Partial<ChatRequest>): { body: JsonObject; unsupported: readonly string[] } {
  return cohereChatVendor.encodeRequest(aChatRequest(changes), { model: 'command-a-03-2025' });
}

function messages(...written: Message[]): unknown {
  return encode({ messages: written }).body['messages'];
}

function result(callId: string, text: string, isError = false): Part {
  return { type: 'tool-result', callId, content: [{ type: 'text', text }], ...(isError ? { isError } : {}) };
}

describe('requests to Cohere', () => {
  test('say nothing that the caller did not', () => {
    expect(encode({})).toEqual({
      body: { model: 'command-a-03-2025', messages: [{ role: 'user', content: 'Hi' }], stream: false },
      unsupported: [],
    });
  });

  test('carry sampling, limits and stop sequences under the names of Cohere', () => {
    const sampling = { temperature: 0.2, topP: 0.9, topK: 40, seed: 7, frequencyPenalty: 0.1, presencePenalty: 0.2 };

    const { body } = encode({ sampling, maxOutputTokens: 99, stop: ['END'], topLogprobs: 0, stream: true });

    expect(body).toMatchObject({
      ...{ temperature: 0.2, p: 0.9, k: 40, seed: 7, frequency_penalty: 0.1, presence_penalty: 0.2 },
      ...{ max_tokens: 99, stop_sequences: ['END'], logprobs: true, stream: true },
    });
  });

  test.each([
    [1, 0.99],
    [0, 0.01],
    [0.5, 0.5],
  ])('write a top_p of %p as %p, which Cohere takes', (topP, p) => {
    expect(encode({ sampling: { topP } }).body['p']).toBe(p);
  });

  test('keep system messages where they stand, and make them of developer messages', () => {
    const system: Message = { role: 'system', parts: [{ type: 'text', text: 'a' }] };
    const developer: Message = { role: 'developer', parts: [{ type: 'text', text: 'b' }] };

    expect(messages(system, aUserMessage('Hi'), developer)).toEqual([
      { role: 'system', content: 'a' },
      { role: 'user', content: 'Hi' },
      { role: 'system', content: 'b' },
    ]);
  });

  test('carry images, whether by URL or as data', () => {
    const parts: Part[] = [
      { type: 'text', text: 'What is this?' },
      { type: 'image', source: { kind: 'url', url: 'https://x.test/a.png' }, detail: 'low' },
      { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'QUJD' } },
    ];

    expect(messages({ role: 'user', parts })).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } },
        ],
      },
    ]);
  });

  test('carry thoughts, a plan and calls of an earlier answer', () => {
    const parts: Part[] = [
      { type: 'reasoning', text: 'Hm.', signature: 's' },
      { type: 'text', text: 'I will look.' },
      call,
    ];

    expect(messages({ role: 'assistant', parts })).toEqual([
      {
        role: 'assistant',
        content: [{ type: 'thinking', thinking: 'Hm.' }],
        tool_plan: 'I will look.',
        tool_calls: [{ id: 'w_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } }],
      },
    ]);
  });

  test('put results of tools before what the caller says in the same message', () => {
    const parts: Part[] = [{ type: 'text', text: 'Go on' }, result('w_1', '18 °C'), result('w_2', '')];

    expect(messages({ role: 'user', parts })).toEqual([
      { role: 'tool', tool_call_id: 'w_1', content: '18 °C' },
      { role: 'tool', tool_call_id: 'w_2', content: '' },
      { role: 'user', content: 'Go on' },
    ]);
  });

  test.each([
    [
      'a JSON object as a document with its fields',
      '{"t":18}',
      false,
      [{ type: 'document', document: { data: { t: 18 } } }],
    ],
    ['an error by the name of a field', 'gone', true, [{ type: 'document', document: { data: { error: 'gone' } } }]],
    ['a JSON list as text', '[1]', false, '[1]'],
    ['digits that a number would lose as text', '{"id":12345678901234567890}', false, '{"id":12345678901234567890}'],
  ])('write %s', (_, text, isError, content) => {
    expect(messages({ role: 'user', parts: [result('w_1', text, isError)] })).toEqual([
      { role: 'tool', tool_call_id: 'w_1', content },
    ]);
  });

  test('show images of results in the next user message, behind the results of all calls', () => {
    const image: Part = { type: 'image', source: { kind: 'url', url: 'https://x.test/a.png' } };
    const withImage: Part = { type: 'tool-result', callId: 'w_1', content: [{ type: 'text', text: 'see' }, image] };

    const written = messages({ role: 'user', parts: [withImage] }, { role: 'user', parts: [result('w_2', 'b')] });

    expect(written).toEqual([
      { role: 'tool', tool_call_id: 'w_1', content: 'see' },
      { role: 'tool', tool_call_id: 'w_2', content: 'b' },
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x.test/a.png' } }] },
    ]);
  });

  test('make documents of text files, next to those that the caller wrote', () => {
    const data = Buffer.from('Ruby is red.').toString('base64');
    const file: Part = { type: 'file', name: 'facts.txt', source: { kind: 'base64', mediaType: 'text/plain', data } };
    const extensions = { 'openai-chat': { documents: ['d'], citation_options: { mode: 'FAST' } } };

    const { body, unsupported } = encode({
      messages: [{ role: 'user', parts: [file, ...aUserMessage('Who?').parts] }],
      extensions,
    });

    expect(body).toMatchObject({
      documents: ['d', { data: { title: 'facts.txt', text: 'Ruby is red.' } }],
      citation_options: { mode: 'FAST' },
      messages: [{ role: 'user', content: 'Who?' }],
    });
    expect(unsupported).toEqual([]);
  });

  test.each([
    [undefined, undefined, ['weather', 'other']],
    [{ type: 'auto' }, undefined, ['weather', 'other']],
    [{ type: 'none' }, 'NONE', ['weather', 'other']],
    [{ type: 'required' }, 'REQUIRED', ['weather', 'other']],
    [{ type: 'tool', name: 'other' }, 'REQUIRED', ['other']],
  ] as const)('write the tool choice %j as %p with the tools %j', (toolChoice, expected, names) => {
    const { body } = encode({ tools: [weather, { name: 'other' }], toolChoice });

    expect(body['tool_choice']).toBe(expected);
    expect((body['tools'] as { function: { name: string } }[]).map((tool) => tool.function.name)).toEqual(names);
  });

  test('ask for strict tools when every tool is, and name it when only some are', () => {
    const strict = { ...weather, strict: true };

    expect(encode({ tools: [strict] }).body['strict_tools']).toBe(true);
    expect(encode({ tools: [strict, weather] })).toMatchObject({ unsupported: ['strict'] });
  });

  test.each([
    [{ type: 'json' }, { type: 'json_object' }],
    [
      { type: 'json-schema', name: 'person', schema: { type: 'object' } },
      { type: 'json_object', json_schema: { type: 'object' } },
    ],
    [{ type: 'text' }, undefined],
  ] as const)('write the response format %j as %j', (responseFormat, expected) => {
    expect(encode({ responseFormat }).body['response_format']).toEqual(expected);
  });

  test.each([
    [{ effort: 'none' }, { type: 'disabled' }],
    [{ effort: 'low' }, { type: 'enabled', token_budget: 2048 }],
    [{ effort: 'high' }, { type: 'enabled' }],
    [{ budgetTokens: 300 }, { type: 'enabled', token_budget: 300 }],
    [{ budgetTokens: 0 }, { type: 'disabled' }],
    [{ summary: 'auto' }, { type: 'enabled' }],
  ] as const)('write the reasoning %j as %j', (reasoning, expected) => {
    expect(encode({ reasoning }).body['thinking']).toEqual(expected);
  });

  test('name what Cohere has no place for', () => {
    const audio: Part = { type: 'audio', format: 'wav', data: 'QUJD' };
    const pdf: Part = { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'QUJD' } };
    const image: Part = { type: 'image', source: { kind: 'id', id: 'file-1' } };

    const { unsupported } = encode({
      messages: [{ role: 'user', parts: [audio, pdf, image], name: 'Ann' }],
      tools: [weather],
      choices: 2,
      topLogprobs: 3,
      parallelToolCalls: false,
      user: 'u',
      metadata: { a: 'b' },
      serviceTier: 'flex',
      promptCacheKey: 'k',
      extensions: { 'openai-chat': { logit_bias: { 1: 2 }, store: true, verbosity: null } },
    });

    expect([...unsupported].sort()).toEqual(
      [
        ...['file', 'image_url', 'input_audio', 'logit_bias', 'metadata', 'n', 'name', 'parallel_tool_calls'],
        ...['prompt_cache_key', 'service_tier', 'top_logprobs', 'user'],
      ].sort(),
    );
  });

  test('carry what a caller of the same dialect wrote', () => {
    const { body } = encode({ extensions: { 'cohere-chat': { safety_mode: 'STRICT', model: 'mine' } } });

    expect(body).toMatchObject({ safety_mode: 'STRICT', model: 'command-a-03-2025' });
  });
});
