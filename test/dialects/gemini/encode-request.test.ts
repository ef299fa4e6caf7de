import { describe, expect, test } from '@jest/globals';
import type { ChatRequest, Message, Part } from '../../../lambda/dialects/chat-request.ts';
import { geminiClient, geminiVendor } from '../../../lambda/dialects/gemini/gemini.ts';

const plain = geminiClient.decodeRequest({ contents: [{ parts: [{ text: 'hi' }] }] }, {});
const encode = (request: Partial<ChatRequest>, model = 'gemini-3-flash') =>
  geminiVendor.encodeRequest({ ...plain, extensions: {}, ...request }, { model });
const contentsOf = (messages: Message[], model?: string) => encode({ messages }, model).body['contents'];
const answered = (...parts: Part[]): Message => ({ role: 'assistant', parts });

describe('text', () => {
  test('moves system and developer messages to the front and joins neighbours', () => {
    const { body, unsupported } = encode({
      messages: [
        { role: 'system', parts: [{ type: 'text', text: 'a' }] },
        { role: 'user', parts: [{ type: 'text', text: 'b' }] },
        { role: 'developer', parts: [{ type: 'text', text: 'c' }] },
        {
          role: 'user',
          parts: [
            { type: 'text', text: 'd' },
            { type: 'text', text: '' },
          ],
        },
      ],
    });

    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'a' }, { text: 'c' }] },
      contents: [{ role: 'user', parts: [{ text: 'b' }, { text: 'd' }] }],
    });
    expect(unsupported).toEqual([]);
  });

  test('asks with the instructions when there is nothing else', () => {
    const { body } = encode({ messages: [{ role: 'system', parts: [{ type: 'text', text: 'a' }] }] });

    expect(body).toEqual({ contents: [{ role: 'user', parts: [{ text: 'a' }] }] });
  });

  test('writes every parameter that has a field', () => {
    const { body } = encode({
      sampling: { temperature: 0, topP: 0.9, topK: 4, seed: 1, frequencyPenalty: 0.1, presencePenalty: 0.2 },
      maxOutputTokens: 5,
      stop: ['x'],
      choices: 2,
      topLogprobs: 3,
      serviceTier: 'default',
      responseFormat: { type: 'json' },
    });

    expect(body).toMatchObject({
      serviceTier: 'standard',
      generationConfig: {
        temperature: 0,
        topP: 0.9,
        topK: 4,
        seed: 1,
        frequencyPenalty: 0.1,
        presencePenalty: 0.2,
        maxOutputTokens: 5,
        stopSequences: ['x'],
        candidateCount: 2,
        responseLogprobs: true,
        logprobs: 3,
        responseMimeType: 'application/json',
      },
    });
  });

  test('names what has no place', () => {
    const { unsupported } = encode({
      user: 'u',
      metadata: { a: 'b' },
      parallelToolCalls: false,
      tools: [{ name: 'f' }],
      messages: [{ role: 'user', name: 'bob', parts: [{ type: 'file', source: { kind: 'id', id: 'file-1' } }] }],
      extensions: { 'openai-chat': { logit_bias: { 5: 1 }, store: true } },
    });

    expect(unsupported).toEqual(['name', 'file_id', 'metadata', 'parallel_tool_calls', 'user', 'logit_bias']);
  });

  test('adds again what a caller of Gemini wrote', () => {
    const generationConfig = { speechConfig: { languageCode: 'de' } };
    const { body } = encode({
      sampling: { seed: 1 },
      extensions: { gemini: { cachedContent: 'c', generationConfig } },
    });

    expect(body).toMatchObject({ cachedContent: 'c', generationConfig: { seed: 1, ...generationConfig } });
  });
});

describe('tools', () => {
  const tools = [{ name: 'f', description: 'd', parameters: { type: 'object', additionalProperties: false } }];

  test('declares tools in JSON Schema', () => {
    expect(encode({ tools }).body['tools']).toEqual([
      { functionDeclarations: [{ name: 'f', description: 'd', parametersJsonSchema: tools[0]?.parameters }] },
    ]);
  });

  test('leaves out for older models what their API refuses', () => {
    const parameters = {
      $schema: 'x',
      type: 'object',
      additionalProperties: false,
      $defs: { c: { type: 'string', const: 'red', format: 'uri' } },
      properties: {
        c: { $ref: '#/$defs/c' },
        n: { type: ['integer', 'null'] },
        u: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      },
    };

    const { body } = encode(
      {
        tools: [
          { name: 'f', parameters },
          { name: 'g', parameters: { type: 'object', properties: {} } },
        ],
      },
      'gemini-2.0-flash',
    );

    expect(body['tools']).toEqual([
      {
        functionDeclarations: [
          {
            name: 'f',
            parameters: {
              type: 'object',
              properties: {
                c: { type: 'string', enum: ['red'] },
                n: { type: 'integer', nullable: true },
                u: { type: 'string', nullable: true },
              },
            },
          },
          { name: 'g' },
        ],
      },
    ]);
  });

  test.each([
    [
      { type: 'tool', name: 'f' },
      { mode: 'ANY', allowedFunctionNames: ['f'] },
    ],
    [{ type: 'required' }, { mode: 'ANY' }],
    [{ type: 'none' }, { mode: 'NONE' }],
    [{ type: 'auto' }, { mode: 'AUTO' }],
  ] as const)('writes the choice %j', (toolChoice, functionCallingConfig) => {
    expect(encode({ tools, toolChoice }).body['toolConfig']).toEqual({ functionCallingConfig });
  });

  test('binds arguments to the schema of strict tools', () => {
    expect(encode({ tools: [{ name: 'f', strict: true }] }).body['toolConfig']).toEqual({
      functionCallingConfig: { mode: 'VALIDATED' },
    });
  });
});

describe('parallel-tools and tool-result', () => {
  const call = (id: string, written = '{"a":1}') => ({ type: 'tool-call' as const, id, name: 'f', arguments: written });
  const result = (callId: string, text: string) => ({
    type: 'tool-result' as const,
    callId,
    content: [{ type: 'text' as const, text }],
  });

  test('puts all results into one content, with the names of their calls', () => {
    const contents = contentsOf(
      [
        answered(call('x'), call('y', '')),
        { role: 'user', parts: [result('x', '{"b":2}')] },
        { role: 'user', parts: [result('y', 'ok')] },
      ],
      'gemini-2.5-flash',
    );

    expect(contents).toEqual([
      {
        role: 'model',
        parts: [
          { functionCall: { id: 'x', name: 'f', args: { a: 1 } } },
          { functionCall: { id: 'y', name: 'f', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'x', name: 'f', response: { b: 2 } } },
          { functionResponse: { id: 'y', name: 'f', response: { output: 'ok' } } },
        ],
      },
    ]);
  });

  test('writes errors, and numbers too long for JSON as text', () => {
    const failed = { ...result('x', 'no'), isError: true };

    expect(contentsOf([{ role: 'user', parts: [failed, result('y', '{"id":12345678901234567890}')] }])).toMatchObject([
      {
        parts: [
          { functionResponse: { response: { error: 'no' } } },
          { functionResponse: { response: { output: '{"id":12345678901234567890}' } } },
        ],
      },
    ]);
  });

  test('puts images inside a result where the model takes that, else behind it', () => {
    const image: Part = { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'iVBO' } };
    const shown: Message = { role: 'user', parts: [{ type: 'tool-result', callId: 'x', name: 'f', content: [image] }] };
    const inlineData = { mimeType: 'image/png', data: 'iVBO' };
    const functionResponse = { id: 'x', name: 'f', response: { output: '' } };

    expect(contentsOf([shown])).toEqual([
      { role: 'user', parts: [{ functionResponse: { ...functionResponse, parts: [{ inlineData }] } }] },
    ]);
    expect(contentsOf([shown], 'gemini-2.5-pro')).toEqual([
      { role: 'user', parts: [{ functionResponse }, { inlineData }] },
    ]);
  });
});

test('image: writes bytes, URLs with their type, audio, and low detail', () => {
  const parts: Part[] = [
    { type: 'image', detail: 'low', source: { kind: 'base64', mediaType: 'image/png', data: 'iVBO' } },
    { type: 'image', detail: 'low', source: { kind: 'url', url: 'https://a.example/b.jpg?x=1' } },
    { type: 'audio', format: 'mp3', data: 'SUQz' },
  ];

  const { body } = encode({ messages: [{ role: 'user', parts }] });

  expect(body).toEqual({
    contents: [
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'image/png', data: 'iVBO' } },
          { fileData: { mimeType: 'image/jpeg', fileUri: 'https://a.example/b.jpg?x=1' } },
          { inlineData: { mimeType: 'audio/mp3', data: 'SUQz' } },
        ],
      },
    ],
    generationConfig: { mediaResolution: 'MEDIA_RESOLUTION_LOW' },
  });
});

describe('reasoning', () => {
  test.each([
    ['gemini-3-flash', { effort: 'xhigh', summary: 'auto' }, { thinkingLevel: 'high', includeThoughts: true }],
    ['gemini-3.1-pro-preview', { budgetTokens: 99 }, { thinkingBudget: 99 }],
    ['gemini-flash-latest', { effort: 'minimal' }, { thinkingLevel: 'minimal' }],
    ['gemini-2.5-flash', { effort: 'none' }, { thinkingBudget: 0 }],
    ['gemini-2.5-flash', { effort: 'medium' }, { thinkingBudget: 8192 }],
    ['gemini-2.5-flash', { budgetTokens: 1_000_000 }, { thinkingBudget: 24_576 }],
    ['gemini-2.5-pro', { budgetTokens: 1 }, { thinkingBudget: 128 }],
  ] as const)('%s: %j becomes %j', (model, reasoning, thinkingConfig) => {
    const { body, unsupported } = encode({ reasoning }, model);

    expect(body['generationConfig']).toEqual({ thinkingConfig });
    expect(unsupported).toEqual([]);
  });

  test.each([
    ['gemini-3-flash', { effort: 'none' }],
    ['gemini-2.5-pro', { effort: 'none' }],
    ['gemini-2.0-flash', { effort: 'high' }],
  ] as const)('%s cannot honour %j', (model, reasoning) => {
    expect(encode({ reasoning }, model).unsupported).toEqual(['reasoning_effort']);
  });

  test('returns signatures to the parts that they came with', () => {
    const contents = contentsOf([
      answered(
        { type: 'reasoning', text: 'hm' },
        { type: 'text', text: 'so' },
        { type: 'reasoning', text: '', signature: 'VGV4dA' },
        { type: 'tool-call', id: 'x', name: 'f', arguments: '{}', signature: 'Q2FsbA' },
        { type: 'tool-call', id: 'y', name: 'f', arguments: '{}' },
      ),
    ]);

    expect(contents).toEqual([
      {
        role: 'model',
        parts: [
          { text: 'hm', thought: true },
          { text: 'so', thoughtSignature: 'VGV4dA' },
          { functionCall: { id: 'x', name: 'f', args: {} }, thoughtSignature: 'Q2FsbA' },
          { functionCall: { id: 'y', name: 'f', args: {} } },
        ],
      },
    ]);
  });

  test('finds the text of a signature that other formats moved to the front', () => {
    const moved = contentsOf([
      answered({ type: 'reasoning', text: 'hm', signature: 'VGV4dA' }, { type: 'text', text: 'so' }),
    ]);
    const alone = contentsOf([answered({ type: 'reasoning', text: '', signature: 'VGV4dA' })]);

    expect(moved).toEqual([
      {
        role: 'model',
        parts: [
          { text: 'hm', thought: true },
          { text: 'so', thoughtSignature: 'VGV4dA' },
        ],
      },
    ]);
    expect(alone).toEqual([{ role: 'model', parts: [{ text: '', thoughtSignature: 'VGV4dA' }] }]);
  });

  test("withholds another vendor's signatures, and signs calls that no Gemini made", () => {
    const anthropic = Buffer.from('12ea020a4608081802 2a40cf'.replace(' ', ''), 'hex').toString('base64');
    const messages = [
      answered(
        { type: 'reasoning', text: 'hm', signature: anthropic },
        { type: 'tool-call', id: 'x', name: 'f', arguments: '{}' },
      ),
    ];
    const functionCall = { id: 'x', name: 'f', args: {} };
    const thought = { text: 'hm', thought: true };

    expect(contentsOf(messages)).toEqual([
      { role: 'model', parts: [thought, { functionCall, thoughtSignature: 'skip_thought_signature_validator' }] },
    ]);
    expect(contentsOf(messages, 'gemini-2.5-pro')).toEqual([{ role: 'model', parts: [thought, { functionCall }] }]);
  });
});

test('json-schema: writes the schema in the form that the model knows', () => {
  const responseFormat = {
    type: 'json-schema' as const,
    name: 'r',
    schema: { type: 'object', additionalProperties: false },
  };

  expect(encode({ responseFormat }).body['generationConfig']).toEqual({
    responseMimeType: 'application/json',
    responseJsonSchema: responseFormat.schema,
  });
  expect(encode({ responseFormat }, 'gemini-2.0-flash').body['generationConfig']).toEqual({
    responseMimeType: 'application/json',
    responseSchema: { type: 'object' },
  });
});
