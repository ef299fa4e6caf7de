import type { ChatEvent, Citation } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';

/** What has been read of an answer; a buffered one is read like a stream that brings only whole items. */
export type AnswerState = {
  hasStarted: boolean;
  /** Characters of the answer's text; positions of citations count within their own part only. */
  textLength: number;
  parts: Map<string, PartState>;
  calls: Map<string, { index: number; hasArguments: boolean }>;
  /** By item: the paragraph of the thought that came last. */
  thoughts: Map<string, string>;
};

/** One content part of a message: what of it has been told already. */
export type PartState = { start: number; hasText: boolean; hasLogprobs: boolean; citations: number };

/** The state before the first event. */
export function newAnswerState(): AnswerState {
  return { hasStarted: false, textLength: 0, parts: new Map(), calls: new Map(), thoughts: new Map() };
}

/** The item that an event is about. Its place counts: ids change between the events of some vendors. */
export function itemKey(data: JsonObject): string {
  const index = data['output_index'];
  return typeof index === 'number' ? String(index) : (stringOrUndefined(data['item_id']) ?? '');
}

/** The part that an event is about. */
export function partOf(state: AnswerState, item: string, contentIndex: unknown): PartState {
  const key = `${item}/${typeof contentIndex === 'number' ? contentIndex : 0}`;
  let part = state.parts.get(key);
  if (!part) {
    part = { start: state.textLength, hasText: false, hasLogprobs: false, citations: 0 };
    state.parts.set(key, part);
  }
  return part;
}

/** A piece of text and the probabilities of its tokens. */
export function textEvents(state: AnswerState, part: PartState, text: unknown, logprobs: unknown): ChatEvent[] {
  const events: ChatEvent[] = [];
  if (typeof text === 'string' && text !== '') {
    part.hasText = true;
    state.textLength += text.length;
    events.push({ type: 'text', choice: 0, text });
  }
  const content = Array.isArray(logprobs) ? logprobs.filter(isObject) : [];
  if (content.length > 0) {
    part.hasLogprobs = true;
    events.push({ type: 'logprobs', choice: 0, content });
  }
  return events;
}

/** A piece of a refusal. */
export function refusalEvents(part: PartState, text: unknown): ChatEvent[] {
  if (typeof text !== 'string' || text === '') return [];
  part.hasText = true;
  return [{ type: 'refusal', choice: 0, text }];
}

/** A source that the text leans on; types that name none are left out. */
export function citationEvents(part: PartState, annotation: unknown): ChatEvent[] {
  if (!isObject(annotation)) return [];
  part.citations++;
  const url = stringOrUndefined(annotation['url']);
  const title = stringOrUndefined(annotation['title']) ?? stringOrUndefined(annotation['filename']);
  const named = title ?? stringOrUndefined(annotation['file_id']);
  if (url === undefined && named === undefined) return [];
  const citation: Citation = {
    ...(url === undefined ? {} : { url }),
    ...(named === undefined ? {} : { title: named }),
    ...positions(annotation, part.start),
  };
  return [{ type: 'citation', choice: 0, citation }];
}

function positions({ start_index: start, end_index: end, index }: JsonObject, offset: number): Citation {
  const from = typeof start === 'number' ? start : index;
  return {
    ...(typeof from === 'number' ? { startIndex: from + offset } : {}),
    ...(typeof end === 'number' ? { endIndex: end + offset } : {}),
  };
}
