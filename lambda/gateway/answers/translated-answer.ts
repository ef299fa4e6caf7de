import type { IncomingMessage } from 'node:http';
import { type ChatEvent, isContent } from '../../dialects/chat-event.ts';
import type { AnswerContext, ClientDialect, VendorDialect } from '../../dialects/dialect.ts';
import type { Failure } from '../../routing/failure.ts';
import type { Sink } from '../exchange.ts';
import { addFacts, cutShort, watchEvent } from './answer-facts.ts';
import { watchChoices } from './choice-watch.ts';
import type { Relay, RelayedStream, RelayGuard } from './relay-stream.ts';

/** From which dialect into which, and what the encoder must know of the request. */
export type Translation = { client: ClientDialect; vendor: VendorDialect; answer: AnswerContext };

/** A stream as events of the vocabulary, from its first event on, and what is known of it so far. */
export type OpenEvents = { held: readonly ChatEvent[]; events: AsyncGenerator<ChatEvent>; facts: RelayedStream };

/** Reads a stream until its first content; what was read waits in `held`. */
export async function openEvents(
  response: IncomingMessage,
  vendor: Pick<VendorDialect, 'decodeStream'>,
): Promise<{ failure: Failure } | OpenEvents> {
  const events = vendor.decodeStream(response as AsyncIterable<Buffer>);
  const held: ChatEvent[] = [];
  const facts: RelayedStream = { failure: undefined };
  for (;;) {
    const next = await events.next();
    if (next.done)
      return { failure: { kind: 'bad_response', status: 200, detail: 'The stream ended before any content' } };
    held.push(next.value);
    addFacts(facts, next.value);
    if (facts.failure) return { failure: facts.failure };
    if (isContent(next.value)) return { held, events, facts };
  }
}

/** Reads a stream of another dialect until its first content; what was read waits inside the relay. */
export async function openTranslated(
  response: IncomingMessage,
  { client, vendor, answer }: Translation,
): Promise<{ failure: Failure } | { relay: Relay; opened: OpenEvents }> {
  const opened = await openEvents(response, vendor);
  if ('failure' in opened) return opened;
  return { opened, relay: (sink, guard) => relayEvents(opened, { client, answer }, sink, guard) };
}

async function relayEvents(
  opened: OpenEvents,
  { client, answer }: Omit<Translation, 'vendor'>,
  sink: Sink,
  guard: RelayGuard,
): Promise<RelayedStream> {
  // The encoder must not write an end for a stream that has none: the exception stops it.
  async function* whole(): AsyncGenerator<ChatEvent> {
    const failure = yield* readOn(opened, guard);
    if (!failure) return;
    opened.facts.failure = failure;
    throw new Interrupted();
  }
  try {
    await writeEncoded(client.encodeStream(whole(), answer), sink, () => guard);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
  return opened.facts;
}

/** The events of a stream to its end, then the failure, if it did not end as an answer must. */
export async function* readOn(
  { held, events, facts }: OpenEvents,
  guard: Pick<RelayGuard, 'progress'>,
): AsyncGenerator<ChatEvent, Failure | undefined> {
  const choices = watchChoices();
  for (const event of held) watchEvent(choices, event);
  yield* held;
  for await (const event of events) {
    guard.progress();
    addFacts(facts, event);
    watchEvent(choices, event);
    if (facts.failure) return facts.failure;
    yield event;
  }
  return facts.finishReason !== undefined && !choices.areOpen() ? undefined : cutShort;
}

/** Writes the pieces of an encoder; while the caller is the slow one, the vendor is not to blame for silence. */
export async function writeEncoded(pieces: AsyncIterable<string>, sink: Sink, guard: () => RelayGuard): Promise<void> {
  for await (const piece of pieces) {
    const slow = sink.write(piece);
    if (slow === undefined) continue;
    guard().pause();
    await slow;
    guard().progress();
  }
}

/** Ends an encoder early; the reason is known elsewhere. */
export class Interrupted extends Error {}
