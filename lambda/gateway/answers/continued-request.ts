import type { ChatRequest, Message } from '../../dialects/chat-request.ts';
import type { ClientCall } from '../caller/client-call.ts';

/** A call whose answer goes on behind `text`, and the blanks of `text` that the vendor was not shown. */
export type Continuation = { call: ClientCall; unseen: string };

/**
 * The same request with the beginning of the answer as its last message. Blanks at the end stay away: Anthropic refuses
 * them (https://docs.claude.com/en/docs/build-with-claude/working-with-messages#putting-words-in-claudes-mouth).
 */
export function continuedCall(call: ClientCall, text: string): Continuation | undefined {
  const shown = text.trimEnd();
  if (shown === '' || call.choices > 1) return undefined;
  const request = call.request();
  const continued: ChatRequest = { ...request, messages: withBeginning(request.messages, shown) };
  return { call: { ...call, rewritten: true, request: () => continued }, unseen: text.slice(shown.length) };
}

/** A beginning that the caller wrote itself is the same message. */
function withBeginning(messages: readonly Message[], text: string): readonly Message[] {
  const part = { type: 'text' as const, text };
  const last = messages.at(-1);
  if (last?.role !== 'assistant') return [...messages, { role: 'assistant', parts: [part] }];
  return [...messages.slice(0, -1), { ...last, parts: [...last.parts, part] }];
}

/** Leaves out of a continuation the blanks that the caller has already. */
export function withoutUnseen(unseen: string): (text: string) => string {
  let rest = unseen;
  return (text) => {
    let at = 0;
    while (at < text.length && at < rest.length && text[at] === rest[at]) at++;
    rest = at === text.length ? rest.slice(at) : '';
    return text.slice(at);
  };
}
