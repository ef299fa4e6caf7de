import type { ChatEvent } from '../../lambda/dialects/chat-event.ts';
import type { Message, Part, ReasoningPart, ToolCallPart } from '../../lambda/dialects/chat-request.ts';

/** What a caller has of an answer when all its events are put together. */
export type FoldedAnswer = {
  text: string;
  reasoning: string;
  calls: { id: string; name: string; arguments: string }[];
  finish: string | undefined;
  usage: unknown;
};

/** Puts the events of choice 0 together. A call's arguments are found by its index. */
export function foldAnswer(events: readonly ChatEvent[]): FoldedAnswer {
  const folded: FoldedAnswer = { text: '', reasoning: '', calls: [], finish: undefined, usage: undefined };
  for (const event of events) {
    if (event.type === 'text') folded.text += event.text;
    else if (event.type === 'reasoning') folded.reasoning += event.text ?? '';
    else if (event.type === 'tool-call') folded.calls[event.index] = { id: event.id, name: event.name, arguments: '' };
    else if (event.type === 'tool-arguments') folded.calls[event.index]!.arguments += event.text;
    else if (event.type === 'finish') folded.finish = event.reason;
    else if (event.type === 'usage') folded.usage = event.usage;
  }
  return folded;
}

/** The answer as the message that a caller sends back with the next turn, with all signatures. */
export function answeredMessage(events: readonly ChatEvent[]): Message {
  const parts: Part[] = [];
  const calls = new Map<number, ToolCallPart>();
  for (const event of events) {
    if (event.type === 'reasoning') addThought(parts, event);
    else if (event.type === 'text') parts.push({ type: 'text', text: event.text });
    else if (event.type === 'tool-call') {
      const { id, name, signature } = event;
      const call = { type: 'tool-call' as const, id, name, arguments: '', ...(signature ? { signature } : {}) };
      calls.set(event.index, call);
      parts.push(call);
    } else if (event.type === 'tool-arguments') calls.get(event.index)!.arguments += event.text;
  }
  return { role: 'assistant', parts };
}

/** Pieces of a thought belong together until its signature came. */
function addThought(parts: Part[], event: Extract<ChatEvent, { type: 'reasoning' }>): void {
  const last = parts.at(-1);
  const { text = '', signature, redacted, id } = event;
  const more = { ...(signature ? { signature } : {}), ...(redacted ? { redacted } : {}), ...(id ? { id } : {}) };
  const open = last?.type === 'reasoning' && !last.signature && !last.redacted ? last : undefined;
  if (!open) parts.push({ type: 'reasoning', text, ...more });
  else parts[parts.length - 1] = { ...open, text: open.text + text, ...more } satisfies ReasoningPart;
}
