import type { CacheHint, MediaSource, Message, Part, ToolResultPart } from '../chat-request.ts';
import type { VendorTarget } from '../dialect.ts';
import { type JsonObject, withoutUndefined } from '../json-value.ts';

/** What of a conversation a vendor has fields for, beyond OpenAI's own. */
export type MessageFields = Pick<VendorTarget, 'thoughtsField' | 'takesCacheHints'>;

/** A message with results of tools becomes one message for each result, and one for what else it held. */
export function encodeMessage({ role, parts, name }: Message, fields: MessageFields): JsonObject[] {
  if (role === 'assistant') return [encodeAssistant(parts, fields)];
  const results = parts.filter((part) => part.type === 'tool-result');
  const said = [...results.flatMap(mediaOf), ...parts.filter((part) => part.type !== 'tool-result')];
  const others = said.filter((part) => !isUploadedImage(part));
  const rest =
    others.length > 0 || results.length === 0
      ? [withoutUndefined({ role, content: encodeContent(others, fields), name })]
      : [];
  return [...results.map((result) => encodeToolResult(result, fields)), ...rest];
}

/** Anthropic's form, which OpenRouter takes on OpenAI's parts. */
export function cacheControl(cache: CacheHint | undefined, { takesCacheHints }: MessageFields): JsonObject {
  return cache && takesCacheHints ? { cache_control: withoutUndefined({ type: 'ephemeral', ttl: cache.ttl }) } : {};
}

/** Files can be named by an id, images cannot. */
export function isUploadedImage(part: Part): boolean {
  return part.type === 'image' && part.source.kind === 'id';
}

/** A tool message holds text only; images follow in the caller's own message. */
function mediaOf({ content }: ToolResultPart): Part[] {
  return content.filter((part) => part.type !== 'text');
}

function encodeToolResult(result: ToolResultPart, fields: MessageFields): JsonObject {
  const said = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  const text = result.isError ? asError(said) : said;
  const cache = result.cache ?? result.content.find((part) => part.cache)?.cache;
  const content = cache && fields.takesCacheHints ? [{ type: 'text', text, ...cacheControl(cache, fields) }] : text;
  return { role: 'tool', tool_call_id: result.callId, content };
}

/** There is no flag for a call that failed, so that the words must say it. */
function asError(text: string): string {
  return /^\W*error/i.test(text) ? text : `Error: ${text}`;
}

function encodeContent(parts: readonly Part[], fields: MessageFields): unknown {
  const [only] = parts;
  if (parts.length === 1 && only?.type === 'text' && !(only.cache && fields.takesCacheHints)) return only.text;
  return parts.map((part) => ({
    ...encodePart(part),
    ...('cache' in part ? cacheControl(part.cache, fields) : {}),
  }));
}

function encodePart(part: Part): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return { type: 'image_url', image_url: withoutUndefined({ url: urlOf(part.source), detail: part.detail }) };
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
    case 'file': {
      const { source, name: filename } = part;
      const held = source.kind === 'id' ? { file_id: source.id } : { file_data: urlOf(source) };
      return { type: 'file', file: withoutUndefined({ ...held, filename }) };
    }
    case 'refusal':
      return { type: 'refusal', refusal: part.text };
    default:
      return { type: 'text', text: '' };
  }
}

function urlOf(source: MediaSource): string {
  if (source.kind === 'url') return source.url;
  return source.kind === 'id' ? source.id : `data:${source.mediaType};base64,${source.data}`;
}

function encodeAssistant(parts: readonly Part[], fields: MessageFields): JsonObject {
  const texts = parts.filter((part) => part.type === 'text');
  const calls = parts.filter((part) => part.type === 'tool-call');
  // A thought may have lost its secret, which belonged to another vendor.
  const thoughts = parts
    .filter((part) => part.type === 'reasoning')
    .filter(({ text, signature, redacted }) => text !== '' || signature !== undefined || redacted !== undefined);
  const refusal = parts.find((part) => part.type === 'refusal')?.text;
  const isMarked = fields.takesCacheHints && texts.some(({ cache }) => cache);
  const content = isMarked ? encodeContent(texts, fields) : texts.map(({ text }) => text).join('');
  return withoutUndefined({
    role: 'assistant',
    content: texts.length > 0 ? content : null,
    refusal,
    ...(calls.length > 0 ? { tool_calls: calls.map((call) => encodeCall(call, fields)) } : {}),
    ...encodeThoughts(thoughts, fields),
  });
}

type Thoughts = Extract<Part, { type: 'reasoning' }>[];

/**
 * Most vendors refuse fields that they do not know (https://github.com/tashfeenahmed/freellmapi/issues/1070), so thoughts
 * return only to those that have a place for them; DeepSeek even insists
 * (https://api-docs.deepseek.com/guides/thinking_mode).
 */
function encodeThoughts(thoughts: Thoughts, { thoughtsField }: MessageFields): JsonObject {
  if (thoughts.length === 0) return {};
  if (thoughtsField === 'reasoning_details') return { reasoning_details: thoughts.map(encodeThought) };
  const text = thoughts.map((thought) => thought.text).join('');
  return thoughtsField === 'reasoning_content' && text !== '' ? { reasoning_content: text } : {};
}

function encodeCall(
  { id, name, arguments: written, signature }: Extract<Part, { type: 'tool-call' }>,
  { thoughtsField }: MessageFields,
): JsonObject {
  const isTaken = signature !== undefined && thoughtsField === 'extra_content';
  const extra = isTaken ? { extra_content: { google: { thought_signature: signature } } } : {};
  return { id, type: 'function', function: { name, arguments: written }, ...extra };
}

/** OpenRouter's form, the only one of this dialect that has a place for signatures. */
export function encodeThought(
  { text, signature, redacted, id }: Pick<Thoughts[number], 'text' | 'signature' | 'redacted' | 'id'>,
  index: number,
): JsonObject {
  if (redacted !== undefined) return withoutUndefined({ type: 'reasoning.encrypted', data: redacted, id, index });
  return withoutUndefined({ type: 'reasoning.text', text, signature, id, index });
}
