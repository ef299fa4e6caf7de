import type { ProviderError } from '../dialects/provider-error.ts';

/** What one attempt suffered: a value, never an exception. */
export type FailureKind =
  | 'rate_limited'
  | 'overloaded'
  | 'timeout'
  | 'connection'
  | 'server_error'
  | 'bad_response'
  | 'unauthorized'
  | 'no_secret'
  | 'not_found'
  | 'context_length'
  | 'content_policy'
  | 'rejected'
  | 'cancelled';

export type Failure = {
  kind: FailureKind;
  /** The provider's HTTP status, when it sent one. */
  status?: number;
  error?: ProviderError;
  retryAfterMs?: number;
  /** What happened, in words that hold nothing of the request or the answer. */
  detail?: string;
};

/** What follows a failure: give up, use another key of the provider, try the same target again, or the next target. */
export type NextStep = 'stop' | 'other_key' | 'refresh_secret' | 'same_target' | 'next_target';

/** The first failure of a kind on a target leads to this step; a second one always to the next target. */
export const nextSteps: Readonly<Record<FailureKind, NextStep>> = {
  rate_limited: 'other_key',
  overloaded: 'next_target',
  // A target that stayed silent once is not asked again.
  timeout: 'next_target',
  connection: 'same_target',
  server_error: 'same_target',
  bad_response: 'next_target',
  unauthorized: 'refresh_secret',
  no_secret: 'next_target',
  not_found: 'next_target',
  // The caller's request is at fault: every target would say the same, or should.
  context_length: 'stop',
  content_policy: 'stop',
  rejected: 'stop',
  cancelled: 'stop',
};

const kindsByCode: Readonly<Record<string, FailureKind>> = {
  context_length_exceeded: 'context_length',
  content_filter: 'content_policy',
  content_policy_violation: 'content_policy',
  rate_limit_exceeded: 'rate_limited',
  insufficient_quota: 'rate_limited',
};

/** Judges a failed answer by its status and the provider's error code, never by its message. */
export function classifyAnswer(status: number, error: ProviderError): FailureKind {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 404) return 'not_found';
  if (status === 408) return 'timeout';
  if (status === 429) return 'rate_limited';
  if (status === 503 || status === 529) return 'overloaded';
  if (status >= 500) return 'server_error';
  const byCode = error.code === undefined ? undefined : kindsByCode[error.code];
  if (byCode) return byCode;
  return status >= 400 ? 'rejected' : 'bad_response';
}

/** Judges an error that came inside an answer of status 200: a numeric code there is a status. */
export function classifyErrorInside(error: ProviderError): FailureKind {
  const status = Number(error.code);
  if (status >= 400 && status <= 599) return classifyAnswer(status, error);
  return (error.code && kindsByCode[error.code]) || 'server_error';
}

/** `Retry-After` in milliseconds: seconds or an HTTP date, as RFC 9110 §10.2.3 allows, or OpenAI's `retry-after-ms`. */
export function retryAfterMs(headers: Record<string, unknown>, nowMs: number): number | undefined {
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return exact;
  const value = headers['retry-after'];
  if (typeof value !== 'string' || value === '') return undefined;
  const seconds = Number(value);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
