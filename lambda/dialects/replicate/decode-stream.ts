import type { ChatEvent } from '../chat-event.ts';
import { isObject, parseJson, stringOrUndefined } from '../json-value.ts';
import { readEvents, type ServerSentEvent } from '../read-events.ts';
import { readReplicateError } from './errors.ts';

/**
 * The events of a prediction's stream (https://replicate.com/docs/topics/predictions/streaming): `output` is plain text,
 * `error` and `done` are JSON. It names neither the prediction nor the model, and reports no usage.
 */
export async function* decodeReplicateStream(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ChatEvent> {
  let started = false;
  for await (const events of readEvents(bytes)) {
    for (const event of events) {
      const decoded = decodeEvent(event);
      if (!decoded) continue;
      if (!started) yield { type: 'start', id: undefined, model: undefined };
      started = true;
      yield decoded;
      if (decoded.type !== 'text') return;
    }
  }
}

function decodeEvent({ event, data }: ServerSentEvent): ChatEvent | undefined {
  if (event === 'output') return data === '' ? undefined : { type: 'text', choice: 0, text: data };
  if (event === 'error') return { type: 'error', error: readStreamError(data) };
  return event === 'done' ? doneEvent(data) : undefined;
}

function readStreamError(data: string): ReturnType<typeof readReplicateError> {
  const error = readReplicateError(data);
  return { ...error, message: error.message ?? (data.trim() || undefined) };
}

/** `done` gives a reason when the prediction did not succeed: `canceled` or `error`. A piece of it says nothing. */
function doneEvent(data: string): ChatEvent | undefined {
  const body = parseJson(data);
  if (!isObject(body)) return undefined;
  const reason = stringOrUndefined(body['reason']);
  if (!reason) return { type: 'finish', choice: 0, reason: 'stop', nativeReason: 'succeeded' };
  const message = `The prediction ended early: ${reason}`;
  return { type: 'error', error: { message, type: undefined, param: undefined, code: reason } };
}
