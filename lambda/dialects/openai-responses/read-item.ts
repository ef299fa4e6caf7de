import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { type AnswerState, citationEvents, partOf, refusalEvents, textEvents } from './answer-state.ts';
import { thoughtOf } from './thought.ts';

/** A function call begins; undefined when its name is still missing. */
export function beginCall(state: AnswerState, key: string, item: JsonObject): ChatEvent[] {
  const name = stringOrUndefined(item['name']);
  const id = stringOrUndefined(item['call_id']) ?? stringOrUndefined(item['id']);
  if (state.calls.has(key) || name === undefined || id === undefined) return [];
  const index = state.calls.size;
  state.calls.set(key, { index, hasArguments: false });
  return [{ type: 'tool-call', choice: 0, index, id, name }];
}

/** A piece of a call's arguments, or all of them where no piece came before. */
export function callArguments(state: AnswerState, key: string, text: unknown): ChatEvent[] {
  const call = state.calls.get(key);
  if (!call || typeof text !== 'string' || text === '') return [];
  call.hasArguments = true;
  return [{ type: 'tool-arguments', choice: 0, index: call.index, text }];
}

/** A complete item: whatever of it has not been told in pieces. Items of hosted tools tell nothing to a caller. */
export function readItem(state: AnswerState, key: string, item: unknown): ChatEvent[] {
  if (!isObject(item)) return [];
  if (item['type'] === 'message') return readMessage(state, key, item);
  if (item['type'] === 'reasoning') return readThought(state, key, item);
  if (item['type'] !== 'function_call') return [];
  const begun = beginCall(state, key, item);
  const isWritten = state.calls.get(key)?.hasArguments === true;
  return isWritten ? begun : [...begun, ...callArguments(state, key, item['arguments'])];
}

function readMessage(state: AnswerState, key: string, item: JsonObject): ChatEvent[] {
  const content = Array.isArray(item['content']) ? item['content'] : [];
  return content.flatMap((part, index) => readPart(state, key, index, part));
}

/** A complete part of a message: whatever of it has not been told in pieces. */
export function readPart(state: AnswerState, key: string, index: unknown, value: unknown): ChatEvent[] {
  if (!isObject(value)) return [];
  const part = partOf(state, key, index);
  if (value['type'] === 'refusal') return part.hasText ? [] : refusalEvents(part, value['refusal']);
  if (value['type'] !== 'output_text') return [];
  const annotations = Array.isArray(value['annotations']) ? value['annotations'].slice(part.citations) : [];
  return [
    ...textEvents(
      state,
      part,
      part.hasText ? undefined : value['text'],
      part.hasLogprobs ? undefined : value['logprobs'],
    ),
    ...annotations.flatMap((annotation) => citationEvents(part, annotation)),
  ];
}

function readThought(state: AnswerState, key: string, item: JsonObject): ChatEvent[] {
  const id = stringOrUndefined(item['id']);
  const text = state.thoughts.has(key) ? '' : thoughtOf(item);
  // OpenRouter has the signatures of Claude in a field of their own.
  const signature = stringOrUndefined(item['encrypted_content']) ?? stringOrUndefined(item['signature']);
  if (text === '' && signature === undefined) return [];
  state.thoughts.set(key, '');
  return [
    {
      type: 'reasoning',
      choice: 0,
      ...(text === '' ? {} : { text }),
      ...(signature === undefined ? {} : { signature }),
      ...(id === undefined ? {} : { id }),
    },
  ];
}
