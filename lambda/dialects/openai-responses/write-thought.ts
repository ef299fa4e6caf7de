import type { ChatEvent } from '../chat-event.ts';
import type { JsonObject } from '../json-value.ts';
import { type Secret, sealSecret } from './encrypted-content.ts';
import type { ResponseWriter } from './response-writer.ts';

/** The reasoning item being written; `vendorId` is what the vendor calls it. */
export type OpenThought = { outputIndex: number; item: ThoughtItem; vendorId: string | undefined };

type SummaryPart = { type: 'summary_text'; text: string };
type ThoughtItem = { id: string; type: 'reasoning'; summary: SummaryPart[]; encrypted_content?: string };

/**
 * Adds a piece of thought; its signature ends it. Thoughts are written as summaries, which is where readers of this
 * dialect look for them.
 */
export function addThought(
  writer: ResponseWriter,
  { text, signature, redacted, id }: Extract<ChatEvent, { type: 'reasoning' }>,
): JsonObject[] {
  if (redacted !== undefined)
    return [...closeThought(writer), ...writeSecret(writer, { kind: 'redacted', redacted }, id)];
  if (!text && !signature) return [];
  const isOther = writer.thought !== undefined && id !== undefined && writer.thought.vendorId !== id;
  const events = isOther ? closeThought(writer) : [];
  const thought = writer.thought ?? openThought(writer, id, events);
  if (text) events.push(...addSummary(thought, text));
  if (!signature) return events;
  thought.item.encrypted_content = sealSecret({ kind: 'signature', signature });
  return [...events, ...closeThought(writer)];
}

function openThought(writer: ResponseWriter, vendorId: string | undefined, events: JsonObject[]): OpenThought {
  const isTaken = writer.output.some(({ id }) => id === vendorId);
  const id = vendorId === undefined || isTaken ? writer.answer.newId('rs_') : vendorId;
  const item: ThoughtItem = { id, type: 'reasoning', summary: [] };
  const outputIndex = writer.output.push(item) - 1;
  writer.thought = { outputIndex, item, vendorId };
  events.push({ type: 'response.output_item.added', output_index: outputIndex, item: { ...item, summary: [] } });
  return writer.thought;
}

function addSummary({ item, outputIndex }: OpenThought, text: string): JsonObject[] {
  const place = { item_id: item.id, output_index: outputIndex, summary_index: 0 };
  const delta = { type: 'response.reasoning_summary_text.delta', ...place, delta: text };
  const [part] = item.summary;
  if (part) {
    part.text += text;
    return [delta];
  }
  item.summary.push({ type: 'summary_text', text });
  return [{ type: 'response.reasoning_summary_part.added', ...place, part: { type: 'summary_text', text: '' } }, delta];
}

/** Ends the reasoning item, where one is being written. */
export function closeThought(writer: ResponseWriter): JsonObject[] {
  const { thought } = writer;
  if (!thought) return [];
  writer.thought = undefined;
  const { item, outputIndex } = thought;
  const place = { item_id: item.id, output_index: outputIndex, summary_index: 0 };
  const [part] = item.summary;
  const summary = part
    ? [
        { type: 'response.reasoning_summary_text.done', ...place, text: part.text },
        { type: 'response.reasoning_summary_part.done', ...place, part },
      ]
    : [];
  return [...summary, { type: 'response.output_item.done', output_index: outputIndex, item }];
}

/** A reasoning item that shows nothing, only keeps something for the next turn. */
export function writeSecret(writer: ResponseWriter, secret: Secret, vendorId?: string): JsonObject[] {
  const events: JsonObject[] = [];
  const thought = openThought(writer, vendorId, events);
  thought.item.encrypted_content = sealSecret(secret);
  return [...events, ...closeThought(writer)];
}
