import { parseJson } from './json-value.ts';
import { eventSplitter, parseEvent } from './sse-events.ts';

/** A server-sent event that has data; `event` is undefined where the vendor does not name its events. */
export type ServerSentEvent = { event: string | undefined; data: string };

/**
 * The events of a byte stream, those that a piece completes at once. Comments and events without data are left out. An
 * event that the end of the stream leaves without its blank line is read too: some vendors end like that.
 */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<readonly ServerSentEvent[]> {
  const splitter = eventSplitter();
  for await (const piece of bytes) {
    const run = splitter.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
    if (!run) continue;
    let start = 0;
    const texts = run.ends.map((end) => {
      const text = run.bytes.toString('utf8', start, end);
      start = end;
      return text;
    });
    yield eventsOf(texts);
  }
  // As a stream still: a character that the end cuts is left out.
  const rest = new TextDecoder().decode(splitter.rest(), { stream: true });
  if (rest !== '') yield eventsOf([rest]).filter(isWhole);
}

/** The connection may end in the middle of an event, which then is none. */
function isWhole({ data }: ServerSentEvent): boolean {
  return !/^\s*[[{]/.test(data) || data.trim() === '[DONE]' || parseJson(data) !== undefined;
}

function eventsOf(texts: readonly string[]): ServerSentEvent[] {
  return texts.flatMap((text) => {
    const { event, data } = parseEvent(text);
    return data === undefined ? [] : [{ event, data }];
  });
}
