import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { openAiChatVendor } from '../../../lambda/dialects/openai-chat/openai-chat.ts';
import type { Usage } from '../../../lambda/dialects/usage.ts';
import { type DialectFixture, sseEvent, streamedPieces, type WireAnswer } from './dialect-fixture.ts';
import { openAiTool, placeSchema } from './scenarios.ts';

function usageOf({ inputTokens, outputTokens, cacheReadInputTokens, reasoningOutputTokens }: Usage): JsonObject {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cacheReadInputTokens, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoningOutputTokens, audio_tokens: 0 },
  };
}

const frame = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'gpt-4o-2024-08-06', system_fingerprint: 'fp_1' };

/** Reasoning as OpenRouter sends it, the one vendor of this dialect that passes on signatures. */
function reasoningFields(text: string, signature?: string): JsonObject {
  const detail = { type: 'reasoning.text', text, format: 'anthropic-claude-v1', index: 0 };
  return {
    reasoning: text,
    reasoning_details: [signature === undefined ? detail : { ...detail, signature }],
  };
}

function body({ reasoning, text, calls, finish, usage }: WireAnswer): JsonObject {
  const thoughts = reasoning ? reasoningFields(reasoning.pieces.join(''), reasoning.signature) : {};
  const toolCalls = calls.map(({ id, name, arguments: written }) => ({
    id,
    type: 'function',
    function: { name, arguments: written ?? '{}' },
  }));
  const message = {
    role: 'assistant',
    content: text.length > 0 ? text.join('') : null,
    refusal: null,
    ...thoughts,
    ...(calls.length > 0 ? { tool_calls: toolCalls } : {}),
  };
  return {
    ...frame,
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    usage: usageOf(usage),
  };
}

function chunk(delta: JsonObject, finish: string | null = null): Uint8Array {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return sseEvent({ ...frame, object: 'chat.completion.chunk', choices, usage: null });
}

function stream({ reasoning, text, calls, finish, usage }: WireAnswer): Uint8Array[] {
  return [
    chunk({ role: 'assistant', content: '', refusal: null }),
    ...(reasoning?.pieces ?? []).map((piece) => chunk(reasoningFields(piece))),
    ...(reasoning ? [chunk(reasoningFields('', reasoning.signature))] : []),
    ...text.map((content) => chunk({ content })),
    ...calls.flatMap(({ id, name, arguments: written }, index) => [
      chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
      ...streamedPieces(written ?? '{}').map((piece) =>
        chunk({ tool_calls: [{ index, function: { arguments: piece } }] }),
      ),
    ]),
    chunk({}, finish),
    sseEvent({ ...frame, object: 'chat.completion.chunk', choices: [], usage: usageOf(usage) }),
    Buffer.from('data: [DONE]\n\n'),
  ];
}

/** OpenAI's chat protocol. */
export const openAiChatFixture: DialectFixture = {
  dialect: openAiChatVendor,
  target: { model: 'gpt-4o', thoughtsField: 'reasoning_details' },
  lacks: [],
  body,
  stream,
  noise: [Buffer.from(': OPENROUTER PROCESSING\n\n'), sseEvent({ id: '', model: '', choices: [], usage: null })],
  failure: (message) => sseEvent({ error: { message, type: 'server_error', param: null, code: null } }),
  errors: [
    {
      name: 'a wrong key',
      status: 401,
      text: '{"error":{"message":"Incorrect API key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}',
      message: 'Incorrect API key',
      code: 'invalid_api_key',
    },
    {
      name: 'too long a prompt',
      status: 400,
      text: '{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}',
      message: 'too long',
      code: 'context_length_exceeded',
    },
  ],
  requests: {
    tools: { body: { tools: [openAiTool], tool_choice: { type: 'function', function: { name: 'weather' } } } },
    toolResult: {
      body: {
        messages: [
          { role: 'user', content: 'Weather in Paris?' },
          {
            role: 'assistant',
            tool_calls: [
              { id: 'call_paris', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
            ],
          },
          { role: 'tool', tool_call_id: 'call_paris', content: '18 °C' },
        ],
      },
    },
    image: {
      body: {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is this?' },
              { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
            ],
          },
        ],
      },
    },
    jsonSchema: {
      body: {
        response_format: { type: 'json_schema', json_schema: { name: 'place', schema: placeSchema, strict: true } },
      },
    },
  },
};
