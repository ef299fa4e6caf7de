import { isObject, type JsonObject, numberOrZero, stringOrUndefined } from '../json-value.ts';
import { RequestProblem } from '../request-problem.ts';
import { plainUsage } from '../usage.ts';
import type { EndpointForm } from '../vendor-endpoint.ts';

/** A document is a text, or an object that has one. */
function textOf(document: unknown): string {
  const text = isObject(document) ? document['text'] : document;
  if (typeof text === 'string') return text;
  throw new RequestProblem('Each of "documents" must be a text, or an object with a "text".', 'documents');
}

function documentsOf({ documents }: JsonObject): string[] {
  if (!Array.isArray(documents) || documents.length === 0) {
    throw new RequestProblem('"documents" must be a list with at least one document.', 'documents');
  }
  return documents.map(textOf);
}

/**
 * Cohere's `POST /v2/rerank` (https://docs.cohere.com/reference/rerank). It takes texts alone and sends none back: callers who
 * ask for `return_documents`, as other vendors allow, get them from their own request.
 */
export const cohereRerank: EndpointForm = {
  encodeRequest(request, { model }) {
    const { return_documents: _, model: __, ...rest } = request;
    if (stringOrUndefined(request['query']) === undefined) {
      throw new RequestProblem('"query" is missing; send a text.', 'query');
    }
    return { body: { model, ...rest, documents: documentsOf(request) }, unsupported: [] };
  },
  decodeAnswer(answer, { request, model }) {
    const { results, meta } = answer;
    if (!Array.isArray(results) || !results.every(isObject)) return undefined;
    const texts = request['return_documents'] === true ? documentsOf(request) : undefined;
    const told = results.map((result) => {
      const text = texts?.[numberOrZero(result['index'])];
      return text === undefined ? result : { ...result, document: { text } };
    });
    return { body: { ...answer, model, results: told }, usage: usageOf(meta) };
  },
};

/** Searches are billed, not tokens; some models count them nevertheless. */
function usageOf(meta: unknown) {
  const tokens = isObject(meta) ? meta['tokens'] : undefined;
  if (!isObject(tokens) || typeof tokens['input_tokens'] !== 'number') return undefined;
  return plainUsage(tokens['input_tokens'], numberOrZero(tokens['output_tokens']));
}
