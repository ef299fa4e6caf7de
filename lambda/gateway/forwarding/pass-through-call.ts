import type { IncomingMessage } from 'node:http';
import { cloudflareHeaders } from '../../providers/cloudflare-gateway.ts';
import type { Provider } from '../../providers/provider.ts';
import { UpstreamError, type UpstreamExchange } from '../../providers/upstream.ts';
import { attemptLimits } from '../../routing/attempt-limits.ts';
import { classifyAnswer, type Failure, type FailureKind, retryAfterMs } from '../../routing/failure.ts';
import type { PlannedAttempt } from '../../routing/plan.ts';
import type { AttemptRecord } from '../../telemetry/request-record.ts';
import { failureOfConnection } from '../attempts/attempt.ts';
import { authorize, gatewayHeaders, readProviderKey } from '../attempts/authorize.ts';
import { failureError } from '../attempts/failure-error.ts';
import { type Guard, guardExchange } from '../attempts/guard.ts';
import { failureOfKey, forgetRefusedToken, isCloudflareGateway, secretsIn } from '../attempts/prepare-call.ts';
import { chooseKey, hasOtherKey, restKey, wantedKeys } from '../attempts/provider-keys.ts';
import { deadlinesOf } from '../caller/caller-deadline.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { passedHeaders } from './pass-through-headers.ts';

/** A call of a vendor's own API; the path may carry a query. */
export type OwnCall = { provider: Provider; path: string; model: string | undefined };

/** An answer that has begun, whatever its status. */
export type VendorResponse = {
  response: IncomingMessage;
  exchange: UpstreamExchange;
  guard: Guard;
  secret: string | undefined;
  /** What was sent and must not be told. */
  hidden: readonly string[];
};

/** Keys that are tried for one request. */
const mostTries = 3;

/** What a status says of the vendor; what a path of the caller's choice finds or not says nothing of it. */
export function failureKind(status: number): FailureKind {
  const kind = classifyAnswer(status, { message: undefined, type: undefined, param: undefined, code: undefined });
  return kind === 'not_found' ? 'rejected' : kind;
}

/**
 * Asks until a key is taken; nothing else is tried twice, since nobody knows what it does. The last answer is the caller's,
 * whatever it is. Throws `GatewayError` when there is none.
 */
export async function askVendor(call: OwnCall, exchange: Exchange, deps: GatewayDeps): Promise<VendorResponse> {
  const { request, snapshot, record } = exchange;
  const limits = attemptLimits({}, snapshot.settings.timeouts ?? {}, undefined, { inputTokens: 0, stream: false });
  const target: PlannedAttempt = {
    provider: call.provider.name,
    model: call.model ?? '',
    limits,
    reason: "the vendor's own API",
  };
  const { deadlineMs } = deadlinesOf(request, limits.totalMs, true);
  const asking: Asking = { call, exchange, target, deadlineMs, tried: [], deps };
  const attempts: AttemptRecord[] = [];
  record.attempts = attempts;
  for (let tries = 1; ; tries++) {
    const startedAtMs = deps.now();
    const outcome = await askOnce(asking);
    const failure = 'failure' in outcome ? outcome.failure : failureOf(outcome.response, deps.now());
    attempts.push({
      ...{ provider: target.provider, model: target.model, reason: target.reason, startedAtMs },
      ...{ durationMs: deps.now() - startedAtMs, outcome: failure?.kind ?? 'answered' },
      ...(failure && { status: failure.status, detail: failure.detail }),
    });
    if ('failure' in outcome) throw failureError(outcome.failure, { ...target, model: call.model ?? 'this path' });
    if (!failure || tries >= mostTries || !(await mayTryAgain(failure, outcome, asking))) return outcome;
    outcome.guard.stop();
    outcome.exchange.abort(new UpstreamError('connection', 'Another key is tried'));
  }
}

type Asking = {
  call: OwnCall;
  exchange: Exchange;
  target: PlannedAttempt;
  deadlineMs: number;
  /** Keys that were refused or limited. */
  tried: string[];
  deps: GatewayDeps;
};

type Answered = VendorResponse & { refusedToken(): boolean };

function failureOf({ statusCode: status = 0, headers }: IncomingMessage, nowMs: number): Failure | undefined {
  if (status < 400) return undefined;
  const asked = retryAfterMs(headers, nowMs);
  return { kind: failureKind(status), status, ...(asked === undefined ? {} : { retryAfterMs: asked }) };
}

/** A path of the caller's choice may be closed to a good key, so that refusals here say nothing of it elsewhere. */
async function mayTryAgain(
  failure: Failure,
  { secret, refusedToken }: Answered,
  { exchange, target, call, tried, deps }: Asking,
): Promise<boolean> {
  if (failure.kind === 'unauthorized' && refusedToken()) return true;
  if (secret === undefined || (failure.kind !== 'unauthorized' && failure.kind !== 'rate_limited')) return false;
  tried.push(secret);
  if (failure.kind === 'rate_limited' && call.model !== undefined) restKey(failure, { secret, target }, deps);
  return hasOtherKey(call.provider, { keyRange: wantedKeys(exchange.request), tried, target }, deps);
}

async function askOnce(asking: Asking): Promise<Answered | { failure: Failure }> {
  const { exchange: own, target, deadlineMs, deps } = asking;
  const { signal } = own.request;
  try {
    const prepared = await prepare(asking);
    if ('failure' in prepared) return prepared;
    const { method, call, secret, hidden, refusedToken } = prepared;
    const exchange = deps.upstream.send(method, { ...call, connectMs: target.limits.connectMs });
    const guard = guardExchange(exchange, { deadlineInMs: deadlineMs - deps.now(), signal });
    try {
      const response = await exchange.response;
      guard.expect('further piece', target.limits.idleMs);
      return { response, exchange, guard, secret, hidden, refusedToken };
    } catch (error) {
      guard.stop();
      throw error;
    }
  } catch (error) {
    return { failure: failureOfKey(error) ?? failureOfConnection(error, signal) };
  }
}

async function prepare({ call: { provider, path }, exchange, target, deadlineMs, tried, deps }: Asking) {
  const { request } = exchange;
  const { method, body, signal } = request;
  const chosen = await chooseKey(target, provider, { keyRange: wantedKeys(request), tried }, deps);
  if ('failure' in chosen) return chosen;
  const { secret } = chosen;
  const key = readProviderKey(provider, secret);
  const passed: Record<string, string> = {
    ...provider.apiHeaders,
    ...passedHeaders(request.headers, isCloudflareGateway(provider) ? cloudflareHeaders : []),
  };
  const startedMs = deps.now();
  const authorization = await authorize({ method, path, body, headers: passed }, { provider, key }, deps, {
    deadlineMs,
    signal,
  });
  if (!authorization) return { failure: { kind: 'no_secret' as const } };
  const hasBody = body.length > 0 || !/^(GET|HEAD|DELETE|OPTIONS)$/.test(method);
  const opening = { ...authorization.headers, ...(await gatewayHeaders(provider, deps)) };
  const headers = {
    ...passed,
    ...(hasBody ? { 'content-length': String(body.length) } : {}),
    'accept-encoding': 'identity',
    ...opening,
    ...provider.headers,
  };
  return {
    method,
    secret,
    hidden: secretsIn(opening, secret),
    call: { origin: provider.origin, path, headers, body },
    refusedToken: () =>
      forgetRefusedToken({ key, authorization }, { kind: 'unauthorized', status: 401 }, startedMs, deps),
  };
}
