import type { FilePart, ImagePart, Message, Part, ToolCallPart, ToolResultPart } from '../chat-request.ts';
import { isObject, type JsonObject, parseJson, withoutUndefined } from '../json-value.ts';

/** The conversation as Cohere takes it: messages, and beside them the text files as documents that it can cite. */
export type Conversation = { messages: JsonObject[]; documents: JsonObject[]; unsupported: Set<string> };

type Writer = Conversation & {
  /** Images out of tools' results: a tool message has no place for them, so they open the next user message. */
  images: JsonObject[];
};

/** Writes the messages; names what has no place at Cohere in `unsupported`. */
export function encodeMessages(messages: readonly Message[]): Conversation {
  const writer: Writer = { messages: [], documents: [], unsupported: new Set(), images: [] };
  for (const message of messages) {
    if (message.name !== undefined) writer.unsupported.add('name');
    if (message.role === 'assistant') writeAssistant(writer, message.parts);
    else if (message.role === 'user') writeUser(writer, message.parts);
    else writeSystem(writer, message.parts);
  }
  writeImages(writer);
  return writer;
}

/** Cohere knows no `developer`; its system messages may stand anywhere. */
function writeSystem(writer: Writer, parts: readonly Part[]): void {
  writeImages(writer);
  writer.messages.push({ role: 'system', content: contentOf(parts.flatMap((part) => encodePart(writer, part))) });
}

/** Results come first: they must follow the calls at once. */
function writeUser(writer: Writer, parts: readonly Part[]): void {
  const results = parts.filter((part) => part.type === 'tool-result');
  for (const result of results) writeResult(writer, result);
  const others = parts.filter((part) => part.type !== 'tool-result');
  if (others.length === 0 && results.length > 0) return;
  const content = others.flatMap((part) => encodePart(writer, part));
  writer.messages.push({ role: 'user', content: contentOf([...writer.images.splice(0), ...content]) });
}

function writeImages(writer: Writer): void {
  if (writer.images.length > 0) writer.messages.push({ role: 'user', content: writer.images.splice(0) });
}

/**
 * Text beside calls is Cohere's `tool_plan`. Signatures and encrypted thoughts mean nothing to Cohere, which gives none:
 * they belong to the vendor that made them.
 */
function writeAssistant(writer: Writer, parts: readonly Part[]): void {
  writeImages(writer);
  const calls = parts.filter((part) => part.type === 'tool-call');
  const thoughts = parts.flatMap((part) =>
    part.type === 'reasoning' && part.text !== '' ? [{ type: 'thinking', thinking: part.text }] : [],
  );
  const text = parts.flatMap((part) => encodePart(writer, part));
  if (calls.length === 0) {
    writer.messages.push({ role: 'assistant', content: contentOf([...thoughts, ...text]) });
    return;
  }
  const plan = text.map((part) => part['text']).join('');
  writer.messages.push({
    role: 'assistant',
    ...(thoughts.length > 0 ? { content: thoughts } : {}),
    tool_calls: calls.map(encodeCall),
    ...(plan === '' ? {} : { tool_plan: plan }),
  });
}

function encodeCall({ id, name, arguments: written }: ToolCallPart): JsonObject {
  return { id, type: 'function', function: { name, arguments: written.trim() === '' ? '{}' : written } };
}

function writeResult(writer: Writer, { callId, content, isError }: ToolResultPart): void {
  const parts = content.flatMap((part): JsonObject[] => {
    if (part.type === 'text') return [encodeResultText(part.text, isError === true)];
    if (part.type === 'file') return encodeTextFile(writer, part).map((document) => ({ type: 'document', document }));
    writer.images.push(...encodeImage(writer, part));
    return [];
  });
  writer.messages.push({ role: 'tool', tool_call_id: callId, content: contentOf(parts) });
}

/**
 * A result that is a JSON object becomes a document with the same fields, which Cohere can cite one by one; not when a
 * number in it has more digits than a parsed number keeps. An error is told by the field's name, there is no flag for it.
 */
function encodeResultText(text: string, isError: boolean): JsonObject {
  if (isError) return { type: 'document', document: { data: { error: text } } };
  const fields = /\d{16}/.test(text) ? undefined : parseJson(text);
  if (isObject(fields) && Object.keys(fields).length > 0) return { type: 'document', document: { data: fields } };
  return { type: 'text', text };
}

function contentOf(parts: readonly JsonObject[]): unknown {
  const [first] = parts;
  if (!first) return '';
  return parts.length === 1 && first['type'] === 'text' ? first['text'] : parts;
}

function encodePart(writer: Writer, part: Part): JsonObject[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return [{ type: 'text', text: part.text }];
    case 'image':
      return encodeImage(writer, part);
    case 'file':
      writer.documents.push(...encodeTextFile(writer, part));
      return [];
    case 'audio':
      writer.unsupported.add('input_audio');
      return [];
    default:
      return [];
  }
}

function encodeImage({ unsupported }: Writer, { source, detail }: ImagePart): JsonObject[] {
  if (source.kind === 'id') {
    unsupported.add('image_url');
    return [];
  }
  const url = source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
  return [{ type: 'image_url', image_url: withoutUndefined({ url, detail }) }];
}

/** Cohere reads text only; a file of text is one of the documents that the answer can cite. */
function encodeTextFile({ unsupported }: Writer, { source, name }: FilePart): JsonObject[] {
  if (source.kind !== 'base64' || !/^text\/|[/+](json|xml|yaml)$/.test(source.mediaType)) {
    unsupported.add('file');
    return [];
  }
  const text = Buffer.from(source.data, 'base64').toString('utf8');
  return [{ data: withoutUndefined({ title: name, text }) }];
}
