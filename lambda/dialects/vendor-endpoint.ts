import type { JsonObject } from './json-value.ts';
import type { Usage } from './usage.ts';

/** What vendors offer besides conversations, by OpenAI's paths. */
export const endpointNames = [
  'embeddings',
  'images/generations',
  'images/edits',
  'images/variations',
  'audio/speech',
  'audio/transcriptions',
  'audio/translations',
  'moderations',
  'rerank',
] as const;

export type EndpointName = (typeof endpointNames)[number];

/** Wire forms of an endpoint that are not OpenAI's. */
export type EndpointFormName =
  | 'cohere-embed'
  | 'cohere-rerank'
  | 'gemini-embed'
  | 'vertex-embed'
  | 'titan-embed'
  | 'bedrock-cohere-embed';

/** A request for a vendor, and what of the caller's it cannot honour. */
export type FormRequest = { body: JsonObject; unsupported: readonly string[] };

/** What an answer becomes for callers of OpenAI's form; its usage is `estimated` where the vendor counts nothing. */
export type FormAnswer = { body: JsonObject; usage: Usage | undefined; estimated?: true };

/** How a vendor writes what callers write in OpenAI's form. */
export type EndpointForm = {
  /** Throws `RequestProblem` when the request cannot be understood. */
  encodeRequest(request: JsonObject, target: { model: string }): FormRequest;
  /** Undefined when it is no answer of this form. */
  decodeAnswer(answer: JsonObject, asked: { request: JsonObject; model: string }): FormAnswer | undefined;
};
