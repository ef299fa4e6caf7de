import { isObject, parseJson, stringOrUndefined } from '../json-value.ts';
import { type ProviderError, readErrorBody } from '../provider-error.ts';

/** Reads a problem: `{title, detail, status, invalid_fields}`. */
export function readReplicateError(text: string): ProviderError {
  const error = readErrorBody(text);
  const body = parseJson(text);
  if (!isObject(body)) return error;
  const fields = Array.isArray(body['invalid_fields']) ? body['invalid_fields'].filter(isObject) : [];
  return {
    message: (error.message ?? stringOrUndefined(body['title']))?.trim(),
    type: error.type ?? stringOrUndefined(body['title']),
    param: error.param ?? stringOrUndefined(fields[0]?.['field']),
    code: error.code,
  };
}
