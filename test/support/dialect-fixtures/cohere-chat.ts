import { cohereChatVendor } from '../../../lambda/dialects/cohere-chat/cohere-chat.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import type { Usage } from '../../../lambda/dialects/usage.ts';
import { type DialectFixture, sseEvent, streamedPieces, type WireAnswer } from './dialect-fixture.ts';
import { openAiTool, placeSchema } from './scenarios.ts';

const finishReasons = {
  stop: 'COMPLETE',
  length: 'MAX_TOKENS',
  tool_calls: 'TOOL_CALL',
  content_filter: 'ERROR_TOXIC',
} as const;

function usageOf({ inputTokens, outputTokens, cacheReadInputTokens, reasoningOutputTokens }: Usage): JsonObject {
  return {
    billed_units: { input_tokens: 3, output_tokens: 2 },
    tokens: { input_tokens: inputTokens, output_tokens: outputTokens, reasoning_tokens: reasoningOutputTokens },
    cached_tokens: cacheReadInputTokens,
  };
}

function body({ reasoning, text, calls, finish, usage }: WireAnswer): JsonObject {
  const thoughts = reasoning ? [{ type: 'thinking', thinking: reasoning.pieces.join('') }] : [];
  const said = text.join('');
  const content = calls.length === 0 ? [...thoughts, { type: 'text', text: said }] : thoughts;
  const toolCalls = calls.map(({ id, name, arguments: written }) => ({
    id,
    type: 'function',
    function: { name, arguments: written ?? '' },
  }));
  return {
    id: 'c1',
    message: {
      role: 'assistant',
      ...(content.length > 0 ? { content } : {}),
      ...(calls.length > 0 ? { tool_calls: toolCalls, tool_plan: said } : {}),
    },
    finish_reason: finishReasons[finish],
    usage: usageOf(usage),
  };
}

function event(type: string, index: number | undefined, message: JsonObject | undefined): Uint8Array {
  const delta = message ? { delta: { message } } : {};
  return sseEvent({ type, ...(index === undefined ? {} : { index }), ...delta }, type);
}

function block(index: number, type: 'thinking' | 'text', pieces: readonly string[]): Uint8Array[] {
  return [
    event('content-start', index, { content: { type, [type]: '' } }),
    ...pieces.map((piece) => event('content-delta', index, { content: { [type]: piece } })),
    event('content-end', index, undefined),
  ];
}

function stream({ reasoning, text, calls, finish, usage }: WireAnswer): Uint8Array[] {
  const empty = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] };
  const said =
    calls.length > 0
      ? text.map((piece) => event('tool-plan-delta', undefined, { tool_plan: piece }))
      : block(reasoning ? 1 : 0, 'text', text);
  return [
    sseEvent({ id: 'c1', type: 'message-start', delta: { message: empty } }, 'message-start'),
    ...(reasoning ? block(0, 'thinking', reasoning.pieces) : []),
    ...said,
    ...calls.flatMap(({ id, name, arguments: written }, index) => [
      event('tool-call-start', index, { tool_calls: { id, type: 'function', function: { name, arguments: '' } } }),
      ...streamedPieces(written ?? '').map((piece) =>
        event('tool-call-delta', index, { tool_calls: { function: { arguments: piece } } }),
      ),
      event('tool-call-end', index, undefined),
    ]),
    sseEvent(
      { type: 'message-end', delta: { finish_reason: finishReasons[finish], usage: usageOf(usage) } },
      'message-end',
    ),
    Buffer.from('data: [DONE]\n\n'),
  ];
}

/** Cohere's own chat protocol. */
export const cohereChatFixture: DialectFixture = {
  dialect: cohereChatVendor,
  target: { model: 'command-a-reasoning-08-2025' },
  lacks: ['signatures'],
  body,
  stream,
  noise: [Buffer.from(': ping\n\n'), sseEvent({ type: 'debug', prompt: 'Hi' }, 'debug')],
  failure: (message) => sseEvent({ type: 'message-end', delta: { finish_reason: 'ERROR', error: message } }),
  errors: [
    {
      name: 'a wrong key',
      status: 401,
      text: '{"id":"e1","message":"invalid api token"}',
      message: 'invalid api token',
    },
    { name: 'a rate limit', status: 429, text: '{"id":"e1","message":"slow down"}', message: 'slow down' },
    {
      name: 'too long a prompt',
      status: 400,
      text: '{"error_type":"TOO_MANY_TOKENS","id":"e1","message":"too many tokens"}',
      message: 'too many tokens',
      code: 'context_length_exceeded',
    },
  ],
  requests: {
    tools: { body: { tools: [openAiTool], tool_choice: 'REQUIRED' } },
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
    jsonSchema: { body: { response_format: { type: 'json_object', json_schema: placeSchema } } },
  },
};
