import type { Message, Part } from '../chat-request.ts';
import { isObject, type JsonObject } from '../json-value.ts';
import { RequestProblem } from '../request-problem.ts';
import { announcedSignature, decodeBlock } from './decode-content.ts';

/** A block that the vocabulary cannot hold, and where it stood: before or, with details, at part `part` of the message. */
export type KeptBlock = { message: number; part: number; block: JsonObject };

/** What of the messages the vocabulary has no place for. */
export type KeptBlocks = {
  /** Blocks without a part: server tools and their results, and what is yet unknown. */
  lost: KeptBlock[];
  /** Blocks that say more than their part does. */
  detailed: KeptBlock[];
};

/** The system prompt and the messages of a request, and what is left of them. */
export function decodeMessages(body: JsonObject): { messages: Message[]; kept: KeptBlocks } {
  const kept: KeptBlocks = { lost: [], detailed: [] };
  const { system, messages } = body;
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new RequestProblem('"messages" must be a list with at least one message.', 'messages');
  }
  const decoded: Message[] = [];
  if (system !== undefined && system !== null && system !== '') {
    decoded.push({ role: 'system', parts: decodeContent(system, 'system', 0, kept) });
  }
  for (const [index, message] of messages.entries()) {
    const where = `messages[${index}]`;
    const role = isObject(message) ? roleOf(message, where) : undefined;
    if (!isObject(message) || role === undefined) throw new RequestProblem(`"${where}" must be an object.`, where);
    decoded.push({ role, parts: decodeContent(message['content'], `${where}.content`, decoded.length, kept) });
  }
  return { messages: decoded, kept };
}

function roleOf({ role }: JsonObject, where: string): Message['role'] {
  if (role === 'user' || role === 'assistant' || role === 'system') return role;
  throw new RequestProblem(`"${where}.role" must be user, assistant or system.`, `${where}.role`);
}

function decodeContent(content: unknown, where: string, message: number, kept: KeptBlocks): Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw new RequestProblem(`"${where}" must be a string or a list of blocks.`, where);
  const parts: Part[] = [];
  let signature: string | undefined;
  for (const [index, block] of content.entries()) {
    const place = `${where}[${index}]`;
    if (!isObject(block)) throw new RequestProblem(`"${place}" must be an object.`, place);
    const announced = announcedSignature(block);
    if (announced !== undefined) {
      signature = announced;
      continue;
    }
    const { part, whole } = decodeBlock(block, place, signature);
    if (part?.type === 'tool-call') signature = undefined;
    if (!whole) (part ? kept.detailed : kept.lost).push({ message, part: parts.length, block });
    if (part) parts.push(part);
  }
  return parts;
}
