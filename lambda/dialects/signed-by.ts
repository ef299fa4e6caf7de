import type { ChatEvent } from './chat-event.ts';
import type { ChatRequest, Message, Part, ReasoningPart } from './chat-request.ts';
import { isObject, type JsonObject } from './json-value.ts';

/**
 * Signatures and encrypted thoughts must return to whoever made them, and are refused by everybody else. When they are
 * handed to a caller of another dialect they carry their maker's name, by which they are known when they return.
 */
const version = 'sl1:';

/** How the mark looks where Gemini's callers keep it, in base64 (see `gemini/signature.ts`). */
const wrapped = 'c2x1aWNl';

function mark(maker: string, secret: string): string {
  return `${version}${maker}:${secret}`;
}

/** The maker and what it made; the maker is undefined where nothing is marked. */
function read(secret: string): { maker: string | undefined; secret: string } {
  const end = secret.startsWith(version) ? secret.indexOf(':', version.length) : -1;
  if (end < 0) return { maker: undefined, secret };
  return { maker: secret.slice(version.length, end), secret: secret.slice(end + 1) };
}

/** Whether a body may hold secrets that the gateway marked: then it cannot pass to any vendor as it is. */
export function mayHoldMarks(text: string): boolean {
  return text.includes(version) || text.includes(wrapped);
}

/** An event whose secrets say who made them. */
export function markSecrets(event: ChatEvent, maker: string): ChatEvent {
  if (event.type === 'tool-call' && event.signature !== undefined) {
    return { ...event, signature: mark(maker, event.signature) };
  }
  if (event.type !== 'reasoning' || (event.signature === undefined && event.redacted === undefined)) return event;
  return {
    ...event,
    ...(event.signature === undefined ? {} : { signature: mark(maker, event.signature) }),
    ...(event.redacted === undefined ? {} : { redacted: mark(maker, event.redacted) }),
  };
}

/**
 * The request as this maker may see it: its own secrets as it made them, those of others left out, unmarked ones as they
 * are. Thoughts stay as text, and all parts in their places.
 */
export function ownSecrets(request: ChatRequest, maker: string): ChatRequest {
  return {
    ...request,
    messages: request.messages.map((message) => ownMessage(message, maker)),
    extensions: withoutMarkedBlocks(request.extensions),
  };
}

function ownMessage(message: Message, maker: string): Message {
  if (message.role !== 'assistant') return message;
  return { ...message, parts: message.parts.map((part) => ownPart(part, maker)) };
}

function ownPart(part: Part, maker: string): Part {
  if (part.type === 'reasoning') return ownThought(part, maker);
  if (part.type !== 'tool-call' || part.signature === undefined) return part;
  const { signature, ...call } = part;
  const held = read(signature);
  if (held.maker === undefined) return part;
  return held.maker === maker ? { ...call, signature: held.secret } : call;
}

function ownThought(part: ReasoningPart, maker: string): ReasoningPart {
  const { signature, redacted } = part;
  const marked = [signature, redacted].flatMap((secret) => (secret === undefined ? [] : [read(secret)]));
  if (marked.every((one) => one.maker === undefined)) return part;
  if (marked.some((one) => one.maker !== maker)) return { type: 'reasoning', text: part.text };
  return {
    ...part,
    ...(signature === undefined ? {} : { signature: read(signature).secret }),
    ...(redacted === undefined ? {} : { redacted: read(redacted).secret }),
  };
}

/** Blocks that are kept beside the vocabulary must not bring back what it leaves out. */
function withoutMarkedBlocks(extensions: ChatRequest['extensions']): ChatRequest['extensions'] {
  const own = extensions['anthropic-messages'];
  const details = own?.['block_details'];
  if (!own || !Array.isArray(details)) return extensions;
  const unmarked = details.filter((detail) => !(isObject(detail) && mayHoldMarks(JSON.stringify(detail))));
  const changed: JsonObject = { ...own, block_details: unmarked };
  return { ...extensions, 'anthropic-messages': changed };
}
