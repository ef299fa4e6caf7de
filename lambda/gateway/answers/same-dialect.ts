import type { IncomingMessage } from 'node:http';
import { type ChatEvent, isContent } from '../../dialects/chat-event.ts';
import type { VendorDialect } from '../../dialects/dialect.ts';
import { type EventRun, eventSplitter, parseEvent } from '../../dialects/sse-events.ts';
import type { Failure } from '../../routing/failure.ts';
import type { Sink } from '../exchange.ts';
import { addFacts, cutShort, watchEvent } from './answer-facts.ts';
import { type ChoiceWatch, watchChoices } from './choice-watch.ts';
import type { Relay, RelayedStream, RelayGuard } from './relay-stream.ts';

/** A stream of whole events on its way to the caller, read along by the vendor's decoder. */
type ReadAlong = { events: AsyncGenerator<ChatEvent>; choices: ChoiceWatch; takeBytes(): Buffer };

function readAlong(response: IncomingMessage, vendor: VendorDialect): ReadAlong {
  let ready: Buffer[] = [];
  async function* whole(): AsyncGenerator<Buffer> {
    const splitter = eventSplitter();
    for await (const piece of response as AsyncIterable<Buffer>) {
      const run = splitter.push(piece);
      if (!run) continue;
      ready.push(withoutForeignEnd(run, vendor));
      yield run.bytes;
    }
    const rest = splitter.rest();
    if (rest.length === 0) return;
    // A last event may lack its blank line; the decoder says whether it is one.
    yield Buffer.concat([rest, Buffer.from('\n\n')]);
    ready.push(rest, Buffer.from('\n\n'));
  }
  return {
    events: vendor.decodeStream(whole()),
    choices: watchChoices(),
    takeBytes() {
      const bytes = ready.length === 1 && ready[0] ? ready[0] : Buffer.concat(ready);
      ready = [];
      return bytes;
    },
  };
}

/** OpenRouter ends its Anthropic streams with OpenAI's marker too, which Anthropic's SDKs take for broken JSON. */
function withoutForeignEnd({ bytes, ends }: EventRun, { name }: VendorDialect): Buffer {
  if (name !== 'anthropic-messages' || !bytes.includes('[DONE]')) return bytes;
  const events = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
  return Buffer.concat(events.filter((event) => parseEvent(event.toString('utf8')).data?.trim() !== '[DONE]'));
}

/** Reads a stream in the caller's own dialect until its first content; its bytes pass unchanged, whole events each. */
export async function openUnchanged(
  response: IncomingMessage,
  vendor: VendorDialect,
): Promise<{ failure: Failure } | { relay: Relay }> {
  const stream = readAlong(response, vendor);
  const facts: RelayedStream = { failure: undefined };
  for (;;) {
    const next = await stream.events.next();
    if (next.done)
      return { failure: { kind: 'bad_response', status: 200, detail: 'The stream ended before any content' } };
    addFacts(facts, next.value);
    watchEvent(stream.choices, next.value);
    if (facts.failure) return { failure: facts.failure };
    if (isContent(next.value)) return { relay: (sink, guard) => relayUnchanged(stream, facts, sink, guard) };
  }
}

async function relayUnchanged(
  stream: ReadAlong,
  facts: RelayedStream,
  sink: Sink,
  guard: RelayGuard,
): Promise<RelayedStream> {
  let told = false;
  for (;;) {
    const bytes = stream.takeBytes();
    const slow = bytes.length > 0 ? sink.write(bytes) : undefined;
    if (slow !== undefined) {
      guard.pause();
      await slow;
      guard.progress();
    }
    const next = await stream.events.next();
    guard.progress();
    if (next.done) break;
    addFacts(facts, next.value);
    watchEvent(stream.choices, next.value);
    // The vendor's own error event is in the caller's dialect already.
    told ||= next.value.type === 'error';
  }
  const rest = stream.takeBytes();
  if (rest.length > 0) await sink.write(rest);
  if (told) return { ...facts, told: true };
  const isWhole = facts.finishReason !== undefined && !stream.choices.areOpen();
  return isWhole ? facts : { ...facts, failure: cutShort };
}
