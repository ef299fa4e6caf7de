import type { ChatRequest, Part } from '../chat-request.ts';

/**
 * True when the model shall go on in a turn whose calls come without the thoughts before them, since another vendor had
 * them. With a thinking budget Claude refuses that: "a final `assistant` message must start with a thinking block".
 */
export function lacksItsThoughts({ messages }: ChatRequest): boolean {
  const isResult = ({ type }: Part) => type === 'tool-result';
  const at = messages.findLastIndex(({ role }) => role === 'assistant');
  // What the caller says behind the results goes with them into one message.
  if (!messages.slice(at + 1).some(({ parts }) => parts.some(isResult))) return false;
  const turn = messages[at];
  const first = turn?.parts.find((part) => part.type !== 'reasoning' || part.signature || part.redacted);
  return turn !== undefined && first?.type !== 'reasoning';
}
