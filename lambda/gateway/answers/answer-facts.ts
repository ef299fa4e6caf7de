import type { IncomingMessage } from 'node:http';
import type { ChatEvent } from '../../dialects/chat-event.ts';
import type { VendorDialect } from '../../dialects/dialect.ts';
import { isObject, parseJson } from '../../dialects/json-value.ts';
import { readBody } from '../../providers/read-body.ts';
import { classifyErrorInside, type Failure } from '../../routing/failure.ts';
import type { ChoiceWatch } from './choice-watch.ts';
import type { RelayedFacts, RelayedStream } from './relay-stream.ts';

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

/** Tells the watch what an event says of its choice. */
export function watchEvent(choices: ChoiceWatch, event: ChatEvent): void {
  if (!('choice' in event)) return;
  if (event.type === 'finish') choices.finish(event.choice);
  else choices.begin(event.choice);
}

/** A complete answer: its bytes, its events, and what of them may be told to the log, which its content may not. */
export type DecodedAnswer = { body: Buffer; events: readonly ChatEvent[]; facts: RelayedFacts };

/** Reads a whole buffered answer by the vendor's decoder; an answer that is an error, or none, is a failure. */
export async function readDecoded(
  response: IncomingMessage,
  vendor: VendorDialect,
  mostBytes: number,
): Promise<{ failure: Failure } | DecodedAnswer> {
  const { body, full } = await readBody(response, mostBytes);
  const parsed = full ? parseJson(body.toString('utf8')) : undefined;
  const events = isObject(parsed) ? decodedOrNothing(() => vendor.decodeResponse(parsed)) : undefined;
  if (!events) return { failure: { kind: 'bad_response', status: 200, detail: 'It sent no answer of its API' } };
  const seen: RelayedStream = { failure: undefined };
  for (const event of events) addFacts(seen, event);
  const { failure, ...facts } = seen;
  return failure ? { failure } : { body, events, facts };
}

function decodedOrNothing(decode: () => readonly ChatEvent[]): readonly ChatEvent[] | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
