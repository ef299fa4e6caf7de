import type { EventFrame } from '../aws-event-stream.ts';
import { isObject, type JsonObject, numberOrZero, parseJson, stringOrUndefined } from '../json-value.ts';
import type { ProviderError } from '../provider-error.ts';

const longestMessage = 2000;

/** OpenAI's names for what Bedrock's exceptions mean; these also tell what the status alone does not. */
const codes: ReadonlyMap<string, string> = new Map([
  ['ThrottlingException', 'rate_limit_exceeded'],
  ['ServiceQuotaExceededException', 'insufficient_quota'],
  // It comes with status 429, though nobody asked too often.
  ['ModelNotReadyException', 'overloaded'],
]);

/** The statuses that the same exceptions have outside of a stream. */
const statuses: ReadonlyMap<string, number> = new Map([
  ['ValidationException', 400],
  ['AccessDeniedException', 403],
  ['ResourceNotFoundException', 404],
  ['ModelTimeoutException', 408],
  ['ModelNotReadyException', 503],
  ['InternalServerException', 500],
  ['ServiceUnavailableException', 503],
]);

/** Reads an error answer: its type stands in a header, `ValidationException:http://…`, or as `__type` in the body. */
export function decodeConverseError(
  headers: Readonly<Record<string, string | undefined>>,
  text: string,
): ProviderError {
  const parsed = parseJson(text);
  const body = isObject(parsed) ? parsed : {};
  const type = headers['x-amzn-errortype'] ?? stringOrUndefined(body['__type']);
  return errorOf(type && nameOf(type), body);
}

/** The failure that a complete answer is in spite of its status; undefined when it is none. */
export function readFailure(body: JsonObject): ProviderError | undefined {
  const type = stringOrUndefined(body['__type']);
  const error = errorOf(type && nameOf(type), body);
  return type || error.message ? error : undefined;
}

/** The failure that a frame of a stream tells of, `exception` or `error`; undefined for all others. */
export function readFrameError({ headers, payload }: EventFrame): ProviderError | undefined {
  const kind = headers.get(':message-type');
  if (kind !== 'exception' && kind !== 'error') return undefined;
  const parsed = parseJson(payload.toString('utf8'));
  const body = isObject(parsed) ? parsed : {};
  const name = nameOf(headers.get(':exception-type') ?? headers.get(':error-code') ?? '');
  const error = errorOf(name || undefined, body);
  const original = numberOrZero(body['originalStatusCode']);
  const status = original >= 400 ? original : statuses.get(name);
  return {
    ...error,
    message: error.message ?? headers.get(':error-message')?.slice(0, longestMessage),
    // Inside a stream a numeric code stands for the status that was not sent.
    code: codes.get(name) ?? (status === undefined ? error.code : String(status)),
  };
}

/** In frames the names begin with a small letter. */
function nameOf(type: string): string {
  const name = (type.split(':')[0] ?? '').split('#').at(-1) ?? '';
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function errorOf(type: string | undefined, body: JsonObject): ProviderError {
  const messages = [body['message'], body['Message'], body['originalMessage']];
  const message = messages.map(stringOrUndefined).find((text) => text !== undefined);
  return {
    message: message && withoutSignedText(message).slice(0, longestMessage),
    type,
    param: undefined,
    code: type && (codes.get(type) ?? type),
  };
}

/** A refused signature is answered with all that should have been signed, the session token among it. */
function withoutSignedText(message: string): string {
  return message.split(/\s*The Canonical String for this request/)[0] ?? message;
}
