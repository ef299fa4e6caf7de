import type { ChatEvent } from '../chat-event.ts';
import type { AnswerContext } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';
import { type CandidateWriter, candidateWriter } from './encode-candidate.ts';
import { encodeErrorInside } from './errors.ts';
import { encodeUsage } from './usage.ts';

/** A streamed answer as server-sent events, each a whole `GenerateContentResponse`; nothing marks the end. */
export async function* encodeGeminiStream(
  events: AsyncIterable<ChatEvent>,
  answer: AnswerContext,
): AsyncGenerator<string> {
  for await (const response of encodeResponses(events, answer)) yield `data: ${JSON.stringify(response)}\r\n\r\n`;
}

/** The same as one JSON array, which callers get who do not ask for `alt=sse`. */
export async function* encodeGeminiArray(
  events: AsyncIterable<ChatEvent>,
  answer: AnswerContext,
): AsyncGenerator<string> {
  let before = '[';
  for await (const response of encodeResponses(events, answer)) {
    yield before + JSON.stringify(response);
    before = ',\r\n';
  }
  yield before === '[' ? '[]' : ']';
}

/** What finishes the choices comes last and together with the usage, as Google sends it. */
async function* encodeResponses(events: AsyncIterable<ChatEvent>, answer: AnswerContext): AsyncGenerator<JsonObject> {
  const writers = new Map<number, CandidateWriter>();
  const finished: JsonObject[] = [];
  let responseId: string | undefined;
  let last: JsonObject = {};
  const response = (fields: JsonObject): JsonObject => {
    responseId ??= answer.newId('');
    return { ...fields, modelVersion: answer.model, responseId };
  };

  for await (const event of events) {
    if (event.type === 'start') responseId = event.id;
    else if (event.type === 'usage') last = { usageMetadata: encodeUsage(event.usage, event.serviceTier) };
    else if (event.type === 'error') {
      yield encodeErrorInside(event.error);
      return;
    } else {
      const writer = writers.get(event.choice) ?? candidateWriter(answer.newId);
      writers.set(event.choice, writer);
      const { parts, fields } = writer.write(event);
      if (parts.length === 0 && !fields) continue;
      const candidate = { content: contentOf(parts), ...fields, index: event.choice };
      if (event.type === 'finish') finished.push(candidate);
      else yield response({ candidates: [candidate] });
    }
  }
  if (finished.length > 0) yield response({ candidates: finished, ...last });
}

/** The official SDK forgets a turn of which any event lacks parts, so an empty text stands for none. */
function contentOf(parts: readonly JsonObject[]): JsonObject {
  return { parts: parts.length > 0 ? parts : [{ text: '' }], role: 'model' };
}
