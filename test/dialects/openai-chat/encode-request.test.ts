import { describe, expect, test } from '@jest/globals';
import type { Message } from '../../../lambda/dialects/chat-request.ts';
import type { VendorTarget } from '../../../lambda/dialects/dialect.ts';
import { encodeChatRequest } from '../../../lambda/dialects/openai-chat/encode-request.ts';
import { openAiChatClient } from '../../../lambda/dialects/openai-chat/openai-chat.ts';
import { aChatRequest, aUserMessage } from '../../support/chat-requests.ts';

const thoughtful: Message = {
  role: 'assistant',
  parts: [
    { type: 'reasoning', text: 'hm', signature: 's' },
    { type: 'text', text: 'Hello' },
    { type: 'tool-call', id: 'c', name: 'look', arguments: '{}', signature: 'g' },
  ],
};

function messagesFor(messages: readonly Message[], target: Partial<VendorTarget> = {}): unknown {
  return encodeChatRequest(aChatRequest({ messages }), { model: 'm', ...target }).body['messages'];
}

describe('thoughts return', () => {
  const call = { id: 'c', type: 'function', function: { name: 'look', arguments: '{}' } };
  const said = { role: 'assistant', content: 'Hello', tool_calls: [call] };

  test('to no vendor that has no place for them, since most refuse unknown fields', () => {
    expect(messagesFor([thoughtful])).toEqual([said]);
  });

  test('with their signatures to vendors of OpenRouter’s form', () => {
    const details = [{ type: 'reasoning.text', text: 'hm', signature: 's', index: 0 }];

    expect(messagesFor([thoughtful], { thoughtsField: 'reasoning_details' })).toEqual([
      { ...said, reasoning_details: details },
    ]);
  });

  test('as text to DeepSeek, which insists on it in turns with tools', () => {
    expect(messagesFor([thoughtful], { thoughtsField: 'reasoning_content' })).toEqual([
      { ...said, reasoning_content: 'hm' },
    ]);
  });

  test('as the signatures of calls alone to Google', () => {
    const signed = { ...call, extra_content: { google: { thought_signature: 'g' } } };

    expect(messagesFor([thoughtful], { thoughtsField: 'extra_content' })).toEqual([{ ...said, tool_calls: [signed] }]);
  });
});

describe('cache hints', () => {
  const cached: Message = {
    role: 'user',
    parts: [
      { type: 'text', text: 'long', cache: { ttl: '1h' } },
      { type: 'text', text: 'short' },
    ],
  };
  const result: Message = {
    role: 'user',
    parts: [{ type: 'tool-result', callId: 'c', content: [{ type: 'text', text: 'found' }], cache: {} }],
  };

  test('stand on the parts, results and tools for vendors that take them', () => {
    const request = aChatRequest({ messages: [cached, result], tools: [{ name: 'look', cache: {} }] });

    const { body } = encodeChatRequest(request, { model: 'm', takesCacheHints: true });

    expect(body['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'long', cache_control: { type: 'ephemeral', ttl: '1h' } },
          { type: 'text', text: 'short' },
        ],
      },
      {
        role: 'tool',
        tool_call_id: 'c',
        content: [{ type: 'text', text: 'found', cache_control: { type: 'ephemeral' } }],
      },
    ]);
    expect(body['tools']).toMatchObject([{ cache_control: { type: 'ephemeral' } }]);
  });

  test('are left out for the others, which cache by themselves', () => {
    const { body, unsupported } = encodeChatRequest(aChatRequest({ messages: [cached, result] }), { model: 'm' });

    expect(JSON.stringify(body)).not.toContain('cache_control');
    expect(unsupported).toEqual([]);
  });
});

describe('what OpenAI’s chat has no place for', () => {
  test.each([
    ['anthropic-messages', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools'],
    ['anthropic-messages', { content_blocks: [{}] }, 'content_blocks'],
    ['openai-responses', { 'tools[].web_search': [{ type: 'web_search' }] }, 'tools[].web_search'],
    ['openai-responses', { previous_response_id: 'resp_1' }, 'previous_response_id'],
    ['gemini', { safetySettings: [{}] }, 'safetySettings'],
  ] as const)('is named: %s %j', (dialect, fields, name) => {
    const { body, unsupported } = encodeChatRequest(aChatRequest({ extensions: { [dialect]: fields } }), {
      model: 'm',
    });

    expect(unsupported).toEqual([name]);
    expect(Object.keys(body)).toEqual(['model', 'messages']);
  });

  test('but for what OpenAI’s other protocols call otherwise', () => {
    const extensions = {
      'openai-responses': { 'text.verbosity': 'low' },
      'openai-completions': { logit_bias: { 7: 1 } },
    };

    const { body, unsupported } = encodeChatRequest(aChatRequest({ extensions }), { model: 'm' });

    expect(body).toMatchObject({ verbosity: 'low', logit_bias: { 7: 1 } });
    expect(unsupported).toEqual([]);
  });

  test('such as an image that is named by the id of a file', () => {
    const image: Message = { role: 'user', parts: [{ type: 'image', source: { kind: 'id', id: 'file-1' } }] };

    const { body, unsupported } = encodeChatRequest(aChatRequest({ messages: [aUserMessage('Hi'), image] }), {
      model: 'm',
    });

    expect(unsupported).toEqual(['file_id']);
    expect(JSON.stringify(body)).not.toContain('file-1');
  });
});

test.each([
  ['No such city', 'Error: No such city'],
  ['error: no such city', 'error: no such city'],
  ['{"error":"no such city"}', '{"error":"no such city"}'],
])('says in words that a call has failed, where they do not say so already: %s', (text, content) => {
  const result: Message = {
    role: 'user',
    parts: [{ type: 'tool-result', callId: 'c', content: [{ type: 'text', text }], isError: true }],
  };

  expect(messagesFor([result])).toEqual([{ role: 'tool', tool_call_id: 'c', content }]);
});

describe('a request in the words of other vendors of the dialect', () => {
  const decode = (fields: object) =>
    openAiChatClient.decodeRequest({ messages: [{ role: 'user', content: 'Hi' }], ...fields }, {});

  test('may say `any` for a tool that must be called', () => {
    expect(decode({ tool_choice: 'any' }).toolChoice).toEqual({ type: 'required' });
  });

  test('may not choose by a word that nobody knows', () => {
    expect(() => decode({ tool_choice: 'sometimes' })).toThrow('"tool_choice" must be');
  });

  test('keeps a choice among some tools for vendors that know it', () => {
    const choice = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [] } };

    const { toolChoice, extensions } = decode({ tool_choice: choice });

    expect(toolChoice).toBeUndefined();
    expect(extensions['openai-chat']).toEqual({ tool_choice: choice });
  });

  test.each([
    [{ type: 'disabled' }, { effort: 'none' }],
    [{ type: 'enabled', budget_tokens: 2048 }, { budgetTokens: 2048 }],
    [{ type: 'enabled' }, {}],
  ])('may ask for thoughts by `thinking`: %j', (thinking, reasoning) => {
    const decoded = decode({ thinking });

    expect(decoded.reasoning).toEqual(reasoning);
    expect(decoded.extensions['openai-chat']).toEqual({});
  });

  test('keeps a `thinking` that says more', () => {
    const thinking = { type: 'enabled', token_budget: 7 };

    expect(decode({ thinking }).extensions['openai-chat']).toEqual({ thinking });
  });

  test.each([
    [
      {
        type: 'thinking',
        thinking: [
          { type: 'text', text: 'h' },
          { type: 'text', text: 'm' },
        ],
      },
      { type: 'reasoning', text: 'hm' },
    ],
    [
      { type: 'document_url', document_url: 'https://h.example/a.pdf', document_name: 'a' },
      { type: 'file', source: { kind: 'url', url: 'https://h.example/a.pdf' }, name: 'a' },
    ],
    [
      { type: 'file_url', file_url: { url: 'https://h.example/a.pdf' } },
      { type: 'file', source: { kind: 'url', url: 'https://h.example/a.pdf' } },
    ],
    [
      { type: 'input_audio', input_audio: 'UklGRiQ=' },
      { type: 'audio', data: 'UklGRiQ=', format: 'wav' },
    ],
    [
      { type: 'input_audio', input_audio: '//NkxAA=' },
      { type: 'audio', data: '//NkxAA=', format: 'mp3' },
    ],
  ])('may hold the part %j', (part, decoded) => {
    expect(decode({ messages: [{ role: 'user', content: [part] }] }).messages[0]?.parts).toEqual([decoded]);
  });
});
