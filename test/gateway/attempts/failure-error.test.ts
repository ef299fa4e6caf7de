import { describe, expect, test } from '@jest/globals';
import { failureError } from '../../../lambda/gateway/attempts/failure-error.ts';
import { callerError } from '../../../lambda/gateway/gateway-error.ts';
import { classifyAnswer, type Failure, type FailureKind } from '../../../lambda/routing/failure.ts';
import { defaultLimits } from '../../../lambda/routing/plan.ts';

const target = { provider: 'acme', model: 'm', limits: defaultLimits, reason: '' };
const said = { message: 'their words', type: 'their_type', param: 'their_param', code: 'their_code' };

describe('failureError', () => {
  test.each<[FailureKind, Partial<Failure>, number, string, RegExp]>([
    ['rejected', { status: 422, error: said }, 422, 'their_code', /^their words$/],
    ['rejected', { status: 400 }, 400, 'invalid_request', /acme\/m refused the request with status 400/],
    ['context_length', { status: 400, error: said }, 400, 'their_code', /^their words$/],
    ['context_length', {}, 400, 'context_length_exceeded', /longer than the context of acme\/m/],
    ['content_policy', { status: 200 }, 400, 'content_policy_violation', /content policy/],
    ['not_found', { status: 404, error: said }, 404, 'their_code', /^their words$/],
    ['not_found', {}, 404, 'model_not_found', /acme has no model "m"/],
    [
      'rate_limited',
      { status: 429, error: said, retryAfterMs: 1_200 },
      429,
      'rate_limit_exceeded',
      /status 429\): their words\. Try/,
    ],
    ['rate_limited', { status: 402 }, 429, 'rate_limit_exceeded', /status 402/],
    ['overloaded', { status: 503 }, 503, 'provider_overloaded', /acme\/m is overloaded \(status 503\)\./],
    ['timeout', { detail: 'No content within 5 ms' }, 504, 'provider_timeout', /No content within 5 ms/],
    ['timeout', { status: 408 }, 504, 'provider_timeout', /status 408/],
    ['unauthorized', { status: 401, error: said }, 502, 'provider_failed', /refused the gateway's key with status 401/],
    ['unauthorized', { status: 403, error: said }, 502, 'provider_failed', /operator/],
    ['no_secret', {}, 503, 'no_target_available', /no key for acme/],
    ['server_error', { status: 500, error: said }, 502, 'provider_failed', /\(status 500\): their words\./],
    ['server_error', { status: 200 }, 502, 'provider_failed', /^acme\/m failed\. Try again\.$/],
    ['bad_response', { status: 200, detail: 'It sent no event stream' }, 502, 'provider_failed', /no event stream/],
    ['bad_response', { status: 302 }, 502, 'provider_failed', /status 302/],
    ['connection', { detail: 'ECONNRESET' }, 502, 'provider_failed', /ECONNRESET/],
    ['cancelled', {}, 499, 'client_closed_request', /gone/],
  ])('tells of %s %j', (...row) => {
    const [kind, fields, status, code, message] = row;

    const error = failureError({ kind, ...fields }, target);

    expect(error.status).toBe(status);
    expect(callerError(error, 'r')).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('tells nobody that their own key is wrong because a provider refused ours', () => {
    for (let status = 300; status < 600; status++) {
      const kind = classifyAnswer(status, { ...said, code: undefined });

      const error = failureError({ kind, status, error: said }, target);

      expect(error.status).toBeGreaterThanOrEqual(400);
      expect([401, 403]).not.toContain(error.status);
    }
  });

  test('passes type and parameter on where the request is at fault, and only there', () => {
    const body = (kind: FailureKind) => callerError(failureError({ kind, status: 400, error: said }, target), 'r');

    expect(body('rejected')).toMatchObject({ type: 'their_type', param: 'their_param' });
    expect(body('server_error')).toMatchObject({ type: 'server_error', param: null });
  });

  test.each([
    [1_200, '2'],
    [0, '1'],
    [undefined, undefined],
  ])('turns %s ms into Retry-After %s', (retryAfterMs, header) => {
    const failure: Failure = { kind: 'rate_limited', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };

    expect(failureError(failure, target).details.headers?.['retry-after']).toBe(header);
  });
});
