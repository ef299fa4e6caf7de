import type { ChatEvent, Citation } from '../chat-event.ts';
import type { JsonObject } from '../json-value.ts';
import type { ResponseWriter } from './response-writer.ts';

/** The message being written: its place in the output, and the part that text is added to. */
export type OpenMessage = {
  outputIndex: number;
  item: { id: string; content: OpenPart[] };
  part: OpenPart | undefined;
};

type OpenPart = TextPart | { type: 'refusal'; refusal: string };
type TextPart = { type: 'output_text'; text: string; annotations: JsonObject[]; logprobs: JsonObject[] };

/** Adds a piece of text, or of a refusal, to the part that it belongs to. */
export function addText(writer: ResponseWriter, event: Extract<ChatEvent, { type: 'text' | 'refusal' }>): JsonObject[] {
  const opened = openPart(writer, event.type === 'text' ? 'output_text' : 'refusal');
  const part = writer.message?.part;
  if (part?.type === 'refusal') {
    part.refusal += event.text;
    return [...opened, { type: 'response.refusal.delta', ...placeOf(writer), delta: event.text }];
  }
  if (part) part.text += event.text;
  return [...opened, { type: 'response.output_text.delta', ...placeOf(writer), delta: event.text, logprobs: [] }];
}

/** Probabilities come in an event of their own, here as a piece of no text. */
export function addLogprobs(writer: ResponseWriter, content: readonly JsonObject[]): JsonObject[] {
  const opened = openPart(writer, 'output_text');
  const part = writer.message?.part;
  if (part?.type === 'output_text') part.logprobs.push(...content);
  return [...opened, { type: 'response.output_text.delta', ...placeOf(writer), delta: '', logprobs: content }];
}

/** Positions count within the part, while the neutral ones count all of the answer's text. */
export function addCitation(writer: ResponseWriter, citation: Citation): JsonObject[] {
  const opened = openPart(writer, 'output_text');
  const part = writer.message?.part;
  if (part?.type !== 'output_text') return opened;
  const annotation = annotationOf(citation, textBefore(writer, part));
  part.annotations.push(annotation);
  const annotationIndex = part.annotations.length - 1;
  const place = placeOf(writer);
  return [
    ...opened,
    { type: 'response.output_text.annotation.added', ...place, annotation_index: annotationIndex, annotation },
  ];
}

function annotationOf({ url, title, startIndex, endIndex }: Citation, offset: number): JsonObject {
  const start = Math.max(0, (startIndex ?? offset) - offset);
  if (url === undefined) return { type: 'file_citation', file_id: '', filename: title ?? '', index: start };
  const end = Math.max(start, (endIndex ?? offset) - offset);
  return { type: 'url_citation', url, title: title ?? '', start_index: start, end_index: end };
}

function textBefore(writer: ResponseWriter, part: OpenPart): number {
  const parts = writer.output.flatMap(({ content }) => (Array.isArray(content) ? (content as OpenPart[]) : []));
  const before = parts.slice(0, parts.indexOf(part));
  return before.reduce(
    (sum, { type, ...rest }) => sum + ('text' in rest && type === 'output_text' ? rest.text.length : 0),
    0,
  );
}

function openPart(writer: ResponseWriter, type: OpenPart['type']): JsonObject[] {
  const events = openMessage(writer);
  const message = writer.message;
  if (!message || message.part?.type === type) return events;
  const closed = closePart(writer);
  const part = emptyPart(type);
  message.part = part;
  message.item.content.push(part);
  return [...events, ...closed, { type: 'response.content_part.added', ...placeOf(writer), part: emptyPart(type) }];
}

function emptyPart(type: OpenPart['type']): OpenPart {
  return type === 'refusal' ? { type, refusal: '' } : { type, text: '', annotations: [], logprobs: [] };
}

function openMessage(writer: ResponseWriter): JsonObject[] {
  if (writer.message) return [];
  const item = {
    id: writer.answer.newId('msg_'),
    type: 'message',
    status: 'in_progress',
    role: 'assistant',
    content: [],
  };
  const outputIndex = writer.output.push(item) - 1;
  writer.message = { outputIndex, item, part: undefined };
  return [{ type: 'response.output_item.added', output_index: outputIndex, item: { ...item, content: [] } }];
}

function placeOf({ message }: ResponseWriter): JsonObject {
  return {
    item_id: message?.item.id,
    output_index: message?.outputIndex,
    content_index: (message?.item.content.length ?? 1) - 1,
  };
}

function closePart(writer: ResponseWriter): JsonObject[] {
  const part = writer.message?.part;
  if (!writer.message || !part) return [];
  const place = placeOf(writer);
  writer.message.part = undefined;
  const whole =
    part.type === 'refusal'
      ? { type: 'response.refusal.done', ...place, refusal: part.refusal }
      : { type: 'response.output_text.done', ...place, text: part.text, logprobs: part.logprobs };
  return [whole, { type: 'response.content_part.done', ...place, part }];
}

/** Ends the message, where one is being written. */
export function closeMessage(writer: ResponseWriter): JsonObject[] {
  const { message } = writer;
  if (!message) return [];
  const events = closePart(writer);
  writer.message = undefined;
  Object.assign(message.item, { status: writer.itemStatus });
  return [...events, { type: 'response.output_item.done', output_index: message.outputIndex, item: message.item }];
}
