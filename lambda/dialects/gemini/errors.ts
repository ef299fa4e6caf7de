import type { CallerError } from '../dialect.ts';
import { isObject, type JsonObject, parseJson, stringOrUndefined } from '../json-value.ts';
import { type ProviderError, readErrorBody } from '../provider-error.ts';

/** An error answer; its code is the reason that Google gives, such as `API_KEY_INVALID`, or else the status' name. */
export function decodeGeminiError(text: string): ProviderError {
  const parsed = parseJson(text);
  const body: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  const read = readErrorBody(text);
  const error = isObject(body) ? body['error'] : undefined;
  if (!isObject(error)) return read;
  const status = stringOrUndefined(error['status']);
  const code = detail(error, 'ErrorInfo')?.['reason'];
  return { ...read, type: status, code: stringOrUndefined(code) ?? status ?? read.code, ...waitIn(error) };
}

/** An error inside an answer of status 200; there the code is the HTTP status that it would have had. */
export function readErrorInside({ error }: JsonObject): ProviderError {
  if (!isObject(error)) return readErrorBody(JSON.stringify({ error: stringOrUndefined(error) }));
  const { message, code, status } = error;
  return {
    ...readErrorBody(
      JSON.stringify({ message: stringOrUndefined(message), code: typeof code === 'object' ? null : code }),
    ),
    type: stringOrUndefined(status),
    ...waitIn(error),
  };
}

function detail({ details }: JsonObject, type: string): JsonObject | undefined {
  const list = Array.isArray(details) ? details.filter(isObject) : [];
  return list.find((one) => String(one['@type']).endsWith(`google.rpc.${type}`));
}

/** `retryDelay` is a duration such as `34.4s`. */
function waitIn(error: JsonObject): { retryAfterMs?: number } {
  const delay = stringOrUndefined(detail(error, 'RetryInfo')?.['retryDelay']);
  const seconds = delay === undefined ? null : /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(delay);
  const waitMs = Math.ceil(Number(seconds?.[1] ?? 0) * 1000);
  return waitMs > 0 ? { retryAfterMs: waitMs } : {};
}

/** https://cloud.google.com/apis/design/errors#handling_errors */
const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  413: 'INVALID_ARGUMENT',
  422: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** The error as Google writes it, with its code as the reason. */
export function encodeGeminiError({ status, code, type, message, param, requestId }: CallerError): JsonObject {
  const metadata = { type, ...(param === null ? {} : { param }) };
  return {
    error: {
      code: status,
      message,
      status: statuses[status] ?? (status < 500 ? 'FAILED_PRECONDITION' : 'INTERNAL'),
      details: [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: code.toUpperCase(), domain: 'sluice', metadata },
        { '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId },
      ],
    },
  };
}
