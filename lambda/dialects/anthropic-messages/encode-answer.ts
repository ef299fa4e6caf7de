import type { ChatEvent } from '../chat-event.ts';
import type { AnswerContext } from '../dialect.ts';
import { isObject, type JsonObject, parseJson } from '../json-value.ts';
import { messageWriter } from './message-writer.ts';

/** An event as it is written to the caller. */
export function writeEventText(event: JsonObject): string {
  return `event: ${event['type']}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** A streamed answer; one that the vendor did not finish ends without `message_stop`. */
export async function* encodeMessageStream(
  events: AsyncIterable<ChatEvent>,
  answer: AnswerContext,
): AsyncGenerator<string> {
  const writer = messageWriter(answer);
  for await (const event of events) {
    const written = writer.write(event);
    if (written.length > 0) yield written.map(writeEventText).join('');
    if (event.type === 'error') return;
  }
  const last = writer.end();
  if (last.length > 0) yield last.map(writeEventText).join('');
}

/** A block whose pieces are still being collected. */
type Collected = { block: JsonObject; pieces: string[]; citations: unknown[] };

/** A complete answer: the fold of the events that a stream would have. */
export function encodeMessage(events: readonly ChatEvent[], answer: AnswerContext): JsonObject {
  const writer = messageWriter(answer);
  const blocks: Collected[] = [];
  let message: JsonObject = {};
  for (const event of [...events.flatMap((one) => writer.write(one)), ...writer.end()]) {
    const { type, delta, content_block: block } = event;
    const last = blocks.at(-1);
    if (type === 'message_start' && isObject(event['message'])) message = event['message'];
    else if (type === 'content_block_start' && isObject(block)) blocks.push({ block, pieces: [], citations: [] });
    else if (type === 'content_block_delta' && isObject(delta) && last) collect(last, delta);
    else if (type === 'message_delta' && isObject(delta)) message = { ...message, ...delta, usage: event['usage'] };
  }
  return { ...message, content: blocks.map(finished) };
}

function collect(collected: Collected, delta: JsonObject): void {
  const piece = delta['text'] ?? delta['thinking'] ?? delta['partial_json'];
  if (typeof piece === 'string') collected.pieces.push(piece);
  if (delta['type'] === 'citations_delta') collected.citations.push(delta['citation']);
  if (delta['type'] === 'signature_delta') collected.block = { ...collected.block, signature: delta['signature'] };
}

/** Arguments that were cut off cannot be written here, where they are an object; the reason to stop tells of it. */
function finished({ block, pieces, citations }: Collected): JsonObject {
  const text = pieces.join('');
  switch (block['type']) {
    case 'text':
      return { ...block, text, ...(citations.length > 0 ? { citations } : {}) };
    case 'thinking':
      return { ...block, thinking: text };
    case 'tool_use': {
      const input = parseJson(text);
      return { ...block, input: isObject(input) ? input : {} };
    }
    default:
      return block;
  }
}
