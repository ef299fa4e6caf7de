import type { ChatEvent } from '../chat-event.ts';
import type { AnswerContext } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';
import { type CandidateWriter, candidateWriter } from './encode-candidate.ts';
import { encodeUsage } from './usage.ts';

/** A streamed answer as server-sent events, each a whole `GenerateContentResponse`; nothing marks the end. */
export async function* encodeGeminiStream(
  events: AsyncIterable<ChatEvent>,
  answer: AnswerContext,
): AsyncGenerator<string> {
  for await (const { body } of encodeResponses(events, answer)) yield `data: ${JSON.stringify(body)}\r\n\r\n`;
}

/**
 * The same as one JSON array, which callers get who do not ask for `alt=sse`. An answer that is not finished leaves it
 * open for the error that must follow.
 */
export async function* encodeGeminiArray(
  events: AsyncIterable<ChatEvent>,
  answer: AnswerContext,
): AsyncGenerator<string> {
  let before = '[';
  let isFinished = false;
  for await (const { body, isLast } of encodeResponses(events, answer)) {
    yield before + JSON.stringify(body);
    before = ',\r\n';
    isFinished = isLast;
  }
  if (isFinished) yield ']';
}

type Written = { body: JsonObject; isLast: boolean };

/** What finishes the choices comes last and together with the usage, as Google sends it. */
async function* encodeResponses(events: AsyncIterable<ChatEvent>, answer: AnswerContext): AsyncGenerator<Written> {
  const writers = new Map<number, CandidateWriter>();
  const finished: JsonObject[] = [];
  let responseId: string | undefined;
  let last: JsonObject = {};
  const response = (fields: JsonObject, isLast = false): Written => {
    responseId ??= answer.newId('');
    return { body: { ...fields, modelVersion: answer.model, responseId }, isLast };
  };

  for await (const event of events) {
    if (event.type === 'start') responseId = event.id;
    else if (event.type === 'usage') last = { usageMetadata: encodeUsage(event.usage, event.serviceTier) };
    else if (event.type === 'error') return;
    else {
      const writer = writers.get(event.choice) ?? candidateWriter(answer.newId);
      writers.set(event.choice, writer);
      const { parts, fields } = writer.write(event);
      if (parts.length === 0 && !fields) continue;
      const candidate = { content: contentOf(parts), ...fields, index: event.choice };
      if (event.type === 'finish') finished.push(candidate);
      else yield response({ candidates: [candidate] });
    }
  }
  if (finished.length > 0) yield response({ candidates: finished, ...last }, true);
}

/** The official SDK forgets a turn of which any event lacks parts, so an empty text stands for none. */
function contentOf(parts: readonly JsonObject[]): JsonObject {
  return { parts: parts.length > 0 ? parts : [{ text: '' }], role: 'model' };
}
