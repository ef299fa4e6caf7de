import type { ChatRequest, Message } from '../chat-request.ts';
import { isObject, type JsonObject } from '../json-value.ts';
import type { ModelTraits } from './claude-models.ts';
import { type ContentContext, encodePart } from './encode-content.ts';

type Turn = { role: 'user' | 'assistant' | 'system'; blocks: JsonObject[] };

/** The system prompt and the messages of a request. */
export type EncodedMessages = { system: JsonObject[]; messages: JsonObject[] };

/**
 * System messages go to the front, unless the model takes them between the others. Neighbours of the same role become
 * one message, as results of tools must all stand in the message right after their calls.
 */
export function encodeMessages(request: ChatRequest, traits: ModelTraits, unsupported: Set<string>): EncodedMessages {
  const kept = request.extensions['anthropic-messages'] ?? {};
  const context = { isClaude: traits.isClaude, unsupported };
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  for (const [index, message] of request.messages.entries()) {
    const blocks = encodeParts(message, {
      ...context,
      lost: keptAt(kept['content_blocks'], index),
      detailed: keptAt(kept['block_details'], index),
    });
    if (!blocks.some(isFilled)) continue;
    if (message.role === 'user' || message.role === 'assistant') addTurn(turns, message.role, blocks);
    else if (traits.systemAnywhere && mayStand(request.messages, index)) addTurn(turns, 'system', blocks);
    else system.push(...blocks);
  }
  const messages = turns.map(({ role, blocks }, index) => {
    const content = role === 'user' ? resultsFirst(blocks) : index === turns.length - 1 ? trimmed(blocks) : blocks;
    return { role, content: contentOf(content) };
  });
  return { system, messages };
}

/** A system message may stand behind a user's turn (https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages). */
function mayStand(messages: readonly Message[], index: number): boolean {
  const next = messages[index + 1];
  return messages[index - 1]?.role === 'user' && (next === undefined || next.role === 'assistant');
}

function addTurn(turns: Turn[], role: Turn['role'], blocks: JsonObject[]): void {
  const last = turns.at(-1);
  if (last?.role === role) last.blocks.push(...blocks);
  else turns.push({ role, blocks });
}

/** Blank text alone is refused; between other blocks it is part of what was said. */
function isFilled({ type, text }: JsonObject): boolean {
  return type !== 'text' || typeof text !== 'string' || text.trim() !== '';
}

type Kept = { part: number; block: JsonObject };

/** Blocks of the caller's own that the vocabulary could not hold, see `decode-messages.ts`. */
function keptAt(kept: unknown, message: number): Kept[] {
  if (!Array.isArray(kept)) return [];
  return kept.flatMap((one) => {
    if (!isObject(one) || one['message'] !== message || !isObject(one['block'])) return [];
    return [{ part: Number(one['part']), block: one['block'] }];
  });
}

function encodeParts({ parts }: Message, context: ContentContext & { lost: Kept[]; detailed: Kept[] }): JsonObject[] {
  const { lost, detailed } = context;
  const blocks = parts.flatMap((part, index) => {
    const block = blocksAt(detailed, index)[0] ?? encodePart(part, context);
    return [...blocksAt(lost, index), ...(block ? [block] : [])];
  });
  return [...blocks, ...blocksAt(lost, parts.length)];
}

function blocksAt(kept: readonly Kept[], index: number): JsonObject[] {
  return kept.filter(({ part }) => part === index).map(({ block }) => block);
}

/** Results of tools must come before what the user says to them. */
function resultsFirst(blocks: JsonObject[]): JsonObject[] {
  const isResult = ({ type }: JsonObject) => type === 'tool_result';
  return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))];
}

/** The beginning of an answer that the model shall continue must not end with a blank. */
function trimmed(blocks: JsonObject[]): JsonObject[] {
  const filled = blocks.slice(0, blocks.findLastIndex(isFilled) + 1);
  const last = filled.at(-1);
  if (last?.['type'] !== 'text' || typeof last['text'] !== 'string') return filled;
  return [...filled.slice(0, -1), { ...last, text: last['text'].trimEnd() }];
}

function contentOf(blocks: JsonObject[]): unknown {
  const [only] = blocks;
  const isPlain = blocks.length === 1 && only?.['type'] === 'text' && Object.keys(only).length === 2;
  return isPlain ? only['text'] : blocks;
}
