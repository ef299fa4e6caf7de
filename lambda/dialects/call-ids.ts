import type { ChatRequest, Message, Part } from './chat-request.ts';

/** What ids of tool calls a vendor takes back: any of OpenAI's, or Mistral's nine letters and digits. */
export type CallIdForm = 'openai' | 'nine';

/** OpenAI refuses longer ids in its chat protocol. */
const longest = 40;

/** True when an id may be sent as it is. */
function fits(id: string, form: CallIdForm): boolean {
  return form === 'nine' ? /^[a-zA-Z0-9]{9}$/.test(id) : id.length <= longest;
}

/** Always the same new id for the same old one, so that calls and results still find each other. */
function fitted(id: string, form: CallIdForm): string {
  if (fits(id, form)) return id;
  return form === 'nine' ? hash(id) : `call_${hash(id)}${hash(`${id}.`)}`;
}

/** Whether the ids of all calls and results may be sent as they are. */
export function callIdsFit({ messages }: ChatRequest, form: CallIdForm): boolean {
  return messages.every(({ parts }) => parts.every((part) => idsOf(part).every((id) => fits(id, form))));
}

function idsOf(part: Part): string[] {
  if (part.type === 'tool-call') return [part.id];
  return part.type === 'tool-result' ? [part.callId] : [];
}

/** The request with ids of calls that this vendor takes; other vendors made them in other forms. */
export function withFittingCallIds(request: ChatRequest, form: CallIdForm): ChatRequest {
  if (callIdsFit(request, form)) return request;
  const message = (one: Message): Message => ({ ...one, parts: one.parts.map((part) => withFittingId(part, form)) });
  return { ...request, messages: request.messages.map(message) };
}

function withFittingId(part: Part, form: CallIdForm): Part {
  if (part.type === 'tool-call') return { ...part, id: fitted(part.id, form) };
  return part.type === 'tool-result' ? { ...part, callId: fitted(part.callId, form) } : part;
}

/** Nine letters and digits made of a text: two FNV-1a hashes with different seeds. */
function hash(text: string): string {
  const letters = fnv1a(text, 0x811c9dc5).toString(36) + fnv1a(text, 0x01000193).toString(36);
  return letters.padStart(9, '0').slice(0, 9);
}

function fnv1a(text: string, seed: number): number {
  let value = seed;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
