import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChatRequest } from '../../../lambda/dialects/chat-request.ts';
import {
  openAiResponsesClient as client,
  openAiResponsesVendor as vendor,
} from '../../../lambda/dialects/openai-responses/openai-responses.ts';
import { RequestProblem } from '../../../lambda/dialects/request-problem.ts';

const decode = (body: object) => client.decodeRequest({ model: 'gpt-5', ...body }, {});
const encode = (request: ChatRequest) => vendor.encodeRequest(request, { model: 'gpt-5' });
/** The same request as a caller of OpenAI's chat would have made it. */
const foreign = (body: object, more: Partial<ChatRequest> = {}): ChatRequest => ({
  ...decode(body),
  extensions: { 'openai-chat': {} },
  ...more,
});

const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const weather = { type: 'function', name: 'weather', description: 'The weather', parameters: schema, strict: true };

describe('a request of a Responses caller', () => {
  test('text: a string is what the user says, instructions are the system', () => {
    expect(decode({ input: 'hi', instructions: 'Be brief.' }).messages).toEqual([
      { role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
      { role: 'user', parts: [{ type: 'text', text: 'hi' }] },
    ]);
  });

  test('tool result: a turn of the assistant is one message, its results one of the user', () => {
    const { messages } = decode({
      input: [
        { role: 'user', content: 'Weather and time?' },
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'gAAA' },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Wait.', annotations: [] }] },
        { type: 'function_call', id: 'fc_1', call_id: 'a', name: 'weather', arguments: '{"city":"Bern"}' },
        { type: 'function_call', call_id: 'b', name: 'time', arguments: '' },
        { type: 'function_call_output', call_id: 'a', output: 'Rain' },
        {
          type: 'function_call_output',
          call_id: 'b',
          output: [{ type: 'input_image', image_url: 'https://a.example/b.png' }],
        },
      ],
    });

    expect(messages.slice(1)).toEqual([
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'Hm.', signature: 'gAAA', id: 'rs_1' },
          { type: 'text', text: 'Wait.' },
          { type: 'tool-call', id: 'a', name: 'weather', arguments: '{"city":"Bern"}' },
          { type: 'tool-call', id: 'b', name: 'time', arguments: '{}' },
        ],
      },
      {
        role: 'user',
        parts: [
          { type: 'tool-result', callId: 'a', content: [{ type: 'text', text: 'Rain' }] },
          {
            type: 'tool-result',
            callId: 'b',
            content: [{ type: 'image', source: { kind: 'url', url: 'https://a.example/b.png' } }],
          },
        ],
      },
    ]);
  });

  test('image: data, addresses and files keep their kind', () => {
    const { messages } = decode({
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_image', image_url: 'data:image/png;base64,iVBO', detail: 'low' },
            { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' },
            { type: 'input_file', file_url: 'https://a.example/a.pdf' },
            { type: 'input_image', file_id: 'file-1' },
            { type: 'input_audio', input_audio: { data: 'UklG', format: 'mp3' } },
          ],
        },
      ],
    });

    expect(messages[0]?.parts).toEqual([
      { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'iVBO' }, detail: 'low' },
      { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'JVBE' }, name: 'a.pdf' },
      { type: 'file', source: { kind: 'url', url: 'https://a.example/a.pdf' } },
      { type: 'image', source: { kind: 'id', id: 'file-1' } },
      { type: 'audio', data: 'UklG', format: 'mp3' },
    ]);
  });

  test('what has no place is kept under its name, for vendors of the same dialect', () => {
    const input = [
      { type: 'item_reference', id: 'rs_9' },
      { role: 'user', content: 'hi' },
    ];
    const tools = [{ type: 'web_search' }, weather];
    const request = decode({ input, tools, previous_response_id: 'resp_0', text: { verbosity: 'low' } });

    const { body, unsupported } = encode(request);

    expect(Object.keys(request.extensions['openai-responses'] ?? {}).toSorted()).toEqual([
      'input[].item_reference',
      'previous_response_id',
      'text.verbosity',
      'tools[].web_search',
    ]);
    expect(body).toMatchObject({ input, tools, previous_response_id: 'resp_0', text: { verbosity: 'low' } });
    expect(unsupported).toEqual([]);
  });

  test('a secret of another dialect returns as what it was', () => {
    const { messages } = decode({
      input: [
        { type: 'reasoning', summary: [], encrypted_content: 'sluice:redacted:xyz' },
        { type: 'reasoning', summary: [], encrypted_content: 'sluice:call:a%3A0:sig:1' },
        { type: 'function_call', call_id: 'a:0', name: 'f', arguments: '{}' },
      ],
    });

    expect(messages[0]?.parts).toEqual([
      { type: 'reasoning', text: '', redacted: 'xyz' },
      { type: 'tool-call', id: 'a:0', name: 'f', arguments: '{}', signature: 'sig:1' },
    ]);
  });

  test.each([
    [{ input: 7 }, 'input'],
    [{ input: [7] }, 'input[0]'],
    [{ input: [{ role: 'tool', content: '' }] }, 'input[0].role'],
    [{ input: [{ type: 'function_call', name: 'f' }] }, 'input[0]'],
    [{ input: 'a', tools: [{ type: 'function' }] }, 'tools[0].name'],
    [{ input: 'a', tool_choice: 'perhaps' }, 'tool_choice'],
    [{ input: 'a', text: { format: { type: 'xml' } } }, 'text.format'],
    [{ input: 'a', reasoning: { effort: 'huge' } }, 'reasoning.effort'],
    [{ input: 'a', temperature: 'hot' }, 'temperature'],
  ])('names what cannot be understood: %j', (body, param) => {
    const problem = (() => {
      try {
        decode(body);
      } catch (error) {
        return error;
      }
    })();

    expect(problem).toBeInstanceOf(RequestProblem);
    expect(problem).toMatchObject({ param });
  });

  test('random JSON is understood or refused with a reason', () => {
    const item = fc.record(
      {
        type: fc.constantFrom('message', 'reasoning', 'function_call', 'function_call_output', 'item_reference'),
        role: fc.constantFrom('user', 'assistant', 'system'),
        content: fc.jsonValue(),
        output: fc.jsonValue(),
        summary: fc.jsonValue(),
        call_id: fc.jsonValue(),
        name: fc.jsonValue(),
        encrypted_content: fc.jsonValue(),
      },
      { requiredKeys: ['type'] },
    );
    const field = fc.constantFrom(
      'tools',
      'tool_choice',
      'text',
      'reasoning',
      'include',
      'metadata',
      'stream',
      'instructions',
    );

    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.array(item)), fc.dictionary(field, fc.jsonValue()), (input, fields) => {
        try {
          encode(decode({ ...fields, input }));
        } catch (error) {
          expect(error).toBeInstanceOf(RequestProblem);
        }
      }),
    );
  });
});

describe('a request to a Responses vendor', () => {
  const whole = {
    model: 'gpt-5',
    instructions: 'Be brief.',
    input: [
      { role: 'developer', content: 'No jokes.' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'a' },
          { type: 'input_image', image_url: 'data:image/png;base64,iVBO', detail: 'auto' },
        ],
      },
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'gAAA' },
      { type: 'function_call', call_id: 'a', name: 'weather', arguments: '{"city":"Bern"}' },
      { type: 'function_call_output', call_id: 'a', output: 'Rain', status: 'incomplete' },
      { role: 'assistant', content: 'It rains.' },
      { role: 'user', content: 'Thanks' },
    ],
    tools: [weather, { type: 'function', name: 'time' }],
    tool_choice: { type: 'function', name: 'weather' },
    parallel_tool_calls: false,
    text: {
      format: { type: 'json_schema', name: 'reply', description: 'A reply', schema, strict: true },
      verbosity: 'low',
    },
    reasoning: { effort: 'high', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    temperature: 0,
    top_p: 0.5,
    max_output_tokens: 100,
    top_logprobs: 2,
    metadata: { a: 'b' },
    service_tier: 'flex',
    prompt_cache_key: 'k',
    user: 'u',
    store: false,
    stream: true,
  };

  test('says what its caller of the same dialect said', () => {
    expect(encode(decode(whole))).toEqual({ body: whole, unsupported: [] });
  });

  test('out of another dialect: nothing is stored, functions are lax, thoughts can return', () => {
    const request = foreign(
      { input: 'hi', tools: [{ type: 'function', name: 'time' }] },
      { reasoning: { budgetTokens: 8000 }, topLogprobs: 0 },
    );

    expect(encode(request).body).toEqual({
      model: 'gpt-5',
      input: [{ role: 'user', content: 'hi' }],
      tools: [{ type: 'function', name: 'time', strict: false }],
      reasoning: { effort: 'medium' },
      store: false,
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
    });
  });

  test('out of another dialect: thoughts that nobody signed stay away, signed ones come along', () => {
    const thought = (more: object) => ({ type: 'reasoning' as const, text: 'Hm.', ...more });
    const request = foreign(
      {},
      { messages: [{ role: 'assistant', parts: [thought({}), thought({ signature: 's' })] }] },
    );

    expect(encode(request).body['input']).toEqual([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 's' },
    ]);
  });

  test('names what has no place', () => {
    const request = foreign(
      { input: 'hi' },
      {
        choices: 2,
        stop: ['x'],
        sampling: { seed: 1, topK: 5, frequencyPenalty: 1, presencePenalty: 1 },
        extensions: { 'openai-chat': { logit_bias: { 5: 1 }, verbosity: 'high' } },
      },
    );

    const { body, unsupported } = encode(request);

    expect(unsupported).toEqual(['n', 'stop', 'seed', 'top_k', 'frequency_penalty', 'presence_penalty', 'logit_bias']);
    expect(body['text']).toEqual({ verbosity: 'high' });
  });

  test('means the same after another round, whatever was said', () => {
    const text = fc.string({ minLength: 1 });
    const item = fc.oneof(
      fc.record({ role: fc.constantFrom('user', 'developer'), content: text }),
      fc.record({ type: fc.constant('function_call'), call_id: text, name: text, arguments: fc.json() }),
      fc.record({ type: fc.constant('function_call_output'), call_id: text, output: text }),
      fc.record({ type: fc.constant('reasoning'), id: text, summary: fc.constant([]), encrypted_content: text }),
      fc.record({ role: fc.constant('assistant'), content: text }),
    );

    fc.assert(
      fc.property(fc.array(item, { minLength: 1 }), (input) => {
        expect(encode(decode({ instructions: 'i', input })).body['input']).toEqual(input);
      }),
    );
  });
});
