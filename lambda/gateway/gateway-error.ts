import type { CallerError, ClientDialect } from '../dialects/dialect.ts';

/** Who is at fault: the caller, a policy of the operator, the provider, or the gateway itself. */
export type FaultDomain = 'caller' | 'policy' | 'provider' | 'gateway';

type ErrorFacts = { status: number; type: string; faultDomain: FaultDomain };

/**
 * Every error that a caller can be told, by its `code`: HTTP status, OpenAI's `type`
 * (https://platform.openai.com/docs/guides/error-codes) and whose fault it is. Only `provider` and `gateway` count
 * against the service.
 */
export const errorCodes = {
  invalid_request: { status: 400, type: 'invalid_request_error', faultDomain: 'caller' },
  context_length_exceeded: { status: 400, type: 'invalid_request_error', faultDomain: 'caller' },
  content_policy_violation: { status: 400, type: 'invalid_request_error', faultDomain: 'caller' },
  invalid_api_key: { status: 401, type: 'invalid_request_error', faultDomain: 'caller' },
  model_not_allowed: { status: 403, type: 'invalid_request_error', faultDomain: 'policy' },
  no_target_matches: { status: 400, type: 'invalid_request_error', faultDomain: 'caller' },
  model_not_found: { status: 404, type: 'invalid_request_error', faultDomain: 'caller' },
  unknown_url: { status: 404, type: 'invalid_request_error', faultDomain: 'caller' },
  method_not_allowed: { status: 405, type: 'invalid_request_error', faultDomain: 'caller' },
  idempotency_conflict: { status: 409, type: 'invalid_request_error', faultDomain: 'caller' },
  idempotency_in_progress: { status: 409, type: 'invalid_request_error', faultDomain: 'caller' },
  request_too_large: { status: 413, type: 'invalid_request_error', faultDomain: 'caller' },
  // Nobody is left to be told: this is for the log. The status is nginx's for the same.
  client_closed_request: { status: 499, type: 'invalid_request_error', faultDomain: 'caller' },
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error', faultDomain: 'provider' },
  insufficient_quota: { status: 429, type: 'insufficient_quota', faultDomain: 'policy' },
  provider_failed: { status: 502, type: 'server_error', faultDomain: 'provider' },
  provider_overloaded: { status: 503, type: 'server_error', faultDomain: 'provider' },
  configuration_unavailable: { status: 503, type: 'server_error', faultDomain: 'gateway' },
  idempotency_unavailable: { status: 503, type: 'server_error', faultDomain: 'gateway' },
  no_target_available: { status: 503, type: 'server_error', faultDomain: 'gateway' },
  provider_timeout: { status: 504, type: 'server_error', faultDomain: 'provider' },
  internal_error: { status: 500, type: 'server_error', faultDomain: 'gateway' },
} as const satisfies Record<string, ErrorFacts>;

export type ErrorCode = keyof typeof errorCodes;

/** What may differ from the table: a vendor's own status, code and type when its error is passed on. */
export type ErrorDetails = {
  param?: string | null;
  status?: number;
  type?: string;
  providerCode?: string;
  headers?: Record<string, string>;
  /** The dialect in which it is told, where the path does not say. */
  client?: Pick<ClientDialect, 'encodeError'>;
  cause?: unknown;
};

/** An error that the caller is told. Its message may reach anyone: never a secret, a key or a prompt. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return this.details.status ?? errorCodes[this.code].status;
  }

  get faultDomain(): FaultDomain {
    return errorCodes[this.code].faultDomain;
  }
}

/** The error as dialects write it. */
export function callerError(error: GatewayError, requestId: string): CallerError {
  const { param = null, type, providerCode } = error.details;
  return {
    status: error.status,
    code: providerCode ?? error.code,
    type: type ?? errorCodes[error.code].type,
    message: error.message,
    param,
    requestId,
  };
}

/** Any thrown value as an error for the caller; what is not a `GatewayError` is our bug and stays generic. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError(
    'internal_error',
    'The gateway failed on this request. Try again; if it persists, look for the request id in the log.',
    {
      cause: thrown,
    },
  );
}

/**
 * Tells the caller of something that a table or a secret did not give, and that nobody here remembers: it is not the
 * caller's fault, and soon over.
 */
export function unavailable(what: string): (cause: unknown) => never {
  return (cause) => {
    const message = `${what} cannot be read at the moment. Try again.`;
    throw new GatewayError('configuration_unavailable', message, { headers: { 'retry-after': '1' }, cause });
  };
}

/** What was thrown where that is not what the caller is told. */
export function causeOf({ code, cause }: GatewayError): string | undefined {
  return code === 'internal_error' || code === 'configuration_unavailable' ? placeOf(cause) : undefined;
}

/** Type and place of an exception. Its message may quote what was being processed. */
function placeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause;
  const frame = cause.stack?.split('\n').find((line) => line.startsWith('    at '));
  return `${cause.name}${frame ? ` ${frame.trim()}` : ''}`;
}
