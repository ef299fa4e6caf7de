import type { CacheHint, MediaSource, Part } from '../chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { RequestProblem } from '../request-problem.ts';

/** Parts of a message or of a tool's output; `unplaced` gets the types that the vocabulary has no place for. */
export function decodeContent(content: unknown, at: string, unplaced: Set<string>): Part[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw new RequestProblem(`${at} must be a string or a list of parts.`, at);
  return content.flatMap((part, index) => {
    const decoded = decodePart(part, `${at}[${index}]`);
    if (decoded) return [decoded];
    unplaced.add(`input[].content[].${typeOf(part)}`);
    return [];
  });
}

/** The type of an item or part, fit to be shown. */
export function typeOf(value: unknown): string {
  return (isObject(value) && stringOrUndefined(value['type'])?.slice(0, 50)) || 'unknown';
}

function decodePart(part: unknown, at: string): Part | undefined {
  if (!isObject(part)) throw new RequestProblem(`${at} must be an object.`, at);
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
    case 'text':
      if (typeof part['text'] !== 'string') throw new RequestProblem(`${at}.text must be a string.`, `${at}.text`);
      return { type: 'text', text: part['text'], ...cacheHint(part) };
    case 'refusal':
      return typeof part['refusal'] === 'string' ? { type: 'refusal', text: part['refusal'] } : undefined;
    case 'input_image': {
      const detail = stringOrUndefined(part['detail']);
      const source = sourceOf(part, ['image_url'], at);
      return { type: 'image', source, ...(detail ? { detail } : {}), ...cacheHint(part) };
    }
    case 'input_file': {
      const name = stringOrUndefined(part['filename']);
      const source = sourceOf(part, ['file_data', 'file_url'], at);
      return { type: 'file', source, ...(name ? { name } : {}), ...cacheHint(part) };
    }
    case 'input_audio':
      return isObject(part['input_audio']) ? decodeAudio(part['input_audio']) : undefined;
    default:
      return undefined;
  }
}

function decodeAudio({ data, format }: JsonObject): Part | undefined {
  if (typeof data !== 'string') return undefined;
  return { type: 'audio', data, format: stringOrUndefined(format) ?? 'wav' };
}

function sourceOf(part: JsonObject, fields: readonly string[], at: string): MediaSource {
  for (const field of fields) {
    const text = stringOrUndefined(part[field]);
    if (text !== undefined) return field === 'file_data' ? dataSource(text) : urlSource(text);
  }
  const id = stringOrUndefined(part['file_id']);
  if (id !== undefined) return { kind: 'id', id };
  throw new RequestProblem(`${at} needs ${[...fields, 'file_id'].join(' or ')}.`, at);
}

function urlSource(url: string): MediaSource {
  const data = /^data:([^;,]*)(?:;[^;,]+)*;base64,/.exec(url);
  if (!data) return { kind: 'url', url };
  return { kind: 'base64', mediaType: data[1] || 'application/octet-stream', data: url.slice(data[0].length) };
}

/** `file_data` is a data URL, or base64 alone, which is then a PDF: OpenAI's first and most common kind of file. */
function dataSource(text: string): MediaSource {
  if (text.startsWith('data:')) return urlSource(text);
  return { kind: 'base64', mediaType: 'application/pdf', data: text };
}

function cacheHint(part: JsonObject): { cache?: CacheHint } {
  return isObject(part['prompt_cache_breakpoint']) ? { cache: {} } : {};
}
