import type { IncomingMessage } from 'node:http';
import { type ChatEvent, isContent } from '../dialects/chat-event.ts';
import type { AnswerContext, ClientDialect, VendorDialect } from '../dialects/dialect.ts';
import type { Failure } from '../routing/failure.ts';
import { addFacts, cutShort, watchEvent } from './answer-facts.ts';
import { watchChoices } from './choice-watch.ts';
import type { Sink } from './exchange.ts';
import type { Relay, RelayedStream, RelayGuard } from './relay-stream.ts';

/** From which dialect into which, and what the encoder must know of the request. */
export type Translation = { client: ClientDialect; vendor: VendorDialect; answer: AnswerContext };

/** Reads a stream of another dialect until its first content; what was read waits inside the relay. */
export async function openTranslated(
  response: IncomingMessage,
  translation: Translation,
): Promise<{ failure: Failure } | { relay: Relay }> {
  const events = translation.vendor.decodeStream(response as AsyncIterable<Buffer>);
  const held: ChatEvent[] = [];
  const facts: RelayedStream = { failure: undefined };
  for (;;) {
    const next = await events.next();
    if (next.done)
      return { failure: { kind: 'bad_response', status: 200, detail: 'The stream ended before any content' } };
    held.push(next.value);
    addFacts(facts, next.value);
    if (facts.failure) return { failure: facts.failure };
    if (isContent(next.value))
      return { relay: (sink, guard) => relayEvents({ held, events, facts, translation }, sink, guard) };
  }
}

type OpenEvents = {
  held: readonly ChatEvent[];
  events: AsyncGenerator<ChatEvent>;
  facts: RelayedStream;
  translation: Translation;
};

async function relayEvents(
  { held, events, facts, translation }: OpenEvents,
  sink: Sink,
  guard: RelayGuard,
): Promise<RelayedStream> {
  const choices = watchChoices();
  // The encoder must not write an end for a stream that has none: the exception stops it.
  async function* watched(): AsyncGenerator<ChatEvent> {
    for (const event of held) watchEvent(choices, event);
    yield* held;
    for await (const event of events) {
      guard.progress();
      addFacts(facts, event);
      watchEvent(choices, event);
      if (facts.failure) throw new Interrupted();
      yield event;
    }
    if (facts.finishReason !== undefined && !choices.areOpen()) return;
    facts.failure = cutShort;
    throw new Interrupted();
  }
  try {
    for await (const piece of translation.client.encodeStream(watched(), translation.answer)) {
      const slow = sink.write(piece);
      if (slow === undefined) continue;
      guard.pause();
      await slow;
      guard.progress();
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
  return facts;
}

/** Ends an encoder early; the reason stands in the facts. */
class Interrupted extends Error {}
