import type {
  CacheHint,
  FilePart,
  MediaSource,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from '../chat-request.ts';
import { isObject, type JsonObject, parseJson, withoutUndefined } from '../json-value.ts';

/** Where blocks go, and where is noted what has no block. */
export type ContentContext = { isClaude: boolean; unsupported: Set<string> };

/** The block of a part; undefined for what is not sent. */
export function encodePart(part: Part, context: ContentContext): JsonObject | undefined {
  switch (part.type) {
    case 'text':
    case 'refusal':
      // The API refuses empty text.
      if (part.text === '') return undefined;
      return { type: 'text', text: part.text, ...cacheControl('cache' in part ? part.cache : undefined) };
    case 'image':
      // Images are always looked at in full.
      if (part.detail === 'low') context.unsupported.add('image_url.detail');
      return { type: 'image', source: encodeSource(part.source), ...cacheControl(part.cache) };
    case 'file':
      return encodeFile(part, context);
    case 'audio':
      context.unsupported.add('input_audio');
      return undefined;
    case 'reasoning':
      return encodeThought(part, context);
    case 'tool-call':
      return encodeCall(part, context);
    case 'tool-result':
      return encodeResult(part, context);
  }
}

/** `cache_control` for a mark of the caller. */
export function cacheControl(cache: CacheHint | undefined): JsonObject {
  return cache ? { cache_control: { type: 'ephemeral', ...(cache.ttl ? { ttl: cache.ttl } : {}) } } : {};
}

function encodeSource(source: MediaSource): JsonObject {
  if (source.kind === 'url') return { type: 'url', url: source.url };
  if (source.kind === 'id') return { type: 'file', file_id: source.id };
  return { type: 'base64', media_type: source.mediaType, data: source.data };
}

/** Documents are PDF or plain text; every other text is given as the latter. */
function encodeFile({ source, name, cache }: FilePart, { unsupported }: ContentContext): JsonObject | undefined {
  const rest = { ...(name ? { title: name } : {}), ...cacheControl(cache) };
  if (source.kind !== 'base64' || source.mediaType === 'application/pdf') {
    return { type: 'document', source: encodeSource(source), ...rest };
  }
  if (source.mediaType.startsWith('image/'))
    return { type: 'image', source: encodeSource(source), ...cacheControl(cache) };
  if (/^text\/|[/+](json|xml)$/.test(source.mediaType)) {
    const data = Buffer.from(source.data, 'base64').toString('utf8');
    return { type: 'document', source: { type: 'text', media_type: 'text/plain', data }, ...rest };
  }
  unsupported.add('file');
  return undefined;
}

/**
 * Claude takes only thoughts that it signed. Those of earlier turns are not shown to the model anyway, so that nothing is
 * lost with the unsigned ones of other vendors.
 */
function encodeThought(
  { text, signature, redacted }: ReasoningPart,
  { isClaude }: ContentContext,
): JsonObject | undefined {
  if (redacted !== undefined) return { type: 'redacted_thinking', data: redacted };
  if (signature === undefined && isClaude) return undefined;
  return { type: 'thinking', thinking: text, signature: signature ?? '' };
}

function encodeCall(
  { id, name, arguments: written, cache }: ToolCallPart,
  { unsupported }: ContentContext,
): JsonObject {
  const input = written.trim() === '' ? {} : parseJson(written);
  if (!isObject(input)) unsupported.add('tool_calls.function.arguments');
  return { type: 'tool_use', id: callId(id), name, input: isObject(input) ? input : {}, ...cacheControl(cache) };
}

/** The API takes letters, digits, `_` and `-` in the ids of calls; some vendors put more into theirs. */
function callId(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/g, '_') || '_';
}

function encodeResult(part: ToolResultPart, context: ContentContext): JsonObject {
  const blocks = part.content.flatMap((one): JsonObject[] => {
    const block = encodePart(one, context);
    return block ? [block] : [];
  });
  const [only] = blocks;
  const isPlain = blocks.length === 1 && only?.['type'] === 'text' && !('cache_control' in only);
  return withoutUndefined({
    type: 'tool_result',
    tool_use_id: callId(part.callId),
    content: isPlain ? only['text'] : blocks.length > 0 ? blocks : undefined,
    is_error: part.isError,
    ...cacheControl(part.cache),
  });
}
