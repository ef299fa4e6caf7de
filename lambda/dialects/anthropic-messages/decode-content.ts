import type { CacheHint, FilePart, MediaSource, Part, ToolResultPart } from '../chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { RequestProblem } from '../request-problem.ts';
import { readCallSignature } from './call-signature.ts';
import { isWrittenCitation } from './citations.ts';

/** A block as a part of the vocabulary: `undefined` when it has no such; not `whole` when the part says less than the block. */
export type DecodedBlock = { part: Part | undefined; whole: boolean };

/** Reads one content block of a message; `signature` is that of the call that a block of signatures announced. */
export function decodeBlock(block: JsonObject, where: string, signature: string | undefined): DecodedBlock {
  switch (block['type']) {
    case 'text': {
      const citations = Array.isArray(block['citations']) ? block['citations'] : [];
      const whole = hasOnly(block, 'text', 'citations') && citations.every(isWrittenCitation);
      return { part: { type: 'text', text: textOf(block, 'text', where), ...cacheOf(block) }, whole };
    }
    case 'image':
      return {
        part: { type: 'image', source: sourceOf(block, where), ...cacheOf(block) },
        whole: hasOnly(block, 'source'),
      };
    case 'document':
      return decodeDocument(block, where);
    case 'search_result':
      return { part: { type: 'text', text: searchResultText(block), ...cacheOf(block) }, whole: false };
    case 'thinking': {
      const signed = stringOrUndefined(block['signature']);
      const part = { type: 'reasoning' as const, text: textOf(block, 'thinking', where) };
      return {
        part: { ...part, ...(signed ? { signature: signed } : {}) },
        whole: hasOnly(block, 'thinking', 'signature'),
      };
    }
    case 'redacted_thinking':
      return {
        part: { type: 'reasoning', text: '', redacted: textOf(block, 'data', where) },
        whole: hasOnly(block, 'data'),
      };
    case 'tool_use':
      return decodeToolUse(block, where, signature);
    case 'tool_result':
      return decodeToolResult(block, where);
    default:
      return { part: undefined, whole: false };
  }
}

/** The signature that a block carries for the call after it, see `call-signature.ts`. */
export function announcedSignature(block: JsonObject): string | undefined {
  if (block['type'] !== 'redacted_thinking' || typeof block['data'] !== 'string') return undefined;
  return readCallSignature(block['data']);
}

/** The caller's cache mark on a block, a tool or a system text. */
export function cacheOf(holder: JsonObject): { cache?: CacheHint } {
  const control = holder['cache_control'];
  if (!isObject(control)) return {};
  const ttl = stringOrUndefined(control['ttl']);
  return { cache: ttl ? { ttl } : {} };
}

/** True when the block has no fields but these, and those that every block may have. */
export function hasOnly(block: JsonObject, ...fields: string[]): boolean {
  return Object.entries(block).every(
    ([name, value]) => value === null || name === 'type' || name === 'cache_control' || fields.includes(name),
  );
}

function textOf(block: JsonObject, field: string, where: string): string {
  const value = block[field];
  if (typeof value !== 'string') throw new RequestProblem(`"${where}.${field}" must be a string.`, `${where}.${field}`);
  return value;
}

function decodeToolUse(block: JsonObject, where: string, signature: string | undefined): DecodedBlock {
  const input = block['input'] ?? {};
  const call = { type: 'tool-call' as const, id: textOf(block, 'id', where), name: textOf(block, 'name', where) };
  const written = { arguments: JSON.stringify(input), ...(signature ? { signature } : {}), ...cacheOf(block) };
  return { part: { ...call, ...written }, whole: isObject(input) && hasOnly(block, 'id', 'name', 'input') };
}

function decodeToolResult(block: JsonObject, where: string): DecodedBlock {
  const held = typeof block['content'] === 'string' ? [{ type: 'text', text: block['content'] }] : block['content'];
  const blocks = Array.isArray(held) ? held : [];
  const decoded = blocks.map((one, index) => {
    const place = `${where}.content[${index}]`;
    if (!isObject(one)) throw new RequestProblem(`"${place}" must be an object.`, place);
    return decodeBlock(one, place, undefined);
  });
  const content = decoded.flatMap(({ part }) => (isResultContent(part) ? [part] : []));
  const part: ToolResultPart = { type: 'tool-result', callId: textOf(block, 'tool_use_id', where), content };
  const failed = typeof block['is_error'] === 'boolean' ? { isError: block['is_error'] } : {};
  const whole = hasOnly(block, 'tool_use_id', 'content', 'is_error') && decoded.every((one) => one.whole);
  return { part: { ...part, ...failed, ...cacheOf(block) }, whole: whole && content.length === blocks.length };
}

function isResultContent(part: Part | undefined): part is ToolResultPart['content'][number] {
  return part?.type === 'text' || part?.type === 'image' || part?.type === 'file';
}

/** Plain text is kept as a file of that type; a document made of blocks becomes their text. */
function decodeDocument(block: JsonObject, where: string): DecodedBlock {
  const { source } = block;
  const name = stringOrUndefined(block['title']);
  const rest: Pick<FilePart, 'name' | 'cache'> = { ...(name ? { name } : {}), ...cacheOf(block) };
  const whole = hasOnly(block, 'source', 'title') && !(isObject(source) && source['type'] === 'content');
  return { part: { type: 'file', source: sourceOf(block, where), ...rest }, whole };
}

function sourceOf(block: JsonObject, where: string): MediaSource {
  const source = block['source'];
  const place = `${where}.source`;
  if (!isObject(source)) throw new RequestProblem(`"${place}" must be an object.`, place);
  switch (source['type']) {
    case 'base64':
      return {
        kind: 'base64',
        mediaType: textOf(source, 'media_type', place),
        data: textOf(source, 'data', place),
      };
    case 'url':
      return { kind: 'url', url: textOf(source, 'url', place) };
    case 'file':
      return { kind: 'id', id: textOf(source, 'file_id', place) };
    case 'text':
      return plainText(textOf(source, 'data', place));
    case 'content':
      return plainText(joinTexts(source['content']));
    default:
      throw new RequestProblem(`"${place}.type" must be base64, url, file, text or content.`, `${place}.type`);
  }
}

function plainText(text: string): MediaSource {
  return { kind: 'base64', mediaType: 'text/plain', data: Buffer.from(text).toString('base64') };
}

function joinTexts(content: unknown): string {
  if (typeof content === 'string') return content;
  const blocks = Array.isArray(content) ? content.filter(isObject) : [];
  return blocks.map((block) => stringOrUndefined(block['text']) ?? '').join('\n');
}

function searchResultText(block: JsonObject): string {
  const head = [block['title'], block['source']].filter((line) => typeof line === 'string');
  return [...head, joinTexts(block['content'])].join('\n');
}
