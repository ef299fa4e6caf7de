import type { ChatEvent } from '../chat-event.ts';
import type { AnswerContext } from '../dialect.ts';
import { isObject, type JsonObject } from '../json-value.ts';
import { type CandidateWriter, candidateWriter } from './encode-candidate.ts';
import { encodeErrorInside } from './errors.ts';
import { encodeUsage } from './usage.ts';

/** A complete answer as a `GenerateContentResponse`. */
export function encodeGeminiAnswer(events: readonly ChatEvent[], answer: AnswerContext): JsonObject {
  const start = events.find((event) => event.type === 'start');
  const usage = events.findLast((event) => event.type === 'usage');
  const error = events.find((event) => event.type === 'error');
  if (error) return encodeErrorInside(error.error);
  const writers = new Map<number, { writer: CandidateWriter; parts: JsonObject[]; fields: JsonObject }>();
  for (const event of events) {
    if (!('choice' in event)) continue;
    const state = writers.get(event.choice) ?? { writer: candidateWriter(answer.newId), parts: [], fields: {} };
    writers.set(event.choice, state);
    const { parts, fields = {} } = state.writer.write(event);
    state.parts.push(...parts);
    state.fields = joinLogprobs(state.fields, fields);
  }
  const candidates = [...writers].toSorted(([a], [b]) => a - b);
  return {
    candidates: candidates.map(([index, { parts, fields }]) => ({ ...contentOf(parts), ...fields, index })),
    ...(usage ? { usageMetadata: encodeUsage(usage.usage, usage.serviceTier) } : {}),
    modelVersion: answer.model,
    responseId: start?.id ?? answer.newId(''),
  };
}

/** A candidate that was withheld has no content. */
function contentOf(pieces: readonly JsonObject[]): JsonObject {
  const parts = joinTexts(pieces);
  return parts.length > 0 ? { content: { parts, role: 'model' } } : {};
}

/** Pieces of one text become one part, so do pieces of one thought up to its signature. */
function joinTexts(pieces: readonly JsonObject[]): JsonObject[] {
  const joined: { part: JsonObject; texts: string[] }[] = [];
  for (const part of pieces) {
    const last = joined.at(-1);
    const isSame =
      last !== undefined &&
      last.texts.length > 0 &&
      typeof part['text'] === 'string' &&
      last.part['thoughtSignature'] === undefined &&
      last.part['thought'] === part['thought'];
    if (isSame) {
      last.part = { ...last.part, ...part };
      last.texts.push(part['text'] as string);
    } else joined.push({ part, texts: typeof part['text'] === 'string' ? [part['text']] : [] });
  }
  return joined.map(({ part, texts }) => (texts.length > 0 ? { ...part, text: texts.join('') } : part));
}

function joinLogprobs(before: JsonObject, added: JsonObject): JsonObject {
  const { logprobsResult: first } = before;
  const { logprobsResult: second } = added;
  if (!isObject(first) || !isObject(second)) return { ...before, ...added };
  const join = (key: string) => [...((first[key] as unknown[]) ?? []), ...((second[key] as unknown[]) ?? [])];
  return {
    ...before,
    ...added,
    logprobsResult: { chosenCandidates: join('chosenCandidates'), topCandidates: join('topCandidates') },
  };
}
