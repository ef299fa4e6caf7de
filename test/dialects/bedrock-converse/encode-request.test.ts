import { describe, expect, test } from '@jest/globals';
import { bedrockConverseVendor } from '../../../lambda/dialects/bedrock-converse/bedrock-converse.ts';
import type { ChatRequest, Part } from '../../../lambda/dialects/chat-request.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { aChatRequest } from '../../support/chat-requests.ts';

/** A request with these parts in the caller's message. */
function askedWith(...parts: Part[]): ChatRequest {
  return aChatRequest({ messages: [{ role: 'user', parts }] });
}

const claude = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const nova = 'us.amazon.nova-2-lite-v1:0';
const llama = 'meta.llama3-8b-instruct-v1:0';

function encode(request: ChatRequest, model = claude): { body: JsonObject; unsupported: readonly string[] } {
  return bedrockConverseVendor.encodeRequest(request, { model });
}

/** The blocks of the only message. */
function blocks(request: ChatRequest, model = claude): unknown {
  const messages = encode(request, model).body['messages'] as JsonObject[];
  expect(messages).toHaveLength(1);
  return messages[0]?.['content'];
}

describe('the body', () => {
  test('of a plain question is its message alone', () => {
    expect(encode(aChatRequest())).toEqual({
      body: { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] },
      unsupported: [],
    });
  });

  test('holds the instructions of all system and developer messages in their order', () => {
    const { body } = encode(
      aChatRequest({
        messages: [
          { role: 'system', parts: [{ type: 'text', text: 'Be brief.', cache: { ttl: '1h' } }] },
          { role: 'user', parts: [{ type: 'text', text: 'Hi' }] },
          { role: 'developer', parts: [{ type: 'text', text: 'Be kind.' }] },
        ],
      }),
    );

    expect(body).toEqual({
      system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default', ttl: '1h' } }, { text: 'Be kind.' }],
      messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
    });
  });

  test('joins messages of the same role, since turns must alternate, and leaves out what is blank', () => {
    const { body } = encode(
      aChatRequest({
        messages: [
          { role: 'user', parts: [{ type: 'text', text: 'One' }] },
          { role: 'assistant', parts: [{ type: 'text', text: ' \n' }] },
          {
            role: 'user',
            parts: [
              { type: 'text', text: 'Two' },
              { type: 'text', text: '' },
            ],
          },
        ],
      }),
    );

    expect(body).toEqual({ messages: [{ role: 'user', content: [{ text: 'One' }, { text: 'Two' }] }] });
  });

  test('has sampling, limits and stop sequences in inferenceConfig', () => {
    const request = aChatRequest({ sampling: { temperature: 0, topP: 0.5 }, maxOutputTokens: 7, stop: ['END'] });

    expect(encode(request, llama).body['inferenceConfig']).toEqual({
      maxTokens: 7,
      temperature: 0,
      topP: 0.5,
      stopSequences: ['END'],
    });
  });

  test('asks Claude which stop sequence it met', () => {
    const paths = ['/stop_sequence', '/delta/stop_sequence'];

    expect(encode(aChatRequest({ stop: ['END'] })).body['additionalModelResponseFieldPaths']).toEqual(paths);
    expect(encode(aChatRequest({ stop: ['END'] }), llama).body).not.toHaveProperty('additionalModelResponseFieldPaths');
  });

  test('keeps user and metadata for the invocation log, as far as it takes them', () => {
    const request = aChatRequest({ user: 'u-1', metadata: { team: 'checkout', mail: 'ä' } });

    const { body, unsupported } = encode(request);

    expect(body['requestMetadata']).toEqual({ user: 'u-1', team: 'checkout' });
    expect(unsupported).toEqual(['metadata']);
  });

  test('has the service tier, and none for "auto"', () => {
    expect(encode(aChatRequest({ serviceTier: 'flex' })).body['serviceTier']).toEqual({ type: 'flex' });
    expect(encode(aChatRequest({ serviceTier: 'auto' })).body).not.toHaveProperty('serviceTier');
    expect(encode(aChatRequest({ serviceTier: 'scale' })).unsupported).toEqual(['service_tier']);
  });

  test('takes fields of Converse out of any dialect, and joins those of its own', () => {
    const { body, unsupported } = encode(
      aChatRequest({
        sampling: { topK: 5 },
        extensions: {
          'openai-chat': { guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1' }, logit_bias: { 1: 2 } },
          'bedrock-converse': { additionalModelRequestFields: { anthropic_beta: ['x'] }, newField: 1 },
          'anthropic-messages': { context_management: { edits: [] } },
        },
      }),
    );

    expect(body).toMatchObject({
      guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1' },
      additionalModelRequestFields: { top_k: 5, anthropic_beta: ['x'], context_management: { edits: [] } },
      newField: 1,
    });
    expect(unsupported).toEqual(['logit_bias']);
  });
});

describe('what has no place', () => {
  test.each<[string, Partial<ChatRequest>, string]>([
    ['several choices', { choices: 2 }, 'n'],
    ['log probabilities', { topLogprobs: 0 }, 'logprobs'],
    ['a cache key', { promptCacheKey: 'k' }, 'prompt_cache_key'],
    ['JSON without a schema', { responseFormat: { type: 'json' } }, 'response_format'],
    ['a seed', { sampling: { seed: 0 } }, 'seed'],
    ['a frequency penalty', { sampling: { frequencyPenalty: 0.1 } }, 'frequency_penalty'],
    ['a presence penalty', { sampling: { presencePenalty: 0.1 } }, 'presence_penalty'],
    ['top k', { sampling: { topK: 3 } }, 'top_k'],
    ['reasoning', { reasoning: { effort: 'high' } }, 'reasoning_effort'],
    ['names of speakers', { messages: [{ role: 'user', name: 'Ann', parts: [{ type: 'text', text: 'Hi' }] }] }, 'name'],
    ['hosted tools', { extensions: { 'openai-chat': { tools: [{ type: 'web_search' }] } } }, 'tools'],
  ])('%s is named as OpenAI does', (_, fields, name) => {
    expect(encode(aChatRequest(fields), llama).unsupported).toEqual([name]);
  });

  test('a penalty of 0 asks for nothing', () => {
    expect(encode(aChatRequest({ sampling: { presencePenalty: 0, frequencyPenalty: 0 } })).unsupported).toEqual([]);
  });
});

describe('sampling that only a model knows', () => {
  test.each<[string, JsonObject]>([
    [claude, { top_k: 9 }],
    [nova, { inferenceConfig: { topK: 9 } }],
    ['cohere.command-r-plus-v1:0', { k: 9 }],
    ['mistral.mistral-small-2402-v1:0', { top_k: 9 }],
  ])('goes to %s in its own words', (model, fields) => {
    expect(encode(aChatRequest({ sampling: { topK: 9 } }), model).body['additionalModelRequestFields']).toEqual(fields);
  });

  test('is not given to Claude twice: temperature and top_p exclude each other', () => {
    const config = (sampling: ChatRequest['sampling']) => encode(aChatRequest({ sampling })).body['inferenceConfig'];

    expect(config({ temperature: 0.3, topP: 1 })).toEqual({ temperature: 0.3 });
    expect(config({ temperature: 1, topP: 0.3 })).toEqual({ topP: 0.3 });
    expect(encode(aChatRequest({ sampling: { temperature: 0.3, topP: 0.3 } })).unsupported).toEqual(['top_p']);
  });

  test('is left out where Claude no longer takes any', () => {
    const request = aChatRequest({ sampling: { temperature: 0, topP: 1, topK: 4 }, maxOutputTokens: 9 });

    expect(encode(request, 'us.anthropic.claude-opus-4-8')).toMatchObject({
      body: { inferenceConfig: { maxTokens: 9 } },
      unsupported: ['temperature', 'top_k'],
    });
  });
});

describe('images and files', () => {
  test('become blocks with their format and bytes', () => {
    const request = askedWith(
      { type: 'image', source: { kind: 'base64', mediaType: 'image/jpg', data: 'AA==' }, cache: {} },
      { type: 'file', name: 'Q3 report (final)_v2.pdf', source: base64('application/pdf') },
      { type: 'file', name: 'Q3 report (final)_v2.pdf', source: base64('application/pdf') },
      { type: 'file', name: 'a.csv', source: base64('application/octet-stream') },
      { type: 'file', source: base64('text/plain; charset=utf-8') },
      { type: 'file', source: base64('video/quicktime') },
      { type: 'file', source: base64('image/webp') },
      { type: 'audio', format: 'wav', data: 'AA==' },
    );

    expect(blocks(request)).toEqual([
      { image: { format: 'jpeg', source: { bytes: 'AA==' } } },
      { cachePoint: { type: 'default' } },
      { document: { format: 'pdf', name: 'Q3 report (final)-v2', source: { bytes: 'AA==' } } },
      { document: { format: 'pdf', name: 'Q3 report (final)-v2 2', source: { bytes: 'AA==' } } },
      { document: { format: 'csv', name: 'a', source: { bytes: 'AA==' } } },
      { document: { format: 'txt', name: 'document', source: { bytes: 'AA==' } } },
      { video: { format: 'mov', source: { bytes: 'AA==' } } },
      { image: { format: 'webp', source: { bytes: 'AA==' } } },
      { audio: { format: 'wav', source: { bytes: 'AA==' } } },
    ]);
  });

  test('are fetched from S3', () => {
    const request = askedWith(
      { type: 'image', source: { kind: 'url', url: 's3://bucket/a.b/kiwi.JPG' } },
      { type: 'file', source: { kind: 'url', url: 's3://bucket/clip.mp4' } },
    );

    expect(blocks(request)).toEqual([
      { image: { format: 'jpeg', source: { s3Location: { uri: 's3://bucket/a.b/kiwi.JPG' } } } },
      { video: { format: 'mp4', source: { s3Location: { uri: 's3://bucket/clip.mp4' } } } },
    ]);
  });

  test('are named when Bedrock cannot take them', () => {
    const { unsupported } = encode(
      askedWith(
        { type: 'image', source: { kind: 'url', url: 'https://example.com/kiwi.png' } },
        { type: 'file', source: { kind: 'id', id: 'file-1' } },
        { type: 'audio', format: 'midi', data: 'AA==' },
      ),
    );

    expect(unsupported).toEqual(['image_url', 'file', 'input_audio']);
  });
});

function base64(mediaType: string) {
  return { kind: 'base64' as const, mediaType, data: 'AA==' };
}

const weather = { name: 'weather', description: 'Tells it', parameters: { type: 'object' } };
const weatherSpec = { name: 'weather', description: 'Tells it', inputSchema: { json: { type: 'object' } } };

describe('tools', () => {
  test('are declared with their schema, strictness and cache hint', () => {
    const request = aChatRequest({
      tools: [weather, { name: 'now', strict: true, cache: {} }],
      toolChoice: { type: 'auto' },
    });

    expect(encode(request).body['toolConfig']).toEqual({
      tools: [
        { toolSpec: weatherSpec },
        { toolSpec: { name: 'now', inputSchema: { json: { type: 'object', properties: {} } }, strict: true } },
        { cachePoint: { type: 'default' } },
      ],
      toolChoice: { auto: {} },
    });
  });

  test.each<[string, ChatRequest['toolChoice'], JsonObject]>([
    ['any', { type: 'required' }, { any: {} }],
    ['one', { type: 'tool', name: 'weather' }, { tool: { name: 'weather' } }],
  ])('can be forced: %s', (_, toolChoice, expected) => {
    expect(encode(aChatRequest({ tools: [weather], toolChoice })).body['toolConfig']).toMatchObject({
      toolChoice: expected,
    });
  });

  test('are left out when none may be called', () => {
    const request = aChatRequest({ tools: [weather], toolChoice: { type: 'none' } });

    expect(encode(request)).toEqual({ body: expect.not.objectContaining({ toolConfig: {} }), unsupported: [] });
    expect(encode(request).body).not.toHaveProperty('toolConfig');
  });

  test('are called one at a time where Claude is told so', () => {
    const request = aChatRequest({ tools: [weather], toolChoice: { type: 'required' }, parallelToolCalls: false });

    expect(encode(request).body).toMatchObject({
      toolConfig: { tools: [{ toolSpec: weatherSpec }] },
      additionalModelRequestFields: { tool_choice: { type: 'any', disable_parallel_tool_use: true } },
    });
    expect(encode(request).body['toolConfig']).not.toHaveProperty('toolChoice');
    expect(encode(request, llama)).toMatchObject({
      body: { toolConfig: { toolChoice: { any: {} } } },
      unsupported: ['parallel_tool_calls'],
    });
  });

  test('of Bedrock itself pass unchanged', () => {
    const tools = [{ systemTool: { name: 'nova_code_interpreter' } }];
    const request = aChatRequest({ tools: [weather], extensions: { 'openai-chat': { tools } } });

    expect(encode(request, nova)).toMatchObject({
      body: { toolConfig: { tools: [{ toolSpec: weatherSpec }, ...tools] } },
      unsupported: [],
    });
  });

  const conversation: ChatRequest['messages'] = [
    { role: 'user', parts: [{ type: 'text', text: 'Weather?' }] },
    {
      role: 'assistant',
      parts: [
        { type: 'text', text: 'Let me see.' },
        { type: 'tool-call', id: 'call_1', name: 'weather', arguments: '{"city":"Bern"}' },
        { type: 'tool-call', id: 'call|2', name: 'now', arguments: '' },
      ],
    },
    {
      role: 'user',
      parts: [
        {
          type: 'tool-result',
          callId: 'call_1',
          content: [
            { type: 'text', text: 'Sun' },
            { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AA==' } },
          ],
          cache: {},
        },
        { type: 'tool-result', callId: 'call|2', content: [], isError: true },
      ],
    },
    { role: 'user', parts: [{ type: 'text', text: 'And?' }] },
  ];

  test('have calls and results in the turns they belong to', () => {
    const { body } = encode(aChatRequest({ messages: conversation, tools: [weather] }));

    expect(body['messages']).toEqual([
      { role: 'user', content: [{ text: 'Weather?' }] },
      {
        role: 'assistant',
        content: [
          { text: 'Let me see.' },
          { toolUse: { toolUseId: 'call_1', name: 'weather', input: { city: 'Bern' } } },
          { toolUse: { toolUseId: 'call_2', name: 'now', input: {} } },
        ],
      },
      {
        role: 'user',
        content: [
          {
            toolResult: {
              toolUseId: 'call_1',
              content: [{ text: 'Sun' }, { image: { format: 'png', source: { bytes: 'AA==' } } }],
            },
          },
          { cachePoint: { type: 'default' } },
          { toolResult: { toolUseId: 'call_2', content: [{ json: {} }], status: 'error' } },
          { text: 'And?' },
        ],
      },
    ]);
  });

  test('of which the arguments are no object are named', () => {
    const parts = [{ type: 'tool-call' as const, id: 'a', name: 'now', arguments: '{"cut' }];
    const request = aChatRequest({ messages: [{ role: 'assistant', parts }] });

    expect(encode(request)).toMatchObject({
      body: { messages: [{ content: [{ toolUse: { input: {} } }] }] },
      unsupported: ['tool_calls.function.arguments'],
    });
  });

  test('that were called stay declared for a caller who offers none any more', () => {
    expect(encode(aChatRequest({ messages: conversation })).body['toolConfig']).toEqual({
      tools: [
        { toolSpec: { name: 'weather', inputSchema: { json: { type: 'object' } } } },
        { toolSpec: { name: 'now', inputSchema: { json: { type: 'object' } } } },
      ],
    });
  });

  test('cannot be forbidden once they were called', () => {
    const request = aChatRequest({ messages: conversation, tools: [weather], toolChoice: { type: 'none' } });

    expect(encode(request).unsupported).toEqual(['tool_choice']);
  });
});

describe('JSON Schema', () => {
  test('is named where the model does not take one', () => {
    const responseFormat = { type: 'json-schema' as const, name: 'City', schema: { type: 'object' } };

    expect(encode(aChatRequest({ responseFormat }), llama).unsupported).toEqual(['response_format']);
    expect(encode(aChatRequest({ responseFormat }), 'anthropic.claude-3-haiku-20240307-v1:0').unsupported).toEqual([
      'response_format',
    ]);
    expect(encode(aChatRequest({ responseFormat }), 'google.gemma-3-27b-it').unsupported).toEqual([]);
  });

  test('is sent as text in outputConfig', () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } }, additionalProperties: false };
    const responseFormat = { type: 'json-schema' as const, name: 'City', schema, strict: true, description: 'A city' };

    expect(encode(aChatRequest({ responseFormat })).body['outputConfig']).toEqual({
      textFormat: {
        type: 'json_schema',
        structure: { jsonSchema: { name: 'City', description: 'A city', schema: JSON.stringify(schema) } },
      },
    });
  });
});

describe('reasoning', () => {
  const fields = (model: string, request: Partial<ChatRequest>) =>
    encode(aChatRequest(request), model).body['additionalModelRequestFields'];

  test.each<[string, Partial<ChatRequest>, JsonObject]>([
    [claude, { reasoning: { budgetTokens: 3000 } }, { thinking: { type: 'enabled', budget_tokens: 3000 } }],
    [
      claude,
      { reasoning: { effort: 'high' }, maxOutputTokens: 10_000 },
      { thinking: { type: 'enabled', budget_tokens: 8000 } },
    ],
    [
      'global.anthropic.claude-opus-5',
      { reasoning: { effort: 'xhigh', summary: 'auto' } },
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'xhigh' } },
    ],
    ['anthropic.claude-opus-5', { reasoning: { effort: 'none' } }, { thinking: { type: 'disabled' } }],
    [nova, { reasoning: { effort: 'low' } }, { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' } }],
    [
      nova,
      { reasoning: { budgetTokens: 4096 } },
      { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'medium' } },
    ],
    [nova, { reasoning: { effort: 'none' } }, { reasoningConfig: { type: 'disabled' } }],
    ['openai.gpt-oss-120b-1:0', { reasoning: { effort: 'minimal' } }, { reasoning_effort: 'low' }],
  ])('of %s with %j', (model, request, expected) => {
    expect(fields(model, request)).toEqual(expected);
  });

  test('has a limit above its budget', () => {
    const { body } = encode(aChatRequest({ reasoning: { effort: 'medium' } }));

    const fields = body['additionalModelRequestFields'] as { thinking: { budget_tokens: number } };
    const config = body['inferenceConfig'] as { maxTokens: number };
    expect(config.maxTokens).toBeGreaterThan(fields.thinking.budget_tokens);
  });

  test.each<[string, Partial<ChatRequest>]>([
    ['anthropic.claude-3-5-sonnet-20241022-v2:0', { reasoning: { effort: 'low' } }],
    [claude, { reasoning: { effort: 'low' }, maxOutputTokens: 500 }],
    ['amazon.nova-micro-v1:0', { reasoning: { effort: 'low' } }],
    ['openai.gpt-oss-120b-1:0', { reasoning: { effort: 'none' } }],
  ])('is not to be had of %s with %j', (model, request) => {
    expect(encode(aChatRequest(request), model).unsupported).toEqual(['reasoning_effort']);
    expect(fields(model, request)).toBeUndefined();
  });

  test('of high effort leaves Nova no limit and no sampling', () => {
    const request = aChatRequest({
      reasoning: { effort: 'high' },
      maxOutputTokens: 100,
      sampling: { temperature: 0.2, topP: 0.9 },
    });

    const { body, unsupported } = encode(request, nova);

    expect(body).not.toHaveProperty('inferenceConfig');
    expect(unsupported).toEqual(['temperature', 'top_p', 'max_completion_tokens']);
  });

  test('of none asks nothing of a model that does not reason', () => {
    expect(encode(aChatRequest({ reasoning: { effort: 'none' } }), llama)).toMatchObject({ unsupported: [] });
  });

  test('leaves out the sampling that a thinking model refuses, and says so', () => {
    const request = aChatRequest({ reasoning: { effort: 'high' }, sampling: { temperature: 0.5, topK: 3 } });

    const { body, unsupported } = encode(request);

    expect(body['inferenceConfig']).toEqual({ maxTokens: expect.any(Number) });
    expect(body['additionalModelRequestFields']).not.toHaveProperty('top_k');
    expect(unsupported).toEqual(['temperature', 'top_k']);
  });

  const thoughts: ChatRequest = aChatRequest({
    messages: [
      { role: 'user', parts: [{ type: 'text', text: 'Hi' }] },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'Hm.', signature: 'c2ln' },
          { type: 'reasoning', text: '', redacted: 'EuwDdata+/=' },
          { type: 'reasoning', text: 'Unsigned.' },
          { type: 'text', text: 'Yes' },
        ],
      },
    ],
  });
  const unsigned = { reasoningContent: { reasoningText: { text: 'Unsigned.' } } };
  const signed = [
    { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'c2ln' } } },
    { reasoningContent: { redactedContent: Buffer.from('EuwDdata+/=').toString('base64') } },
  ];

  test.each<[string, unknown[]]>([
    [claude, [...signed, { text: 'Yes' }]],
    ['moonshot.kimi-k2-thinking', [...signed, unsigned, { text: 'Yes' }]],
    ['deepseek.r1-v1:0', [{ text: 'Yes' }]],
  ])('of an earlier turn returns to %s as far as it is taken', (model, content) => {
    const messages = encode(thoughts, model).body['messages'] as JsonObject[];

    expect(messages[1]).toEqual({ role: 'assistant', content });
  });
});

test('cache hints are named where no model has a cache for them', () => {
  const request = askedWith({ type: 'text', text: 'Hi', cache: {} });

  expect(encode(request, 'mistral.mistral-small-2402-v1:0')).toEqual({
    body: { messages: [{ role: 'user', content: [{ text: 'Hi' }] }] },
    unsupported: ['cache_control'],
  });
});
