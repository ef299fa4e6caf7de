import type { ChatEvent } from '../chat-event.ts';
import type { AnswerContext } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';
import { type CandidateWriter, candidateWriter } from './encode-candidate.ts';
import { encodeLogprobs } from './logprobs.ts';
import { encodeUsage } from './usage.ts';

/** A complete answer as a `GenerateContentResponse`. */
export function encodeGeminiAnswer(events: readonly ChatEvent[], answer: AnswerContext): JsonObject {
  const start = events.find((event) => event.type === 'start');
  const usage = events.findLast((event) => event.type === 'usage');
  const choices = new Map<number, Choice>();
  for (const event of events) {
    if (!('choice' in event)) continue;
    const state = choices.get(event.choice) ?? newChoice(answer);
    choices.set(event.choice, state);
    if (event.type === 'logprobs') state.logprobs.push(...event.content);
    else {
      const { parts, fields } = state.writer.write(event);
      state.parts.push(...parts);
      Object.assign(state.fields, fields);
    }
  }
  return {
    candidates: [...choices].toSorted(([a], [b]) => a - b).map(([index, choice]) => encodeChoice(index, choice)),
    ...(usage ? { usageMetadata: encodeUsage(usage.usage, usage.serviceTier) } : {}),
    modelVersion: answer.model,
    responseId: start?.id ?? answer.newId(''),
  };
}

type Choice = { writer: CandidateWriter; parts: JsonObject[]; fields: JsonObject; logprobs: JsonObject[] };

function newChoice({ newId }: AnswerContext): Choice {
  return { writer: candidateWriter(newId), parts: [], fields: {}, logprobs: [] };
}

/** A candidate that was withheld has no content. */
function encodeChoice(index: number, { parts, fields, logprobs }: Choice): JsonObject {
  return {
    ...(parts.length > 0 ? { content: { parts: joinTexts(parts), role: 'model' } } : {}),
    ...fields,
    ...(logprobs.length > 0 ? { logprobsResult: encodeLogprobs(logprobs) } : {}),
    index,
  };
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
