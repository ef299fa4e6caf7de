import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject, parseJson, stringOrUndefined } from '../json-value.ts';
import { readEvents } from '../read-events.ts';
import { parseEventData } from '../sse-events.ts';
import {
  type AnswerState,
  citationEvents,
  itemKey,
  newAnswerState,
  partOf,
  refusalEvents,
  textEvents,
} from './answer-state.ts';
import { endEvents, failureOf, isFailed, outputEvents, startEvents } from './decode-response.ts';
import { beginCall, callArguments, readItem, readPart } from './read-item.ts';
import { betweenThoughts } from './thought.ts';

/** The events of a streamed answer (https://platform.openai.com/docs/api-reference/responses-streaming). */
export async function* decodeResponsesStream(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ChatEvent> {
  const state = newAnswerState();
  for await (const run of readEvents(bytes)) {
    for (const { event: name, data: text } of run) {
      const data = name === 'error' ? parseJson(text) : parseEventData(text);
      if (!isObject(data)) continue;
      const type = stringOrUndefined(data['type']) ?? name ?? '';
      if (hasFailed(type, data)) {
        yield { type: 'error', error: failureOf(isObject(data['response']) ? data['response'] : data) };
        return;
      }
      const read = readers[type];
      if (read) yield* read(state, data);
    }
  }
}

function hasFailed(type: string, data: JsonObject): boolean {
  if (type === 'error' || type === 'response.failed' || type === 'response.cancelled') return true;
  if (isObject(data['response'])) return isFailed(data['response']);
  return type === '' && isFailed(data);
}

type Reader = (state: AnswerState, data: JsonObject) => ChatEvent[];

const readers: Readonly<Record<string, Reader>> = Object.assign(Object.create(null), {
  'response.created': start,
  'response.in_progress': start,
  'response.output_item.added': addItem,
  'response.output_item.done': (state, data) => readItem(state, itemKey(data), data['item']),
  'response.content_part.done': (state, data) => readPart(state, itemKey(data), data['content_index'], data['part']),
  'response.output_text.delta': (state, data) =>
    textEvents(state, partAt(state, data), data['delta'], data['logprobs']),
  'response.output_text.annotation.added': (state, data) => citationEvents(partAt(state, data), data['annotation']),
  'response.refusal.delta': (state, data) => refusalEvents(partAt(state, data), data['delta']),
  'response.function_call_arguments.delta': (state, data) => callArguments(state, itemKey(data), data['delta']),
  'response.reasoning_summary_text.delta': (state, data) => readThoughtPiece(state, data, data['summary_index']),
  'response.reasoning_text.delta': (state, data) => readThoughtPiece(state, data, data['content_index']),
  'response.completed': end,
  'response.incomplete': end,
} satisfies Record<string, Reader>);

function partAt(state: AnswerState, data: JsonObject) {
  return partOf(state, itemKey(data), data['content_index']);
}

function start(state: AnswerState, data: JsonObject): ChatEvent[] {
  return startEvents(state, isObject(data['response']) ? data['response'] : {});
}

function addItem(state: AnswerState, data: JsonObject): ChatEvent[] {
  const { item } = data;
  return isObject(item) && item['type'] === 'function_call' ? beginCall(state, itemKey(data), item) : [];
}

function readThoughtPiece(state: AnswerState, data: JsonObject, index: unknown): ChatEvent[] {
  const { delta } = data;
  if (typeof delta !== 'string' || delta === '') return [];
  const key = itemKey(data);
  const id = stringOrUndefined(data['item_id']);
  const paragraph = `${data['type']}/${index}`;
  const before = state.thoughts.get(key);
  state.thoughts.set(key, paragraph);
  const text = before === undefined || before === paragraph ? delta : betweenThoughts + delta;
  return [{ type: 'reasoning', choice: 0, text, ...(id === undefined ? {} : { id }) }];
}

/** The last event holds the whole answer again; it is read only where nothing came before it. */
function end(state: AnswerState, data: JsonObject): ChatEvent[] {
  const response = isObject(data['response']) ? data['response'] : {};
  const isUntold = state.parts.size === 0 && state.calls.size === 0 && state.thoughts.size === 0;
  return [
    ...startEvents(state, response),
    ...(isUntold ? outputEvents(state, response) : []),
    ...endEvents(state, response),
  ];
}
