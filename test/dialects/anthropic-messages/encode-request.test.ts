import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  anthropicMessagesClient,
  anthropicMessagesVendor,
} from '../../../lambda/dialects/anthropic-messages/anthropic-messages.ts';
import type { ChatRequest, Message, Part } from '../../../lambda/dialects/chat-request.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { aChatRequest, aUserMessage } from '../../support/chat-requests.ts';

function encode(changes: Partial<ChatRequest>, model = 'claude-sonnet-4-5') {
  return anthropicMessagesVendor.encodeRequest(aChatRequest(changes), { model });
}

function assistant(...parts: Part[]): Message {
  return { role: 'assistant', parts };
}

const tools = [{ name: 'f', parameters: { type: 'object', properties: {} } }];
const call: Part = { type: 'tool-call', id: 'call_1', name: 'f', arguments: '{"a":1}' };

function result(callId: string, ...content: Extract<Part, { type: 'tool-result' }>['content'][number][]): Part {
  return { type: 'tool-result', callId, content };
}

describe('messages', () => {
  test('text', () => {
    expect(encode({ stream: true }).body).toEqual({
      model: 'claude-sonnet-4-5',
      max_tokens: 32_000,
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
    });
  });

  test('system and developer messages go to the front, in their order', () => {
    const system: Message = { role: 'system', parts: [{ type: 'text', text: 'A', cache: {} }] };
    const developer: Message = { role: 'developer', parts: [{ type: 'text', text: 'B' }] };

    const { body } = encode({ messages: [system, aUserMessage('Hi'), developer] });

    expect(body['system']).toEqual([
      { type: 'text', text: 'A', cache_control: { type: 'ephemeral' } },
      { type: 'text', text: 'B' },
    ]);
    expect(body['messages']).toEqual([{ role: 'user', content: 'Hi' }]);
  });

  test('system messages stay where they stand at models that take them there', () => {
    const late: Message = { role: 'system', parts: [{ type: 'text', text: 'B' }] };

    const { body } = encode({ messages: [aUserMessage('Hi'), late] }, 'claude-opus-4-8');

    expect(body['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'system', content: 'B' },
    ]);
  });

  test('tool-result: results of parallel calls stand in one message, before the text', () => {
    const said: Message = {
      role: 'user',
      parts: [{ type: 'text', text: 'so?' }, result('call_2', { type: 'text', text: '2' })],
    };
    const failed: Part = { ...result('call_1', { type: 'text', text: 'x' }), isError: true } as Part;

    const { body } = encode({ messages: [assistant(call), { role: 'user', parts: [failed] }, said] });

    expect(body['messages']).toEqual([
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'f', input: { a: 1 } }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_1', content: 'x', is_error: true },
          { type: 'tool_result', tool_use_id: 'call_2', content: '2' },
          { type: 'text', text: 'so?' },
        ],
      },
    ]);
  });

  test('ids that other vendors made are fitted, alike in call and result', () => {
    const messages = [
      assistant({ ...call, id: 'functions.f:0' } as Part),
      { role: 'user' as const, parts: [result('functions.f:0')] },
    ];

    const sent = JSON.stringify(encode({ messages }).body);

    expect(sent.match(/functions_f_0/g)).toHaveLength(2);
  });

  test('arguments that are no JSON object are named', () => {
    const { body, unsupported } = encode({ messages: [assistant({ ...call, arguments: '{"a":' } as Part)] });

    expect(unsupported).toEqual(['tool_calls.function.arguments']);
    expect(body['messages']).toMatchObject([{ content: [{ input: {} }] }]);
  });

  test('image, file and what is neither', () => {
    const parts: Part[] = [
      { type: 'image', source: { kind: 'url', url: 'https://a.test/a.png' }, detail: 'high' },
      { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'JVBE' }, name: 'a.pdf' },
      { type: 'file', source: { kind: 'base64', mediaType: 'text/csv', data: 'YSxi' } },
      { type: 'file', source: { kind: 'base64', mediaType: 'application/zip', data: 'UEs=' } },
      { type: 'audio', format: 'wav', data: 'UklG' },
    ];

    const { body, unsupported } = encode({ messages: [{ role: 'user', parts }] });

    expect(body['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'url', url: 'https://a.test/a.png' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' }, title: 'a.pdf' },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a,b' } },
        ],
      },
    ]);
    expect(unsupported).toEqual(['file', 'input_audio']);
  });

  test('reasoning goes back with its signature, and not without', () => {
    const messages = [
      assistant(
        { type: 'reasoning', text: 'hm', signature: 'S' },
        { type: 'reasoning', text: '', redacted: 'D' },
        call,
      ),
      assistant({ type: 'reasoning', text: 'unsigned' }, { type: 'text', text: 'a' }),
    ];

    expect(encode({ messages }).body['messages']).toMatchObject([
      {
        content: [
          { type: 'thinking', thinking: 'hm', signature: 'S' },
          { type: 'redacted_thinking', data: 'D' },
          {},
          { text: 'a' },
        ],
      },
    ]);
  });

  test('the beginning of an answer does not end with a blank, and empty text is not sent', () => {
    const messages = [aUserMessage(''), aUserMessage('Hi'), assistant({ type: 'text', text: 'Well, ' })];

    expect(encode({ messages }).body['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Well,' },
    ]);
  });
});

describe('tools', () => {
  test('always have a schema of an object', () => {
    expect(encode({ tools: [{ name: 'f' }, { name: 'g', parameters: { properties: {} } }] }).body['tools']).toEqual([
      { name: 'f', input_schema: { type: 'object', properties: {} } },
      { name: 'g', input_schema: { type: 'object', properties: {} } },
    ]);
  });

  test('that are strict have closed schemas, at models that know strictness', () => {
    const strict = [
      { name: 'f', strict: true, parameters: { type: 'object', properties: { n: { type: 'integer', minimum: 1 } } } },
    ];

    expect(encode({ tools: strict }).body['tools']).toEqual([
      {
        name: 'f',
        strict: true,
        input_schema: {
          type: 'object',
          properties: { n: { type: 'integer', description: '{minimum: 1}' } },
          additionalProperties: false,
        },
      },
    ]);
    expect(encode({ tools: strict }, 'claude-opus-4-20250514').unsupported).toEqual(['strict']);
  });

  test.each([
    [{ toolChoice: { type: 'auto' } }, { type: 'auto' }],
    [{ toolChoice: { type: 'none' } }, { type: 'none' }],
    [
      { toolChoice: { type: 'required' }, parallelToolCalls: false },
      { type: 'any', disable_parallel_tool_use: true },
    ],
    [{ toolChoice: { type: 'tool', name: 'f' } }, { type: 'tool', name: 'f' }],
    [{ parallelToolCalls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    [{ parallelToolCalls: true }, undefined],
  ] as [Partial<ChatRequest>, unknown][])('%j', (changes, choice) => {
    expect(encode({ tools, ...changes }).body['tool_choice']).toEqual(choice);
  });
});

describe('reasoning', () => {
  test.each([
    ['claude-sonnet-4-5', { effort: 'high' }, { thinking: { type: 'enabled', budget_tokens: 8000 } }],
    ['claude-sonnet-4-5', { budgetTokens: 5000 }, { thinking: { type: 'enabled', budget_tokens: 5000 } }],
    ['claude-opus-4-6', { effort: 'xhigh' }, { thinking: { type: 'adaptive' }, output_config: { effort: 'max' } }],
    ['claude-opus-4-6', { budgetTokens: 5000 }, { thinking: { type: 'enabled', budget_tokens: 5000 } }],
    ['claude-opus-4-7', { effort: 'minimal' }, { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }],
    [
      'claude-opus-4-7',
      { budgetTokens: 5000 },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'medium' } },
    ],
    ['claude-sonnet-5', { summary: 'auto' }, { thinking: { type: 'adaptive', display: 'summarized' } }],
    ['claude-sonnet-4-5', { effort: 'none' }, { thinking: { type: 'disabled' } }],
    ['claude-sonnet-5-5', { effort: 'none' }, { thinking: { type: 'between_tools' } }],
    ['claude-opus-5-5', { effort: 'none' }, { output_config: { effort: 'low' } }],
    ['claude-3-5-haiku-20241022', { effort: 'none' }, {}],
    ['deepseek-chat', { effort: 'low' }, { thinking: { type: 'enabled', budget_tokens: 2000 } }],
  ] as [string, ChatRequest['reasoning'], JsonObject][])('%s: %j', (model, reasoning, fields) => {
    const { body, unsupported } = encode({ reasoning, maxOutputTokens: 10_000 }, model);

    const { thinking, output_config } = body;
    expect({ thinking, output_config }).toEqual({ thinking: undefined, output_config: undefined, ...fields });
    expect(unsupported).toEqual([]);
  });

  test('is named where the model cannot, the limit leaves no room, or a tool is forced', () => {
    const reasoning = { effort: 'high' } as const;

    expect(encode({ reasoning }, 'claude-3-5-haiku-20241022').unsupported).toEqual(['reasoning_effort']);
    expect(encode({ reasoning, maxOutputTokens: 1000 }).unsupported).toEqual(['reasoning_effort']);
    expect(encode({ reasoning, tools, toolChoice: { type: 'required' } }).unsupported).toEqual(['reasoning_effort']);
  });

  test('leaves room for the answer when the caller sets no limit', () => {
    expect(encode({ reasoning: { budgetTokens: 20_000 } }).body['max_tokens']).toBe(52_000);
  });
});

describe('json-schema', () => {
  const schema = { type: 'object', properties: { a: { type: 'array', items: { type: 'object', properties: {} } } } };
  const responseFormat = { type: 'json-schema' as const, name: 'n', schema };

  test('is a format where the model has structured outputs', () => {
    const closed = { type: 'object', properties: {}, additionalProperties: false };

    expect(encode({ responseFormat }).body['output_config']).toEqual({
      format: {
        type: 'json_schema',
        schema: { type: 'object', properties: { a: { type: 'array', items: closed } }, additionalProperties: false },
      },
    });
  });

  test.each([
    ['an older model', 'claude-opus-4-1', responseFormat],
    ['an open schema', 'claude-opus-5', { ...responseFormat, schema: { type: 'object', additionalProperties: true } }],
    ['JSON of any shape', 'claude-opus-5', { type: 'json' as const }],
  ])('is a forced tool for %s', (_, model, format) => {
    const { body, unsupported } = encode({ responseFormat: format }, model);

    expect(body['tool_choice']).toEqual({ type: 'tool', name: 'sluice_json_answer' });
    expect(body['tools']).toHaveLength(1);
    expect(unsupported).toEqual([]);
  });

  test('leaves the caller his own tools', () => {
    const { body } = encode({ tools, responseFormat: { type: 'json' } });

    expect(body['tool_choice']).toEqual({ type: 'any' });
    expect(body['tools']).toHaveLength(2);
  });
});

describe('what the API has no place for', () => {
  test.each([
    [{ choices: 2 }, 'n'],
    [{ topLogprobs: 0 }, 'logprobs'],
    [{ sampling: { seed: 1 } }, 'seed'],
    [{ sampling: { frequencyPenalty: 1 } }, 'frequency_penalty'],
    [{ sampling: { presencePenalty: 1 } }, 'presence_penalty'],
    [{ sampling: { temperature: 1.5 } }, 'temperature'],
    [{ sampling: { temperature: 0, topP: 0.5 } }, 'top_p'],
    [{ sampling: { temperature: 0 }, reasoning: { budgetTokens: 2000 } }, 'temperature'],
    [{ stop: ['\n', 'END'] }, 'stop'],
    [{ metadata: { a: 'b' } }, 'metadata'],
    [{ serviceTier: 'flex' }, 'service_tier'],
    [{ extensions: { 'openai-chat': { logit_bias: { 1: 2 } } } }, 'logit_bias'],
  ] as [Partial<ChatRequest>, string][])('%j is named %s', (changes, name) => {
    expect(encode(changes).unsupported).toEqual([name]);
  });

  test('is not what asks for nothing', () => {
    const changes = { sampling: { frequencyPenalty: 0, temperature: 1 }, promptCacheKey: 'k', serviceTier: 'auto' };

    expect(encode({ ...changes, user: 'u', stop: ['END'] })).toMatchObject({
      body: { metadata: { user_id: 'u' }, service_tier: 'auto', temperature: 1, stop_sequences: ['END'] },
      unsupported: [],
    });
  });

  test('are sampling parameters at models that dropped them', () => {
    expect(encode({ sampling: { temperature: 0.2, topP: 1, topK: 5 } }, 'claude-opus-4-7').unsupported).toEqual([
      ...['temperature', 'top_k'],
    ]);
  });
});

describe('a request of the same dialect', () => {
  const body: JsonObject = {
    model: 'claude-sonnet-4-6',
    max_tokens: 2048,
    system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral', ttl: '1h' } }],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'q' },
          {
            type: 'document',
            source: { type: 'text', media_type: 'text/plain', data: 'ü' },
            citations: { enabled: true },
          },
          { type: 'container_upload', file_id: 'f' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 'S' },
          { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' } },
          { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
          { type: 'text', text: 'a', citations: [{ type: 'char_location', cited_text: 'c', document_index: 0 }] },
          { type: 'tool_use', id: 't', name: 'f', input: { n: 1 }, caller: { type: 'direct' } },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 't',
            content: [{ type: 'search_result', title: 'T', source: 'S', content: [] }],
          },
        ],
      },
    ],
    tools: [
      { name: 'f', input_schema: { type: 'object' }, defer_loading: true, cache_control: { type: 'ephemeral' } },
      { type: 'web_search_20250305', name: 'web_search', max_uses: 2 },
    ],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    thinking: { type: 'adaptive', display: 'omitted' },
    output_config: {
      effort: 'high',
      task_budget: { type: 'tokens', total: 9 },
      format: { type: 'json_schema', schema: { type: 'object', additionalProperties: false } },
    },
    metadata: { user_id: 'u' },
    service_tier: 'standard_only',
    stop_sequences: ['END'],
    context_management: { edits: [] },
    stream: true,
  };

  function again(request: JsonObject): JsonObject {
    const decoded = anthropicMessagesClient.decodeRequest(request, {});
    return anthropicMessagesVendor.encodeRequest(decoded, { model: String(request['model']) }).body;
  }

  test('means the same when it is written again', () => {
    expect(again(body)).toEqual(body);
  });

  test('turns no effort into thinking', () => {
    const { thinking: _, ...rest } = body;

    expect(again(rest)).toEqual(rest);
  });

  test('means the same with any text, calls and results', () => {
    const said = fc.string({ minLength: 1 }).filter((text) => text.trim() !== '');
    const id = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
    const turn = fc.record({
      text: said,
      id,
      name: id,
      input: fc.dictionary(id, fc.jsonValue({ maxDepth: 2 })),
      result: said,
    });
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 4 }), (turns) => {
        const messages = turns.flatMap(({ text, id: callId, name, input, result: found }) => [
          { role: 'user', content: text },
          {
            role: 'assistant',
            content: [
              { type: 'text', text },
              { type: 'tool_use', id: callId, name, input: JSON.parse(JSON.stringify(input)) },
            ],
          },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: callId, content: found }] },
          { role: 'assistant', content: [{ type: 'thinking', thinking: text, signature: found }] },
        ]);
        const request = { model: 'claude-opus-5', max_tokens: 5, messages };

        expect(again(request)).toEqual(request);
      }),
    );
  });
});
