import { anthropicMessagesVendor } from '../../../lambda/dialects/anthropic-messages/anthropic-messages.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import type { Usage } from '../../../lambda/dialects/usage.ts';
import { type DialectFixture, sseEvent, streamedPieces, type WireAnswer } from './dialect-fixture.ts';
import { placeSchema } from './scenarios.ts';

const model = 'claude-sonnet-4-5-20250929';
const stopReasons = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
} as const;

function inputUsage({ inputTokens, cacheReadInputTokens }: Usage): JsonObject {
  return {
    input_tokens: inputTokens - cacheReadInputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cacheReadInputTokens,
    service_tier: 'standard',
  };
}

function outputUsage({ outputTokens, reasoningOutputTokens }: Usage): JsonObject {
  return { output_tokens: outputTokens, output_tokens_details: { thinking_tokens: reasoningOutputTokens } };
}

function body({ reasoning, text, calls, finish, usage }: WireAnswer): JsonObject {
  const thought = { type: 'thinking', thinking: reasoning?.pieces.join(''), signature: reasoning?.signature };
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: [
      ...(reasoning ? [thought] : []),
      ...(text.length > 0 ? [{ type: 'text', text: text.join('') }] : []),
      ...calls.map(({ id, name, arguments: written }) => ({
        type: 'tool_use',
        id,
        name,
        input: JSON.parse(written ?? '{}') as JsonObject,
      })),
    ],
    stop_reason: stopReasons[finish],
    stop_sequence: null,
    usage: { ...inputUsage(usage), ...outputUsage(usage) },
  };
}

function event(type: string, fields: JsonObject): Uint8Array {
  return sseEvent({ type, ...fields }, type);
}

function block(index: number, start: JsonObject, deltas: readonly JsonObject[]): Uint8Array[] {
  return [
    event('content_block_start', { index, content_block: start }),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ];
}

function blocksOf({ reasoning, text, calls }: WireAnswer): [JsonObject, JsonObject[]][] {
  const thoughts: JsonObject[] = [
    ...(reasoning?.pieces ?? []).map((thinking) => ({ type: 'thinking_delta', thinking })),
    { type: 'signature_delta', signature: reasoning?.signature },
  ];
  const said: JsonObject[] = text.map((piece) => ({ type: 'text_delta', text: piece }));
  return [
    ...(reasoning ? [[{ type: 'thinking', thinking: '', signature: '' }, thoughts] as [JsonObject, JsonObject[]]] : []),
    ...(text.length > 0 ? [[{ type: 'text', text: '' }, said] as [JsonObject, JsonObject[]]] : []),
    ...calls.map(({ id, name, arguments: written }): [JsonObject, JsonObject[]] => [
      { type: 'tool_use', id, name, input: {} },
      ['', ...streamedPieces(written ?? '')].map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
    ]),
  ];
}

function stream(answer: WireAnswer): Uint8Array[] {
  const { finish, usage } = answer;
  const begun = { ...inputUsage(usage), output_tokens: 1 };
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    usage: begun,
  };
  return [
    event('message_start', { message }),
    ...blocksOf(answer).flatMap(([start, deltas], index) => block(index, start, deltas)),
    event('message_delta', {
      delta: { stop_reason: stopReasons[finish], stop_sequence: null },
      usage: outputUsage(usage),
    }),
    event('message_stop', {}),
  ];
}

function errorText(type: string, message: string): string {
  return JSON.stringify({ type: 'error', error: { type, message }, request_id: null });
}

/** Anthropic's Messages API. */
export const anthropicMessagesFixture: DialectFixture = {
  dialect: anthropicMessagesVendor,
  target: { model },
  lacks: [],
  body,
  stream,
  noise: [event('ping', {}), event('something_new', { delta: { text: 'Hi' } })],
  failure: (message) => event('error', { error: { type: 'overloaded_error', message }, request_id: null }),
  errors: [
    {
      name: 'a wrong key',
      status: 401,
      text: errorText('authentication_error', 'invalid key'),
      message: 'invalid key',
    },
    { name: 'an overload', status: 529, text: errorText('overloaded_error', 'Overloaded'), message: 'Overloaded' },
  ],
  requests: {
    tools: {
      body: {
        tools: [{ name: 'weather', description: 'Tells the weather', input_schema: placeSchema }],
        tool_choice: { type: 'tool', name: 'weather' },
      },
    },
    toolResult: {
      body: {
        messages: [
          { role: 'user', content: 'Weather in Paris?' },
          {
            role: 'assistant',
            content: [{ type: 'tool_use', id: 'call_paris', name: 'weather', input: { city: 'Paris' } }],
          },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_paris', content: '18 °C' }] },
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
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
            ],
          },
        ],
      },
    },
    jsonSchema: { body: { output_config: { format: { type: 'json_schema', schema: placeSchema } } } },
  },
};
