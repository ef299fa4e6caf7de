import type {
  ChatRequest,
  MediaSource,
  Message,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from '../chat-request.ts';
import { type JsonObject, withoutUndefined } from '../json-value.ts';

/** The conversation as this dialect writes it; `unplaced` names what of it has no place here. */
export type EncodedInput = { instructions: string | undefined; input: JsonObject[]; unplaced: Set<string> };

/** Writes the messages as items. Callers of this very dialect get back where they wanted the cache to reach. */
export function encodeInput({ messages }: ChatRequest, isOwn: boolean): EncodedInput {
  const unplaced = new Set(messages.some(({ name }) => name !== undefined) ? ['messages[].name'] : []);
  const instructions = instructionsOf(messages[0]);
  const rest = instructions === undefined ? messages : messages.slice(1);
  return { instructions, input: rest.flatMap((message) => encodeMessage(message, isOwn)), unplaced };
}

function instructionsOf(first: Message | undefined): string | undefined {
  const [only, ...others] = first?.parts ?? [];
  return first?.role === 'system' && only?.type === 'text' && others.length === 0 && !only.cache
    ? only.text
    : undefined;
}

/** Calls, results and thoughts are items of their own; what is said between them is one message each time. */
function encodeMessage({ role, parts }: Message, isOwn: boolean): JsonObject[] {
  const items: JsonObject[] = [];
  let said: Part[] = [];
  const flush = () => {
    if (said.length > 0) items.push({ role, content: encodeSaid(role, said, isOwn) });
    said = [];
  };
  for (const part of parts) {
    if (part.type === 'tool-call' || part.type === 'tool-result' || part.type === 'reasoning') {
      flush();
      items.push(...encodeItem(part, isOwn));
    } else said.push(part);
  }
  flush();
  return items;
}

function encodeItem(part: ToolCallPart | ToolResultPart | ReasoningPart, isOwn: boolean): JsonObject[] {
  if (part.type === 'reasoning') return encodeThought(part, isOwn);
  if (part.type === 'tool-result') return [encodeResult(part, isOwn)];
  return [{ type: 'function_call', call_id: part.id, name: part.name, arguments: part.arguments || '{}' }];
}

/** An unsigned thought out of another dialect cannot be this vendor's, which takes back only its own. */
function encodeThought({ id, text, signature, redacted }: ReasoningPart, isOwn: boolean): JsonObject[] {
  const encrypted = signature ?? redacted;
  if (encrypted === undefined && !(isOwn && id !== undefined)) return [];
  const summary = text === '' ? [] : [{ type: 'summary_text', text }];
  return [withoutUndefined({ type: 'reasoning', id, summary, encrypted_content: encrypted })];
}

/** The protocol has no flag for a failed call; the status of an item that did not complete comes nearest. */
function encodeResult({ callId, content, isError }: ToolResultPart, isOwn: boolean): JsonObject {
  const output = encodeSaid('user', content, isOwn);
  return { type: 'function_call_output', call_id: callId, output, ...(isError ? { status: 'incomplete' } : {}) };
}

/** A single text is written as a string, the form that every vendor of this dialect takes for every role. */
function encodeSaid(role: Message['role'], parts: readonly Part[], isOwn: boolean): string | JsonObject[] {
  const [only, ...others] = parts;
  if (!only) return '';
  if (only.type === 'text' && others.length === 0 && !(only.cache && isOwn)) return only.text;
  return parts.flatMap((part) => {
    const encoded = encodePart(role, part);
    const marked = isOwn && 'cache' in part && part.cache ? { prompt_cache_breakpoint: { mode: 'explicit' } } : {};
    return encoded ? [{ ...encoded, ...marked }] : [];
  });
}

function encodePart(role: Message['role'], part: Part): JsonObject | undefined {
  switch (part.type) {
    case 'text':
      return { type: role === 'assistant' ? 'output_text' : 'input_text', text: part.text };
    case 'refusal':
      return { type: 'refusal', refusal: part.text };
    case 'image':
      return { type: 'input_image', ...imageSource(part.source), detail: part.detail ?? 'auto' };
    case 'file':
      return withoutUndefined({ type: 'input_file', ...fileSource(part.source, part.name) });
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
    default:
      return undefined;
  }
}

function imageSource(source: MediaSource): JsonObject {
  return source.kind === 'id' ? { file_id: source.id } : { image_url: urlOf(source) };
}

function fileSource(source: MediaSource, filename: string | undefined): JsonObject {
  if (source.kind === 'id') return { file_id: source.id };
  if (source.kind === 'url' && !source.url.startsWith('data:')) return { file_url: source.url, filename };
  // Data without a name is refused.
  return { filename: filename ?? 'file', file_data: urlOf(source) };
}

function urlOf(source: Exclude<MediaSource, { kind: 'id' }>): string {
  return source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
}
