import type { CacheHint, ChatRequest, Message, Part, ToolCallPart, ToolResultPart } from '../chat-request.ts';
import { isObject, type JsonObject, parseJson } from '../json-value.ts';
import { audioBlock, documentNames, fileBlock, imageBlock } from './media-blocks.ts';
import { modelFamily } from './model-family.ts';
import { writeThought } from './reasoning-content.ts';

type Encoding = { model: string; unsupported: Set<string>; documentName: (wanted: string) => string };

/** `system` and `messages`: Converse has one place for instructions, and turns that alternate. */
export function encodeMessages(
  messages: ChatRequest['messages'],
  model: string,
  unsupported: Set<string>,
): { system: JsonObject[]; turns: JsonObject[] } {
  const encoding: Encoding = { model, unsupported, documentName: documentNames() };
  const system: JsonObject[] = [];
  const turns: { role: string; content: JsonObject[] }[] = [];
  for (const message of messages) {
    if (message.name !== undefined) unsupported.add('name');
    const content = message.parts.flatMap((part) => encodePart(part, message, encoding));
    if (message.role === 'system' || message.role === 'developer') {
      system.push(...content);
      continue;
    }
    const last = turns.at(-1);
    if (last?.role === message.role) last.content.push(...content);
    // A message without content is refused, and says nothing.
    else if (content.length > 0) turns.push({ role: message.role, content });
  }
  return { system, turns };
}

function encodePart(part: Part, { role }: Message, encoding: Encoding): JsonObject[] {
  const isSystem = role === 'system' || role === 'developer';
  if (isSystem && part.type !== 'text') {
    encoding.unsupported.add(callersName(part));
    return [];
  }
  const block = encodeBlock(part, encoding);
  if (!block) return [];
  return [block, ...cachePoints(cacheOf(part), encoding)];
}

function encodeBlock(part: Part, encoding: Encoding): JsonObject | undefined {
  switch (part.type) {
    case 'text':
    case 'refusal':
      // "The text field in the ContentBlock object is blank" is a 400; blanks alone say nothing.
      return part.text.trim() === '' ? undefined : { text: part.text };
    case 'tool-call':
      return encodeCall(part, encoding);
    case 'tool-result':
      return encodeResult(part, encoding);
    case 'reasoning':
      return encodeReasoning(part, encoding.model);
    default:
      return encodeMedia(part, encoding);
  }
}

type MediaPart = Extract<Part, { type: 'image' | 'audio' | 'file' }>;

function encodeMedia(part: MediaPart, { unsupported, documentName }: Encoding): JsonObject | undefined {
  let block: JsonObject | undefined;
  if (part.type === 'image') block = imageBlock(part);
  else block = part.type === 'audio' ? audioBlock(part) : fileBlock(part, documentName);
  if (!block) unsupported.add(callersName(part));
  return block;
}

/** How OpenAI's callers name such a part of a message. */
function callersName(part: Part): string {
  if (part.type === 'image') return 'image_url';
  return part.type === 'audio' ? 'input_audio' : part.type === 'file' ? 'file' : part.type;
}

/** Claude and DeepSeek refuse thoughts that carry no signature. */
function encodeReasoning(part: Extract<Part, { type: 'reasoning' }>, model: string): JsonObject | undefined {
  const family = modelFamily(model);
  const signed = part.signature !== undefined || part.redacted !== undefined;
  if (family === 'deepseek' || (family === 'claude' && !signed)) return undefined;
  return signed || part.text.trim() !== '' ? writeThought(part) : undefined;
}

function encodeCall({ id, name, arguments: written }: ToolCallPart, { unsupported }: Encoding): JsonObject {
  const input = written.trim() === '' ? {} : parseJson(written);
  if (!isObject(input)) unsupported.add('tool_calls.function.arguments');
  return { toolUse: { toolUseId: toolUseId(id), name, input: isObject(input) ? input : {} } };
}

/** Bedrock takes 64 of `[a-zA-Z0-9_.:-]`, Claude behind it neither dot nor colon; other vendors put more into theirs. */
function toolUseId(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/g, '_').slice(-64) || '_';
}

function encodeResult({ callId, content, isError }: ToolResultPart, encoding: Encoding): JsonObject {
  const blocks = content.flatMap((part) => {
    const block = part.type === 'text' ? { text: part.text } : encodeMedia(part, encoding);
    return block ? [block] : [];
  });
  // "The content field … cannot be empty when status value is error."
  const filled = blocks.length === 0 && isError ? [{ json: {} }] : blocks;
  return {
    toolResult: { toolUseId: toolUseId(callId), content: filled, ...(isError ? { status: 'error' } : {}) },
  };
}

function cacheOf(part: Part): CacheHint | undefined {
  if (part.type === 'tool-result') return part.cache ?? part.content.find(({ cache }) => cache)?.cache;
  return 'cache' in part ? part.cache : undefined;
}

/** A hint becomes a block of its own behind what it stands on; only Claude and Nova have such a cache. */
export function cachePoints(
  cache: CacheHint | undefined,
  { model, unsupported }: Pick<Encoding, 'model' | 'unsupported'>,
): JsonObject[] {
  if (!cache) return [];
  const family = modelFamily(model);
  if (family === 'claude' || family === 'nova' || family === 'other') {
    return [{ cachePoint: { type: 'default', ...(cache.ttl ? { ttl: cache.ttl } : {}) } }];
  }
  unsupported.add('cache_control');
  return [];
}
