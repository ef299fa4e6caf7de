import { isObject, type JsonObject, parseJson, stringOrUndefined } from '../json-value.ts';
import { type ProviderError, readErrorBody } from '../provider-error.ts';

/** Cohere's `error_type`s that have a code of OpenAI's. */
const codes: Readonly<Record<string, string>> = { TOO_MANY_TOKENS: 'context_length_exceeded' };

/** Reads `{id, message}`, to which some errors add an `error_type`. */
export function readCohereError(text: string): ProviderError {
  const error = readErrorBody(text);
  const body = parseJson(text);
  const type = isObject(body) ? stringOrUndefined(body['error_type']) : undefined;
  if (type === undefined) return error;
  return { ...error, type, code: Object.hasOwn(codes, type) ? codes[type] : type };
}

/** True for an object that is an error instead of an answer, whose `message` is an object. */
export function isCohereError(body: JsonObject): boolean {
  return typeof body['message'] === 'string' || (body['error'] !== undefined && body['error'] !== null);
}
