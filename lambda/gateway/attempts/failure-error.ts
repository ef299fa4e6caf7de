import type { Failure, FailureKind } from '../../routing/failure.ts';
import type { PlannedAttempt } from '../../routing/plan.ts';
import { type ErrorCode, type ErrorDetails, GatewayError } from '../gateway-error.ts';

/** What the caller is told when the last attempt failed: the vendor's own words where they are the caller's business. */
export function failureError(
  failure: Failure,
  { provider, model }: Pick<PlannedAttempt, 'provider' | 'model'>,
): GatewayError {
  const { code, message, details } = explanations[failure.kind](failure, {
    provider,
    model,
    name: `${provider}/${model}`,
  });
  return new GatewayError(code, message, { ...details, cause: failure.detail });
}

type Target = { provider: string; model: string; name: string };
type Explanation = { code: ErrorCode; message: string; details?: ErrorDetails };

const explanations: Readonly<Record<FailureKind, (failure: Failure, target: Target) => Explanation>> = {
  rejected: (failure, { name }) => ({
    code: 'invalid_request',
    message: failure.error?.message ?? `${name} refused the request with status ${failure.status}.`,
    details: passedOn(failure),
  }),
  context_length: (failure, { name }) => ({
    code: 'context_length_exceeded',
    message: failure.error?.message ?? `The request is longer than the context of ${name}.`,
    details: passedOn(failure),
  }),
  content_policy: (failure, { name }) => ({
    code: 'content_policy_violation',
    message: failure.error?.message ?? `${name} refused the request under its content policy.`,
    details: passedOn(failure),
  }),
  not_found: (failure, { provider, model }) => ({
    code: 'model_not_found',
    message: failure.error?.message ?? `${provider} has no model "${model}".`,
    details: passedOn(failure),
  }),
  not_offered: ({ detail }, { provider, name }) => ({
    code: 'invalid_request',
    message: `${provider} offers no ${detail ?? 'such endpoint'} with ${name}. Name a model of a provider that does.`,
    details: { param: 'model' },
  }),
  unsupported: ({ unsupported = [], detail }, { name }) => ({
    code: 'invalid_request',
    message: detail
      ? `${name} cannot honour the request. ${detail}`
      : `${name} cannot honour ${unsupported.map((one) => `"${one}"`).join(', ')}. Leave it out, ` +
        'or send the header `x-sluice-unsupported-parameters: drop` to have it left out.',
    details: { param: unsupported[0] ?? null },
  }),
  rate_limited: (failure, { name }) => ({
    code: 'rate_limit_exceeded',
    message: `${name} is rate limited${saying(failure)} Try again later.`,
    details: retryAfter(failure),
  }),
  overloaded: (failure, { name }) => ({
    code: 'provider_overloaded',
    message: `${name} is overloaded${saying(failure)} Try again later.`,
    details: retryAfter(failure),
  }),
  timeout: ({ detail, status }, { name }) => ({
    code: 'provider_timeout',
    message: `${name} did not answer in time: ${detail ?? `status ${status}`}. Try again, or raise its time limit.`,
  }),
  unauthorized: ({ status }, { provider }) => ({
    code: 'provider_failed',
    message: `${refusal(provider, status)} The operator must check that provider's key in the vendor secret.`,
  }),
  no_secret: ({ detail = 'no key' }, { provider }) => ({
    code: 'no_target_available',
    message: `There is ${detail} for ${provider}. The operator must put one into the vendor secret.`,
  }),
  server_error: (failure, { name }) => ({
    code: 'provider_failed',
    message: `${name} failed${saying(failure)} Try again.`,
  }),
  generation_failed: (failure, { name }) => ({
    code: 'provider_failed',
    message: failure.error?.message ?? `What the model wrote was refused by ${name} itself.`,
    details: passedOn(failure),
  }),
  bad_response: ({ detail, status = 0 }, { name }) => ({
    code: 'provider_failed',
    message: `${name} sent something that is not an answer of its API${detail ? `: ${detail}` : status >= 300 ? ` (status ${status})` : ''}.`,
  }),
  connection: ({ detail }, { name }) => ({
    code: 'provider_failed',
    message: `The connection to ${name} failed${detail ? `: ${detail}` : ''}. Try again.`,
  }),
  cancelled: () => ({ code: 'client_closed_request', message: 'The caller has gone.' }),
};

/** A key may be unusable before anybody was asked. */
function refusal(provider: string, status: number | undefined): string {
  if (status === undefined) return `The gateway's key for ${provider} cannot be used.`;
  return `${provider} refused the gateway's key with status ${status}.`;
}

function saying({ status, error }: Failure): string {
  const withStatus = status && status >= 400 ? ` (status ${status})` : '';
  return error?.message ? `${withStatus}: ${error.message.replace(/[.\s]+$/, '')}.` : `${withStatus}.`;
}

/** Status, type, parameter and code as the vendor gave them, so that the caller's SDK sees what it would see there. */
function passedOn({ status, error }: Failure): ErrorDetails {
  return {
    ...(status && status >= 400 ? { status } : {}),
    ...(error?.type ? { type: error.type } : {}),
    ...(error?.code ? { providerCode: error.code } : {}),
    param: error?.param ?? null,
  };
}

function retryAfter({ retryAfterMs }: Failure): ErrorDetails {
  return retryAfterMs === undefined
    ? {}
    : { headers: { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) } };
}
