import type { IncomingMessage } from 'node:http';
import { type ChatEvent, isContent } from '../dialects/chat-event.ts';
import type { AnswerContext, VendorDialect } from '../dialects/dialect.ts';
import { isObject, parseJson } from '../dialects/json-value.ts';
import { readBody } from '../providers/read-body.ts';
import { classifyErrorInside, type Failure } from '../routing/failure.ts';
import type { ClientCall } from './client-call.ts';
import type { Sink } from './exchange.ts';
import type { Relay, RelayedFacts, RelayedStream, RelayGuard } from './relay-stream.ts';

type Translation = { call: ClientCall; vendor: VendorDialect; answer: AnswerContext };

/** A buffered answer of another dialect as one of the caller's own. */
export async function readTranslated(
  response: IncomingMessage,
  { call, vendor, answer }: Translation,
  mostBytes: number,
): Promise<{ failure: Failure } | { body: string; facts: RelayedFacts }> {
  const { body, full } = await readBody(response, mostBytes);
  const parsed = full ? parseJson(body.toString('utf8')) : undefined;
  const events = isObject(parsed) ? decodedOrNothing(() => vendor.decodeResponse(parsed)) : undefined;
  if (!events) return { failure: { kind: 'bad_response', status: 200, detail: 'It sent no answer of its API' } };
  const { failure, ...facts } = collectFacts(events);
  if (failure) return { failure };
  return { body: JSON.stringify(call.client.encodeResponse(events, answer)), facts };
}

function decodedOrNothing(decode: () => ChatEvent[]): ChatEvent[] | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

/** Reads a stream of another dialect until its first content; what was read waits inside the relay. */
export async function openTranslated(
  response: IncomingMessage,
  { call, vendor, answer }: Translation,
): Promise<{ failure: Failure } | { relay: Relay }> {
  const events = vendor.decodeStream(response as AsyncIterable<Buffer>);
  const held: ChatEvent[] = [];
  for (;;) {
    const next = await events.next();
    if (next.done)
      return { failure: { kind: 'bad_response', status: 200, detail: 'The stream ended before any content' } };
    held.push(next.value);
    const { failure } = collectFacts([next.value]);
    if (failure) return { failure };
    if (isContent(next.value)) break;
  }
  return { relay: (sink, guard) => relayEvents({ held, events, call, answer }, sink, guard) };
}

type OpenEvents = { held: ChatEvent[]; events: AsyncGenerator<ChatEvent>; call: ClientCall; answer: AnswerContext };

async function relayEvents(
  { held, events, call, answer }: OpenEvents,
  sink: Sink,
  guard: RelayGuard,
): Promise<RelayedStream> {
  const seen: RelayedStream = {
    usage: undefined,
    finishReason: undefined,
    responseModel: undefined,
    failure: undefined,
  };
  // The encoder must not write an end for a stream that has none: it is stopped by the exception.
  async function* watched(): AsyncGenerator<ChatEvent> {
    for (const event of held) {
      collectFacts([event], seen);
      yield event;
    }
    for await (const event of events) {
      guard.progress();
      collectFacts([event], seen);
      if (seen.failure) throw new Interrupted();
      yield event;
    }
    seen.failure = seen.finishReason === undefined ? cutShort : undefined;
    if (seen.failure) throw new Interrupted();
  }
  try {
    for await (const piece of call.client.encodeStream(watched(), answer)) {
      const slow = sink.write(piece);
      if (slow === undefined) continue;
      guard.pause();
      await slow;
      guard.progress();
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
  return seen;
}

/** Ends an encoder early; the reason stands in `failure`. */
class Interrupted extends Error {}

const cutShort: Failure = { kind: 'connection', status: 200, detail: 'The stream ended in the middle of the answer' };

/** What the log and the error event need to know of the events, added to what is known already. */
function collectFacts(events: readonly ChatEvent[], seen?: RelayedStream): RelayedStream {
  const facts = seen ?? { usage: undefined, finishReason: undefined, responseModel: undefined, failure: undefined };
  for (const event of events) {
    if (event.type === 'start') facts.responseModel ??= event.model;
    else if (event.type === 'usage') facts.usage = event.usage;
    else if (event.type === 'finish') facts.finishReason = event.reason;
    else if (event.type === 'error')
      facts.failure = { kind: classifyErrorInside(event.error), status: 200, error: event.error };
  }
  return facts;
}
