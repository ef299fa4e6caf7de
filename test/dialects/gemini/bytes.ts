import type { AnswerContext } from '../../../lambda/dialects/dialect.ts';
import { geminiClient } from '../../../lambda/dialects/gemini/gemini.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';

/** Pieces of a stream as the network would bring them. */
export async function* arriving<T>(pieces: Iterable<T>): AsyncGenerator<T> {
  yield* pieces;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Server-sent events as Google writes them. */
export function sse(...responses: JsonObject[]): Buffer {
  return Buffer.from(responses.map((response) => `data: ${JSON.stringify(response)}\r\n\r\n`).join(''));
}

/** A response with one candidate of these parts. */
export function response(parts: JsonObject[], fields: JsonObject = {}, top: JsonObject = {}): JsonObject {
  const candidates = [{ content: { parts, role: 'model' }, index: 0, ...fields }];
  return { candidates, modelVersion: 'gemini-3-flash', responseId: 'resp-1', ...top };
}

/** What an encoder is told about the request. */
export function answerContext(): AnswerContext {
  const request = geminiClient.decodeRequest({ contents: [{ parts: [{ text: 'hi' }] }] }, { model: 'm' });
  return { request, model: 'gemini-3-flash', nowSeconds: 1, newId: (prefix) => `${prefix}made` };
}
