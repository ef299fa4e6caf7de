import { parseJson } from './json-value.ts';

/** Several whole events as they came: `bytes` end with an event's blank line, `ends` are the offsets behind each. */
export type EventRun = { bytes: Buffer; ends: number[] };

/** Cuts a byte stream into runs of whole server-sent events without copying or changing a byte. */
export type EventSplitter = {
  /** The events that `chunk` completes, or undefined while the first is unfinished. Throws `EventTooLargeError`. */
  push(chunk: Buffer): EventRun | undefined;
  /** The unfinished event at the end of the stream; empty when the last one was whole. */
  rest(): Buffer;
};

/** An event that does not end within the limit: no vendor sends such, so the peer is broken or hostile. */
export class EventTooLargeError extends Error {}

/** An event that is no JSON where only JSON can stand: a part of the answer is lost, and nobody can say which. */
export class BrokenEventError extends Error {
  constructor() {
    super('An event of the stream is not JSON');
  }
}

/** The JSON of an event; undefined for blanks and for OpenAI's end marker. Throws `BrokenEventError`. */
export function parseEventData(data: string): unknown {
  const parsed = parseJson(data);
  if (parsed !== undefined) return parsed;
  const text = data.trim();
  if (text === '' || text === '[DONE]') return undefined;
  throw new BrokenEventError();
}

const lineFeed = 10;
const carriageReturn = 13;

/**
 * Events end at an empty line (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream);
 * lines end with LF or CRLF. Lone CR, which the standard allows and no vendor sends, is not a line end here.
 */
export function eventSplitter(maxHeldBytes = 1024 * 1024): EventSplitter {
  let held: Buffer[] = [];
  let heldBytes = 0;
  /** What the bytes before the next one end with: nothing of interest, LF, or LF CR. */
  let before: 'other' | 'lf' | 'lf-cr' = 'other';

  const endsIn = (chunk: Buffer): number[] => {
    const ends: number[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (before === 'other') {
        const next = chunk.indexOf(lineFeed, at);
        if (next < 0) return ends;
        before = 'lf';
        at = next + 1;
        continue;
      }
      const byte = chunk[at++];
      if (byte === lineFeed) {
        ends.push(at);
        before = 'other';
      } else before = byte === carriageReturn && before === 'lf' ? 'lf-cr' : 'other';
    }
    return ends;
  };

  const hold = (bytes: Buffer) => {
    if (bytes.length === 0) return;
    held.push(bytes);
    heldBytes += bytes.length;
    if (heldBytes > maxHeldBytes) throw new EventTooLargeError(`An event of the stream exceeds ${maxHeldBytes} bytes`);
  };

  return {
    push(chunk) {
      const ends = endsIn(chunk);
      const lastEnd = ends.at(-1);
      if (lastEnd === undefined) {
        hold(chunk);
        return undefined;
      }
      const shift = heldBytes;
      const whole = chunk.subarray(0, lastEnd);
      const bytes = shift === 0 ? whole : Buffer.concat([...held, whole]);
      held = [];
      heldBytes = 0;
      hold(chunk.subarray(lastEnd));
      return { bytes, ends: shift === 0 ? ends : ends.map((end) => end + shift) };
    },
    rest: () => Buffer.concat(held),
  };
}

/** The events of bytes that hold whole events, each as its text. */
export function eventTexts(bytes: Uint8Array | string): string[] {
  const splitter = eventSplitter(Number.POSITIVE_INFINITY);
  const run = splitter.push(Buffer.from(bytes as string));
  const texts = run?.ends.map((end, index) => run.bytes.toString('utf8', run.ends[index - 1] ?? 0, end)) ?? [];
  return [...texts, splitter.rest().toString('utf8')].filter((text) => text !== '');
}

/** Name and data of one event; several `data` lines are joined by LF, one space behind the colon is dropped. */
export function parseEvent(text: string): { event: string | undefined; data: string | undefined } {
  let event: string | undefined;
  let data: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const field = line.slice(0, colon);
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
    else if (field === 'event') event = value;
  }
  return { event, data };
}
