import type { ChatEvent } from '../chat-event.ts';
import type { AnswerContext, CallerError } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';
import { endResponse, finalResponse, newResponseWriter, writeEvent } from './response-writer.ts';

/** A complete answer as a `response` object: what a stream of the same events would have ended with. */
export function encodeResponsesAnswer(events: readonly ChatEvent[], answer: AnswerContext): JsonObject {
  const writer = newResponseWriter(answer);
  for (const event of events) writeEvent(writer, event);
  return finalResponse(writer);
}

/** A streamed answer; it has no end marker, the last event is the end. */
export async function* encodeResponsesStream(
  events: AsyncIterable<ChatEvent>,
  answer: AnswerContext,
): AsyncGenerator<string> {
  const writer = newResponseWriter(answer);
  let sequence = 0;
  const written = (wireEvents: readonly JsonObject[]) =>
    wireEvents.map((event) => serialize({ ...event, sequence_number: sequence++ })).join('');

  for await (const event of events) {
    const text = written(writeEvent(writer, event));
    if (text !== '') yield text;
  }
  const end = written(endResponse(writer));
  if (end !== '') yield end;
}

function serialize(event: JsonObject): string {
  return `event: ${event['type']}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** An error as OpenAI writes it. */
export function encodeResponsesError({ message, type, param, code }: CallerError): JsonObject {
  return { error: { message, type, param, code } };
}

/**
 * The `error` event: flat as OpenAI documents it (https://platform.openai.com/docs/api-reference/responses-streaming/error),
 * with the nested object that it sends besides. Its number in the sequence is not known here.
 */
export function encodeResponsesStreamError({ message, type, param, code }: CallerError): string {
  return serialize({ type: 'error', code, message, param, error: { type, code, message, param } });
}
