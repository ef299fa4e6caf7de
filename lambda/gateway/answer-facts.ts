import type { ChatEvent } from '../dialects/chat-event.ts';
import { classifyErrorInside, type Failure } from '../routing/failure.ts';
import type { RelayedStream } from './relay-stream.ts';

/** What a stream is that ended without its finish. */
export const cutShort: Failure = {
  kind: 'connection',
  status: 200,
  detail: 'The stream ended in the middle of the answer',
};

/** Adds to what is known of an answer what one more of its events says. */
export function addFacts(facts: RelayedStream, event: ChatEvent): void {
  if (event.type === 'start') facts.responseModel ??= event.model;
  else if (event.type === 'usage') facts.usage = event.usage;
  else if (event.type === 'finish') facts.finishReason = event.reason;
  else if (event.type === 'error') {
    facts.failure = { kind: classifyErrorInside(event.error), status: 200, error: event.error };
  }
}

/** What a complete answer says; undefined when it cannot be decoded. */
export function factsOf(
  decode: () => readonly ChatEvent[],
): (RelayedStream & { events: readonly ChatEvent[] }) | undefined {
  try {
    const events = decode();
    const facts: RelayedStream = { failure: undefined };
    for (const event of events) addFacts(facts, event);
    return { ...facts, events };
  } catch {
    return undefined;
  }
}
