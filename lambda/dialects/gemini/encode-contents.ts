import type { ChatRequest, Message, Part, ToolCallPart, ToolResultPart } from '../chat-request.ts';
import { isObject, type JsonObject, parseJson, withoutUndefined } from '../json-value.ts';
import { encodeMedia } from './media.ts';
import type { ModelTraits } from './model-traits.ts';
import { isForeignSignature } from './signature.ts';

/** `contents` and `systemInstruction`, and what of the messages has no place in them. */
export type EncodedContents = { contents: JsonObject[]; systemInstruction?: JsonObject; unsupported: string[] };

type Context = { traits: ModelTraits; callIds: boolean; namesById: Map<string, string>; unsupported: Set<string> };

/**
 * Writes the messages; system and developer messages move to the front, and neighbours of one role become one. Without
 * `callIds`, results belong to calls by their names and order.
 */
export function encodeContents(
  { messages }: ChatRequest,
  { traits, callIds }: { traits: ModelTraits; callIds: boolean },
): EncodedContents {
  const context: Context = { traits, callIds, namesById: new Map(), unsupported: new Set() };
  const system: JsonObject[] = [];
  const contents: { role: string; parts: JsonObject[] }[] = [];
  for (const message of messages) {
    if (message.name !== undefined) context.unsupported.add('name');
    const parts = encodeParts(message, context);
    if (message.role === 'system' || message.role === 'developer') system.push(...parts);
    else if (parts.length > 0) {
      const role = message.role === 'assistant' ? 'model' : 'user';
      const last = contents.at(-1);
      if (last?.role === role) last.parts.push(...parts);
      else contents.push({ role, parts });
    }
  }
  const unsupported = [...context.unsupported];
  if (system.length === 0) return { contents, unsupported };
  // The API refuses a request that has instructions alone.
  if (contents.length === 0) return { contents: [{ role: 'user', parts: system }], unsupported };
  return { contents, systemInstruction: { parts: system }, unsupported };
}

function encodeParts({ role, parts }: Message, context: Context): JsonObject[] {
  if (role === 'assistant') return encodeAnswer(parts, context);
  return parts.flatMap((part) => encodePart(part, context));
}

function encodePart(part: Part, context: Context): JsonObject[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      // Empty text is refused.
      return part.text === '' ? [] : [{ text: part.text }];
    case 'image':
    case 'audio':
    case 'file': {
      const media = encodeMedia(part);
      if (!media) context.unsupported.add('file_id');
      return media ? [media] : [];
    }
    case 'tool-call':
      return [encodeCall(part, context)];
    case 'tool-result':
      return encodeResult(part, context);
    case 'reasoning':
      return part.text === '' ? [] : [{ text: part.text, thought: true }];
  }
}

/**
 * A signature belongs to the part that it came with. Calls keep theirs; that of a text was told apart from it, and
 * returns to the text before it or, where other formats moved thoughts to the front, to the text that follows.
 */
function encodeAnswer(parts: readonly Part[], context: Context): JsonObject[] {
  const encoded: JsonObject[] = [];
  let waiting: string | undefined;
  for (const part of parts) {
    const before = encoded.at(-1);
    const added = encodePart(part, context);
    encoded.push(...added);
    if (part.type === 'reasoning' && part.signature !== undefined && !isForeignSignature(part.signature)) {
      if (part.text === '' && before && isUnsignedText(before)) before['thoughtSignature'] = part.signature;
      else waiting = part.signature;
    } else if (waiting !== undefined && added[0] && isUnsignedText(added[0])) {
      added[0]['thoughtSignature'] = waiting;
      waiting = undefined;
    }
  }
  if (waiting !== undefined) encoded.push({ text: '', thoughtSignature: waiting });
  return context.traits.isThirdGeneration ? signFirstCall(encoded) : encoded;
}

function isUnsignedText(part: JsonObject): boolean {
  return typeof part['text'] === 'string' && part['thought'] !== true && part['thoughtSignature'] === undefined;
}

/**
 * These models refuse a step whose first call is unsigned. For calls that another model made Google names a text that
 * stands in for a signature (https://ai.google.dev/gemini-api/docs/thought-signatures#faqs).
 */
function signFirstCall(parts: JsonObject[]): JsonObject[] {
  const at = parts.findIndex((part) => part['functionCall'] !== undefined);
  const call = parts[at];
  if (!call || call['thoughtSignature'] !== undefined) return parts;
  return parts.with(at, { ...call, thoughtSignature: 'skip_thought_signature_validator' });
}

function encodeCall({ id, name, arguments: written, signature }: ToolCallPart, context: Context): JsonObject {
  context.namesById.set(id, name);
  const args = parseJson(written === '' ? '{}' : written);
  return withoutUndefined({
    functionCall: withoutUndefined({
      id: (context.callIds && id) || undefined,
      name,
      args: isObject(args) ? args : { arguments: written },
    }),
    thoughtSignature: signature !== undefined && !isForeignSignature(signature) ? signature : undefined,
  });
}

/** Media of a result stand inside it where the model takes that, else behind it. */
function encodeResult({ callId, name, content, isError }: ToolResultPart, context: Context): JsonObject[] {
  const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  const media = content.flatMap((part) => (part.type === 'text' ? [] : encodePart(part, context)));
  const isInside = (part: JsonObject) => context.traits.isThirdGeneration && part['inlineData'] !== undefined;
  const inside = media.filter(isInside);
  const functionResponse = withoutUndefined({
    id: (context.callIds && callId) || undefined,
    name: name ?? context.namesById.get(callId) ?? callId,
    response: isError ? { error: text } : encodeOutput(text),
    parts: inside.length > 0 ? inside : undefined,
  });
  return [{ functionResponse }, ...media.filter((part) => !isInside(part))];
}

/** An object as it is, all else under the documented key. Long numbers would not survive parsing: they stay text. */
function encodeOutput(text: string): JsonObject {
  const parsed = /\d{16}/.test(text) ? undefined : parseJson(text);
  if (isObject(parsed)) return parsed;
  return { output: Array.isArray(parsed) ? parsed : text };
}
