import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject, parseJson } from '../json-value.ts';
import { readErrorBody } from '../provider-error.ts';
import { readEvents } from '../read-events.ts';
import { parseEventData } from '../sse-events.ts';
import { messageReader } from './message-reader.ts';

/** The events of a whole `message`; an error body gives one `error` event. */
export function decodeMessage(body: JsonObject): ChatEvent[] {
  if (body['type'] === 'error' || isObject(body['error'])) {
    return [{ type: 'error', error: readErrorBody(JSON.stringify(body)) }];
  }
  if (!Array.isArray(body['content'])) throw new Error('The answer is no message: it has no list of content blocks.');
  const { read, usage } = messageReader();
  return [
    ...read({ type: 'message_start', message: body }),
    ...body['content'].flatMap((block, index) => [
      ...read({ type: 'content_block_start', index, content_block: block }),
      ...read({ type: 'content_block_stop', index }),
    ]),
    ...read({ type: 'message_delta', delta: body }),
    ...usage(),
  ];
}

/** The events of a streamed message. What was counted is told also when the stream is cut. */
export async function* decodeMessageStream(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ChatEvent> {
  const reader = messageReader();
  for await (const events of readEvents(bytes)) {
    for (const { event, data } of events) {
      const parsed = event === 'error' ? parseJson(data) : parseEventData(data);
      if (event !== 'error' && !isObject(parsed)) continue;
      const failure = { error: { message: data } };
      for (const read of reader.read(isObject(parsed) ? named(parsed, event) : failure)) {
        yield read;
        if (read.type === 'error') return;
      }
    }
  }
  yield* reader.usage();
}

/** An event that is called an error is one, whatever its data say. */
function named(data: JsonObject, event: string | undefined): JsonObject {
  return event === 'error' ? { ...data, type: 'error' } : data;
}
