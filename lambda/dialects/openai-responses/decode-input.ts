import type { Message, Part, ReasoningPart, ToolCallPart, ToolResultPart } from '../chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { RequestProblem } from '../request-problem.ts';
import { decodeContent, typeOf } from './decode-content.ts';
import { openSecret } from './encrypted-content.ts';
import { thoughtOf } from './thought.ts';

/** The conversation of a request, and the names of what in it has no place in the vocabulary. */
export type DecodedInput = { messages: Message[]; unplaced: Set<string> };

type Draft = { messages: (Message & { parts: Part[] })[]; unplaced: Set<string>; callSignatures: Map<string, string> };

/** Reads `input`: a string, or items that become messages, those of one turn of the assistant together. */
export function decodeInput(input: unknown): DecodedInput {
  const draft: Draft = { messages: [], unplaced: new Set(), callSignatures: new Map() };
  if (typeof input === 'string') draft.messages.push({ role: 'user', parts: [{ type: 'text', text: input }] });
  else if (Array.isArray(input)) {
    for (const [index, item] of input.entries()) decodeItem(item, `input[${index}]`, draft);
  } else if (input !== undefined && input !== null) {
    throw new RequestProblem('"input" must be a string or a list of items.', 'input');
  }
  return draft;
}

function decodeItem(item: unknown, at: string, draft: Draft): void {
  if (!isObject(item)) throw new RequestProblem(`${at} must be an object.`, at);
  const type = item['type'] ?? 'message';
  if (type === 'message') addMessage(item, at, draft);
  else if (type === 'function_call') addToAssistant(decodeCall(item, at, draft), draft);
  else if (type === 'function_call_output') addResult(decodeResult(item, at, draft), draft);
  else if (type === 'reasoning') addThought(item, draft);
  else draft.unplaced.add(`input[].${typeOf(item)}`);
}

function addMessage(item: JsonObject, at: string, draft: Draft): void {
  const { role } = item;
  if (role !== 'system' && role !== 'developer' && role !== 'user' && role !== 'assistant') {
    throw new RequestProblem(`${at}.role must be system, developer, user or assistant.`, `${at}.role`);
  }
  const parts = decodeContent(item['content'], `${at}.content`, draft.unplaced);
  const last = draft.messages.at(-1);
  if (role === 'assistant' && last?.role === 'assistant' && !last.parts.some(isSpoken)) last.parts.push(...parts);
  else draft.messages.push({ role, parts });
}

/** Two messages of the assistant in a row stay two; its thoughts and calls join the one that they belong to. */
function isSpoken(part: Part): boolean {
  return part.type === 'text' || part.type === 'refusal';
}

function addToAssistant(part: ToolCallPart | ReasoningPart, draft: Draft): void {
  const last = draft.messages.at(-1);
  if (last?.role === 'assistant') last.parts.push(part);
  else draft.messages.push({ role: 'assistant', parts: [part] });
}

function addResult(part: ToolResultPart, draft: Draft): void {
  const last = draft.messages.at(-1);
  if (last?.role === 'user' && last.parts.every(({ type }) => type === 'tool-result')) last.parts.push(part);
  else draft.messages.push({ role: 'user', parts: [part] });
}

function decodeCall(item: JsonObject, at: string, draft: Draft): ToolCallPart {
  const id = stringOrUndefined(item['call_id']);
  const name = stringOrUndefined(item['name']);
  if (!id || !name) throw new RequestProblem(`${at} needs a call_id and a name.`, at);
  for (const field of ['namespace', 'caller']) {
    if (item[field] !== undefined && item[field] !== null) draft.unplaced.add(`input[].${field}`);
  }
  const signature = draft.callSignatures.get(id);
  const written = stringOrUndefined(item['arguments']) ?? '{}';
  return { type: 'tool-call', id, name, arguments: written, ...(signature ? { signature } : {}) };
}

function decodeResult(item: JsonObject, at: string, draft: Draft): ToolResultPart {
  const callId = stringOrUndefined(item['call_id']);
  if (!callId) throw new RequestProblem(`${at}.call_id is missing.`, `${at}.call_id`);
  const parts = decodeContent(item['output'], `${at}.output`, draft.unplaced);
  const content = parts.filter((part) => part.type === 'text' || part.type === 'image' || part.type === 'file');
  const isError = item['status'] === 'incomplete' ? { isError: true } : {};
  return { type: 'tool-result', callId, content, ...isError };
}

function addThought(item: JsonObject, draft: Draft): void {
  const id = stringOrUndefined(item['id']);
  const encrypted = stringOrUndefined(item['encrypted_content']) ?? stringOrUndefined(item['signature']);
  const secret = encrypted === undefined ? undefined : openSecret(encrypted);
  if (secret?.kind === 'tool-call') {
    draft.callSignatures.set(secret.callId, secret.signature);
    return;
  }
  const part: ReasoningPart = { type: 'reasoning', text: thoughtOf(item), ...(id ? { id } : {}) };
  if (secret?.kind === 'redacted') addToAssistant({ ...part, redacted: secret.redacted }, draft);
  else addToAssistant(secret ? { ...part, signature: secret.signature } : part, draft);
}
