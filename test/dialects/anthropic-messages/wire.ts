import { anthropicMessagesVendor } from '../../../lambda/dialects/anthropic-messages/anthropic-messages.ts';
import type { ChatEvent } from '../../../lambda/dialects/chat-event.ts';
import type { AnswerContext } from '../../../lambda/dialects/dialect.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { aChatRequest } from '../../support/chat-requests.ts';

/** A stream of Anthropic's as its bytes. */
export function sse(...events: JsonObject[]): string {
  return events.map((event) => `event: ${event['type']}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

export const messageStart = {
  type: 'message_start',
  message: {
    id: 'msg_01',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 10, cache_creation_input_tokens: 5, cache_read_input_tokens: 20, output_tokens: 1 },
  },
};

export function block(index: number, content: JsonObject, ...deltas: JsonObject[]): JsonObject[] {
  return [
    { type: 'content_block_start', index, content_block: content },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
}

export function messageEnd(reason: string, more: JsonObject = {}): JsonObject[] {
  const delta = { stop_reason: reason, stop_sequence: null, ...more };
  return [{ type: 'message_delta', delta, usage: { output_tokens: 42 } }, { type: 'message_stop' }];
}

export async function* piecesOf(bytes: Uint8Array, ...cuts: number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    yield bytes.subarray(start, end);
    start = end;
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

export function decode(text: string): Promise<ChatEvent[]> {
  return collect(anthropicMessagesVendor.decodeStream(piecesOf(Buffer.from(text))));
}

export const plainRequest = aChatRequest({ model: 'claude-sonnet-4-5' });

export const answerContext: AnswerContext = {
  request: plainRequest,
  model: 'shown-model',
  nowSeconds: 1,
  newId: (prefix) => `${prefix}new`,
};
