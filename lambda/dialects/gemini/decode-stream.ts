import type { ChatEvent } from '../chat-event.ts';
import { isObject } from '../json-value.ts';
import { readEvents } from '../read-events.ts';
import { parseEventData } from '../sse-events.ts';
import { answerReader } from './decode-answer.ts';
import { readArrayItems } from './json-array-items.ts';

/**
 * The events of a streamed answer: server-sent events, or without `alt=sse` one JSON array. Nothing marks the end but
 * the end of the bytes.
 */
export async function* decodeGeminiStream(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ChatEvent> {
  const answer = answerReader();
  for await (const texts of readTexts(bytes)) {
    for (const text of texts) {
      const parsed = parseEventData(text);
      const response: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
      if (!isObject(response)) continue;
      for (const event of answer.read(response)) {
        yield event;
        if (event.type === 'error') return;
      }
    }
  }
  yield* answer.end();
}

/** The JSON texts in a stream of either form; the first byte tells which. */
async function* readTexts(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  const pieces = bytes[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let start: string | undefined;
  while (start === undefined) {
    const piece = await pieces.next();
    if (piece.done) break;
    first.push(piece.value);
    start = Buffer.from(piece.value).toString('latin1').trimStart()[0];
  }
  const all = prepend(first, pieces);
  if (start === '[' || start === '{') yield* readArrayItems(all);
  else for await (const events of readEvents(all)) yield events.map(({ data }) => data);
}

async function* prepend(first: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* first;
    for (let piece = await rest.next(); !piece.done; piece = await rest.next()) yield piece.value;
  } finally {
    await rest.return?.();
  }
}
