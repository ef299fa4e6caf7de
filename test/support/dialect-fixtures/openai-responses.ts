import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { openAiResponsesVendor } from '../../../lambda/dialects/openai-responses/openai-responses.ts';
import type { Usage } from '../../../lambda/dialects/usage.ts';
import { type DialectFixture, sseEvent, streamedPieces, type WireAnswer, type WireCall } from './dialect-fixture.ts';
import { placeSchema } from './scenarios.ts';

function usageOf({ inputTokens, outputTokens, cacheReadInputTokens, reasoningOutputTokens }: Usage): JsonObject {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cacheReadInputTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningOutputTokens },
    total_tokens: inputTokens + outputTokens,
  };
}

function reasoningItem({ pieces, signature }: NonNullable<WireAnswer['reasoning']>): JsonObject {
  const summary = [{ type: 'summary_text', text: pieces.join('') }];
  return { id: 'rs_1', type: 'reasoning', summary, encrypted_content: signature };
}

function messageItem(text: readonly string[]): JsonObject {
  const part = { type: 'output_text', text: text.join(''), annotations: [], logprobs: [] };
  return { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content: [part] };
}

function callItem({ id, name, arguments: written = '{}' }: WireCall): JsonObject {
  return { id: `fc_${id}`, type: 'function_call', status: 'completed', call_id: id, name, arguments: written };
}

function outputOf({ reasoning, text, calls }: WireAnswer): JsonObject[] {
  return [
    ...(reasoning ? [reasoningItem(reasoning)] : []),
    ...(text.length > 0 ? [messageItem(text)] : []),
    ...calls.map(callItem),
  ];
}

function body(answer: WireAnswer): JsonObject {
  const why = { length: 'max_output_tokens', content_filter: 'content_filter' } as const;
  const reason = answer.finish === 'length' || answer.finish === 'content_filter' ? why[answer.finish] : undefined;
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_700_000_000,
    model: 'gpt-5-2025-08-07',
    status: reason ? 'incomplete' : 'completed',
    error: null,
    incomplete_details: reason ? { reason } : null,
    output: outputOf(answer),
    usage: usageOf(answer.usage),
  };
}

function event(type: string, fields: JsonObject): Uint8Array {
  return sseEvent({ type, sequence_number: 0, ...fields }, type);
}

/** The events of one item between its `added` and its `done`. */
function piecesOf(item: JsonObject, output_index: number, { reasoning, text, calls }: WireAnswer): Uint8Array[] {
  const at = { item_id: item['id'], output_index };
  if (item['type'] === 'reasoning') {
    return (reasoning?.pieces ?? []).map((delta) =>
      event('response.reasoning_summary_text.delta', { ...at, summary_index: 0, delta }),
    );
  }
  if (item['type'] === 'function_call') {
    const written = calls.find(({ id }) => id === item['call_id'])?.arguments ?? '{}';
    return [
      ...streamedPieces(written).map((delta) => event('response.function_call_arguments.delta', { ...at, delta })),
      event('response.function_call_arguments.done', { ...at, arguments: written }),
    ];
  }
  const [part] = item['content'] as JsonObject[];
  const place = { ...at, content_index: 0 };
  return [
    event('response.content_part.added', { ...place, part: { ...part, text: '' } }),
    ...text.map((delta) => event('response.output_text.delta', { ...place, delta, logprobs: [] })),
    event('response.output_text.done', { ...place, text: text.join('') }),
    event('response.content_part.done', { ...place, part }),
  ];
}

function stream(answer: WireAnswer): Uint8Array[] {
  const whole = body(answer);
  const begun = { ...whole, status: 'in_progress', incomplete_details: null, output: [], usage: null };
  const unsaid = { status: 'in_progress', arguments: '', content: [], summary: [] };
  const items = outputOf(answer).flatMap((item, output_index) => {
    const known = Object.entries(unsaid).filter(([name]) => name in item);
    return [
      event('response.output_item.added', { output_index, item: { ...item, ...Object.fromEntries(known) } }),
      ...piecesOf(item, output_index, answer),
      event('response.output_item.done', { output_index, item }),
    ];
  });
  return [
    event('response.created', { response: begun }),
    event('response.in_progress', { response: begun }),
    ...items,
    event(`response.${whole['status']}`, { response: whole }),
  ];
}

function errorText(message: string, code: string): string {
  return JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } });
}

/** OpenAI's Responses. */
export const openAiResponsesFixture: DialectFixture = {
  dialect: openAiResponsesVendor,
  target: { model: 'gpt-5' },
  lacks: [],
  body,
  stream,
  noise: [Buffer.from(': keepalive\n\n'), event('response.something_new', { delta: 'Hi' })],
  failure: (message) => event('error', { error: { type: 'server_error', code: 'server_error', message, param: null } }),
  errors: [
    {
      name: 'a wrong key',
      status: 401,
      text: errorText('Incorrect API key', 'invalid_api_key'),
      message: 'Incorrect API key',
      code: 'invalid_api_key',
    },
    {
      name: 'a missing model',
      status: 400,
      text: errorText('no such model', 'model_not_found'),
      message: 'no such model',
      code: 'model_not_found',
    },
  ],
  requests: {
    tools: {
      body: {
        tools: [{ type: 'function', name: 'weather', description: 'Tells the weather', parameters: placeSchema }],
        tool_choice: { type: 'function', name: 'weather' },
      },
    },
    toolResult: {
      body: {
        input: [
          { role: 'user', content: 'Weather in Paris?' },
          { type: 'function_call', call_id: 'call_paris', name: 'weather', arguments: '{"city":"Paris"}' },
          { type: 'function_call_output', call_id: 'call_paris', output: '18 °C' },
        ],
      },
    },
    image: {
      body: {
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'What is this?' },
              { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=' },
            ],
          },
        ],
      },
    },
    jsonSchema: {
      body: { text: { format: { type: 'json_schema', name: 'place', schema: placeSchema, strict: true } } },
    },
  },
};
