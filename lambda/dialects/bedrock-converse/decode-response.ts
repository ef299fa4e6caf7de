import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject } from '../json-value.ts';
import { readCitation, textOf } from './citations.ts';
import { readFailure } from './errors.ts';
import { readFinish } from './finish.ts';
import { readThought } from './reasoning-content.ts';
import { readUsage } from './usage.ts';

/** The events of an answer of `Converse` (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). */
export function decodeConverseResponse(body: JsonObject): ChatEvent[] {
  const output = isObject(body['output']) ? body['output'] : {};
  const message = output['message'];
  if (!isObject(message)) {
    const error = readFailure(body);
    if (error) return [{ type: 'error', error }];
    throw new Error('The answer has no "output.message"');
  }
  const finish = readFinish(body);
  if (finish?.type === 'error') return [finish];
  const usage = readUsage(body);
  return [
    { type: 'start', id: undefined, model: undefined },
    ...contentEvents(message['content']),
    ...(finish ? [finish] : []),
    ...(usage ? [usage] : []),
  ];
}

function contentEvents(content: unknown): ChatEvent[] {
  const events: ChatEvent[] = [];
  let textLength = 0;
  let calls = 0;
  const addText = (text: string) => {
    if (text === '') return;
    textLength += text.length;
    events.push({ type: 'text', choice: 0, text });
  };
  for (const block of Array.isArray(content) ? content.filter(isObject) : []) {
    const thought = readThought(block['reasoningContent']);
    if (thought) events.push({ type: 'reasoning', choice: 0, ...thought });
    if (typeof block['text'] === 'string') addText(block['text']);
    if (isObject(block['citationsContent'])) {
      const start = textLength;
      addText(textOf(block['citationsContent']['content']));
      events.push(...citationEvents(block['citationsContent']['citations'], start, textLength));
    }
    if (isCallersTool(block['toolUse'])) events.push(...callEvents(block['toolUse'], calls++));
  }
  return events;
}

function citationEvents(citations: unknown, start: number, end: number): ChatEvent[] {
  const list = Array.isArray(citations) ? citations.filter(isObject) : [];
  return list.map((citation) => ({ type: 'citation', choice: 0, citation: readCitation(citation, start, end) }));
}

/** A tool that Bedrock runs by itself is not the caller's to answer. */
export function isCallersTool(toolUse: unknown): toolUse is JsonObject {
  return isObject(toolUse) && toolUse['type'] !== 'server_tool_use';
}

function callEvents(toolUse: JsonObject, index: number): ChatEvent[] {
  return [
    callEvent(toolUse, index),
    { type: 'tool-arguments', choice: 0, index, text: JSON.stringify(toolUse['input'] ?? {}) },
  ];
}

/** The beginning of a call, from a block or from the start of one. */
export function callEvent({ toolUseId, name }: JsonObject, index: number): ChatEvent {
  return { type: 'tool-call', choice: 0, index, id: textOrEmpty(toolUseId), name: textOrEmpty(name) };
}

function textOrEmpty(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
