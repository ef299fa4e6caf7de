import type { CallerError } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';
import { type ProviderError, readErrorBody } from '../provider-error.ts';
import { writeEventText } from './encode-answer.ts';

/** https://platform.claude.com/docs/en/api/errors */
const typesByStatus: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** Anthropic's types of errors by the statuses that they have outside of a stream. */
const statusesByType: ReadonlyMap<string, number> = new Map([
  ...Object.entries(typesByStatus).map(([status, type]) => [type, Number(status)] as const),
  ['invalid_request_error', 400],
  ['api_error', 500],
]);

/** An error inside a stream; there its code is the status that was not sent. */
export function readStreamError(event: JsonObject): ProviderError {
  const error = readErrorBody(JSON.stringify(event));
  const status = statusesByType.get(error.type ?? '');
  return status === undefined ? error : { ...error, code: error.code ?? String(status) };
}

/** An error as Anthropic's callers know it; SDKs read the code out of `details`. */
export function encodeMessagesError({ status, code, message, param, requestId }: CallerError): JsonObject {
  const type = typesByStatus[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  const details = { error_code: code, ...(param === null ? {} : { param }) };
  return { type: 'error', error: { type, message, details }, request_id: requestId };
}

/** The event that ends a stream which failed after it had begun. */
export function encodeMessagesStreamError(error: CallerError): string {
  return writeEventText(encodeMessagesError(error));
}
