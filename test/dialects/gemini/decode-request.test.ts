import { describe, expect, test } from '@jest/globals';
import { geminiClient } from '../../../lambda/dialects/gemini/gemini.ts';
import { wrapSecrets } from '../../../lambda/dialects/gemini/signature.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';

const decode = (body: JsonObject) => geminiClient.decodeRequest(body, { model: 'gemini-2.5-flash', stream: true });
const hello = [{ role: 'user', parts: [{ text: 'hello' }] }];

describe('text', () => {
  test('takes the model and the wish to stream from the path', () => {
    const request = decode({ model: 'models/other', contents: hello });

    expect(request).toMatchObject({ model: 'gemini-2.5-flash', stream: true, includeUsage: true, choices: 1 });
    expect(request.messages).toEqual([{ role: 'user', parts: [{ type: 'text', text: 'hello' }] }]);
  });

  test('puts the system instruction first, its parts in a list or alone', () => {
    const listed = decode({
      systemInstruction: { role: 'user', parts: [{ text: 'be' }, { text: 'brief' }] },
      contents: hello,
    });
    const alone = decode({
      system_instruction: { parts: { text: 'be brief' } },
      contents: { parts: [{ text: 'hello' }] },
    });

    expect(listed.messages[0]).toEqual({
      role: 'system',
      parts: [
        { type: 'text', text: 'be' },
        { type: 'text', text: 'brief' },
      ],
    });
    expect(alone.messages.map(({ role }) => role)).toEqual(['system', 'user']);
  });

  test('reads the generation config under both spellings', () => {
    const camel = {
      maxOutputTokens: 9,
      stopSequences: ['\n'],
      topK: 3,
      candidateCount: 2,
      responseLogprobs: true,
      logprobs: 4,
    };
    const snake = {
      max_output_tokens: 9,
      stop_sequences: ['\n'],
      top_k: 3,
      candidate_count: 2,
      response_logprobs: true,
      logprobs: 4,
    };

    const request = decode({
      contents: hello,
      generationConfig: { ...camel, seed: 7, temperature: 0, presencePenalty: null },
    });

    expect(request).toMatchObject({ maxOutputTokens: 9, stop: ['\n'], choices: 2, topLogprobs: 4 });
    expect(request.sampling).toEqual({ topK: 3, seed: 7, temperature: 0 });
    expect(decode({ contents: hello, generation_config: snake })).toEqual(
      decode({ contents: hello, generationConfig: camel }),
    );
  });

  test('keeps what only Gemini knows', () => {
    const safetySettings = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }];

    const request = decode({
      contents: hello,
      safetySettings,
      labels: { a_b: 'c' },
      generationConfig: { responseModalities: ['AUDIO'] },
    });

    expect(request.extensions.gemini).toEqual({
      safetySettings,
      labels: { a_b: 'c' },
      generationConfig: { responseModalities: ['AUDIO'] },
    });
    expect(decode({ contents: hello, generationConfig: { responseModalities: ['TEXT'] } }).extensions.gemini).toEqual(
      {},
    );
  });

  test('rejects what cannot be understood, and names it', () => {
    expect(() => decode({})).toThrow('"contents" is missing');
    expect(() => decode({ contents: [] })).toThrow('at least one');
    expect(() => decode({ contents: [{ role: 'system', parts: [] }] })).toThrow(
      'contents[0].role must be user or model.',
    );
    expect(() => decode({ contents: hello, generationConfig: { topP: 'x' } })).toThrow(
      '"generationConfig.topP" must be a number.',
    );
  });
});

describe('tools', () => {
  test('reads declarations in JSON Schema and in the form of OpenAPI', () => {
    const parameters = {
      type: 'OBJECT',
      properties: {
        n: { type: 'INTEGER', nullable: true },
        l: { type: 'ARRAY', min_items: '1', items: { type: 'STRING' } },
      },
    };

    const { tools } = decode({
      contents: hello,
      tools: [
        {
          function_declarations: [
            { name: 'a', parameters },
            { name: 'b', parameters_json_schema: { type: 'object', additional_x: 1 } },
          ],
        },
      ],
    });

    expect(tools).toEqual([
      {
        name: 'a',
        parameters: {
          type: 'object',
          properties: {
            n: { type: ['integer', 'null'] },
            l: { type: 'array', minItems: 1, items: { type: 'string' } },
          },
        },
      },
      { name: 'b', parameters: { type: 'object', additional_x: 1 } },
    ]);
  });

  test.each([
    [{ mode: 'AUTO' }, { type: 'auto' }],
    [{ mode: 'any' }, { type: 'required' }],
    [{ mode: 'NONE' }, { type: 'none' }],
    [
      { mode: 'ANY', allowedFunctionNames: ['a'] },
      { type: 'tool', name: 'a' },
    ],
  ])('reads the mode %j', (functionCallingConfig, toolChoice) => {
    const request = decode({ contents: hello, toolConfig: { functionCallingConfig } });

    expect(request.toolChoice).toEqual(toolChoice);
    expect(request.extensions.gemini).toEqual({});
  });

  test('keeps tools of Google and modes without a place', () => {
    const tools = [{ googleSearch: {} }];
    const toolConfig = { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['a', 'b'] } };

    const request = decode({ contents: hello, tools, toolConfig });

    expect(request.toolChoice).toEqual({ type: 'required' });
    expect(request.extensions.gemini).toEqual({ tools, toolConfig });
  });
});

describe('tool-result', () => {
  test('finds calls without ids by their names, in order', () => {
    const call = (n: number) => ({ functionCall: { name: 'add', args: { n } } });
    const result = (n: number) => ({ functionResponse: { name: 'add', response: { n } } });

    const { messages } = decode({
      contents: [
        ...hello,
        { role: 'model', parts: [call(1), call(2)] },
        { role: 'function', parts: [result(1), result(2)] },
      ],
    });

    expect(messages[1]?.parts.map((part) => 'id' in part && part.id)).toEqual(['call_0', 'call_1']);
    expect(messages[2]?.parts).toMatchObject([
      { callId: 'call_0', name: 'add', content: [{ text: '{"n":1}' }] },
      { callId: 'call_1', name: 'add', content: [{ text: '{"n":2}' }] },
    ]);
  });

  test('reads ids, errors, plain outputs and images', () => {
    const image = { inlineData: { mimeType: 'image/png', data: 'iVBO' } };
    const { messages } = decode({
      contents: [
        { role: 'model', parts: [{ functionCall: { id: 'x', name: 'f' } }] },
        {
          parts: [
            { functionResponse: { id: 'x', name: 'f', response: { error: 'no' } } },
            { functionResponse: { id: 'y', name: 'g', response: { output: 'yes' }, parts: [image] } },
          ],
        },
      ],
    });

    expect(messages[0]?.parts).toEqual([{ type: 'tool-call', id: 'x', name: 'f', arguments: '{}' }]);
    expect(messages[1]?.parts).toEqual([
      { type: 'tool-result', callId: 'x', name: 'f', isError: true, content: [{ type: 'text', text: 'no' }] },
      {
        type: 'tool-result',
        callId: 'y',
        name: 'g',
        content: [
          { type: 'text', text: 'yes' },
          { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'iVBO' } },
        ],
      },
    ]);
  });
});

test('reads images, audio and files', () => {
  const { messages, extensions } = decode({
    contents: [
      {
        parts: [
          { inline_data: { mime_type: 'image/png', data: 'iVBO' } },
          { inlineData: { mimeType: 'audio/x-wav', data: 'UklG' } },
          { inlineData: { mimeType: 'application/pdf', data: 'JVBE' } },
          { fileData: { fileUri: 'https://a.example/b.pdf', mimeType: 'application/pdf' } },
        ],
      },
    ],
  });

  expect(messages[0]?.parts).toEqual([
    { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'iVBO' } },
    { type: 'audio', format: 'wav', data: 'UklG' },
    { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'JVBE' } },
    { type: 'file', source: { kind: 'url', url: 'https://a.example/b.pdf' } },
  ]);
  expect(extensions.gemini).toEqual({});
});

describe('reasoning', () => {
  test.each([
    [
      { thinkingBudget: 512, includeThoughts: true },
      { budgetTokens: 512, summary: 'auto' },
    ],
    [{ thinkingBudget: 0 }, { effort: 'none' }],
    [{ thinkingBudget: -1 }, {}],
    [{ thinkingLevel: 'HIGH' }, { effort: 'high' }],
  ])('reads %j', (thinkingConfig, reasoning) => {
    expect(decode({ contents: hello, generationConfig: { thinkingConfig } }).reasoning).toEqual(reasoning);
  });

  test('joins the pieces of a streamed turn and finds the signatures of any vendor', () => {
    const { messages } = decode({
      contents: [
        ...hello,
        { role: 'model', parts: [{ text: 'I ', thought: true }] },
        {
          role: 'model',
          parts: [{ text: 'think', thought: true, thoughtSignature: wrapSecrets({ signature: 'a+b/c' }) as string }],
        },
        { role: 'model', parts: [{ text: 'so' }] },
        {
          role: 'model',
          parts: [
            { text: '', thoughtSignature: 'R29vZ2xl' },
            { functionCall: { name: 'f' }, thoughtSignature: 'Q2FsbA' },
          ],
        },
      ],
    });

    expect(messages[1]?.parts).toEqual([
      { type: 'reasoning', text: 'I think', signature: 'a+b/c' },
      { type: 'text', text: 'so' },
      { type: 'reasoning', text: '', signature: 'R29vZ2xl' },
      { type: 'tool-call', id: 'call_0', name: 'f', arguments: '{}', signature: 'Q2FsbA' },
    ]);
  });
});

test('gives other models code that ran at Google as text, and keeps the contents as they were', () => {
  const contents = [
    {
      role: 'model',
      parts: [
        { executableCode: { language: 'PYTHON', code: 'print(1)' } },
        { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
      ],
    },
  ];

  const { messages, extensions } = decode({ contents });

  expect(messages[0]?.parts).toEqual([{ type: 'text', text: '\n```python\nprint(1)\n```\n\n```\n1\n```\n' }]);
  expect(extensions.gemini).toEqual({ contents });
});

test.each([
  [{ responseMimeType: 'application/json' }, { type: 'json' }],
  [{ responseMimeType: 'text/plain' }, { type: 'text' }],
  [
    { responseMimeType: 'application/json', responseSchema: { type: 'OBJECT', propertyOrdering: ['a'] } },
    { type: 'json-schema', name: 'response', schema: { type: 'object' } },
  ],
  [
    { response_mime_type: 'application/json', response_json_schema: { type: 'object', $defs: {} } },
    { type: 'json-schema', name: 'response', schema: { type: 'object', $defs: {} } },
  ],
])('json-schema: reads %j', (generationConfig, format) => {
  expect(decode({ contents: hello, generationConfig }).responseFormat).toEqual(format);
});
