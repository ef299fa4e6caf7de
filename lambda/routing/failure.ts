import type { ProviderError } from '../dialects/provider-error.ts';

/** What one attempt suffered: a value, never an exception. */
export type FailureKind =
  | 'rate_limited'
  | 'overloaded'
  | 'timeout'
  | 'connection'
  | 'server_error'
  | 'bad_response'
  | 'generation_failed'
  | 'unauthorized'
  | 'no_secret'
  | 'not_found'
  | 'context_length'
  | 'content_policy'
  | 'rejected'
  | 'not_offered'
  | 'unsupported'
  | 'cancelled';

export type Failure = {
  kind: FailureKind;
  /** The provider's HTTP status, when it sent one. */
  status?: number;
  error?: ProviderError;
  retryAfterMs?: number;
  /** What happened, in words that hold nothing of the request or the answer. */
  detail?: string;
  /** The parameters that the target cannot honour, by the caller's own names. */
  unsupported?: readonly string[];
};

/** A map, since the code is the provider's word: an object would also know `constructor`. */
const kindsByCode: ReadonlyMap<string, FailureKind> = new Map([
  ['context_length_exceeded', 'context_length'],
  ['content_filter', 'content_policy'],
  ['content_policy_violation', 'content_policy'],
  ['rate_limit_exceeded', 'rate_limited'],
  ['insufficient_quota', 'rate_limited'],
  ['overloaded', 'overloaded'],
  ['tool_use_failed', 'generation_failed'],
  ['invalid_api_key', 'unauthorized'],
  // Google's, which come with status 400: https://ai.google.dev/gemini-api/docs/troubleshooting
  ['API_KEY_INVALID', 'unauthorized'],
]);

/** Judges a failed answer by its status and the provider's error code, never by its message. */
export function classifyAnswer(status: number, error: ProviderError): FailureKind {
  const coded = kindsByCode.get(error.code ?? '');
  // Moderation is told with 403 too.
  if (status === 401 || status === 403) return coded === 'content_policy' ? coded : 'unauthorized';
  if (status === 404) return 'not_found';
  if (status === 408) return 'timeout';
  // 402: the operator's account there is empty, which no caller can help and another key or target can.
  // Bedrock's ModelErrorException.
  if (status === 424) return 'server_error';
  if (status === 429 || status === 402) return coded === 'overloaded' ? coded : 'rate_limited';
  if (status === 503 || status === 529) return 'overloaded';
  if (status >= 500) return 'server_error';
  return coded ?? (status >= 400 ? 'rejected' : 'bad_response');
}

/** Judges an error that came inside an answer of status 200: a numeric code there is a status. */
export function classifyErrorInside(error: ProviderError): FailureKind {
  const status = Number(error.code);
  if (status >= 400 && status <= 599) return classifyAnswer(status, error);
  return kindsByCode.get(error.code ?? '') ?? 'server_error';
}

/**
 * `Retry-After` in milliseconds: seconds or an HTTP date, as RFC 9110 §10.2.3 allows, or OpenAI's `retry-after-ms`. A time
 * that is over already is none: who limits and says "at once", or whose clock is behind, would be asked without a pause.
 */
export function retryAfterMs(headers: Record<string, unknown>, nowMs: number): number | undefined {
  const milliseconds = decimal(headers['retry-after-ms']) ?? retryAfterHeaderMs(headers['retry-after'], nowMs);
  return milliseconds !== undefined && milliseconds > 0 ? milliseconds : undefined;
}

function retryAfterHeaderMs(value: unknown, nowMs: number): number | undefined {
  const seconds = decimal(value);
  if (seconds !== undefined) return seconds * 1000;
  // The parser also makes dates of other texts that hold a number; an HTTP date begins with its day.
  if (typeof value !== 'string' || !/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(value)) return undefined;
  const milliseconds = Date.parse(value) - nowMs;
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}

function decimal(value: unknown): number | undefined {
  return typeof value === 'string' && /^\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : undefined;
}
