import { hash } from 'node:crypto';
import type { Claim, KeptAnswer } from '../store/idempotency-store.ts';
import { errorName } from '../telemetry/error-name.ts';
import { callerKeyDigest } from './caller/authenticate.ts';
import type { Exchange, GatewayRequest } from './exchange.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { GatewayError } from './gateway-error.ts';
import { recordingSink } from './recording-sink.ts';
import { serverTiming } from './timings.ts';

const leaseMs = 60_000;
const renewEveryMs = 20_000;
/** So long a table that does not answer may hold up a request, before it and at its end, however many calls that takes. */
const longestStoreMs = 1_500;
const longestKey = 255;
const replayedAtOnceBytes = 64 * 1024;

/**
 * Answers a request at most once for each `Idempotency-Key` of a caller's key: a finished answer is replayed, a running
 * one is told as 409, and so is another request under the same key. Failures are not kept, so that a retry is real.
 */
export async function idempotently(
  key: string,
  exchange: Exchange,
  deps: GatewayDeps,
  answer: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  const claim = claimOf(key, exchange.request, deps);
  const claiming = deps.idempotency.claim(claim);
  const outcome = await within(longestStoreMs, claiming).catch((error: unknown) => {
    deps.telemetry.event('IdempotencyUnavailable', { requestId: claim.owner, reason: errorName(error) });
    void letGo(claiming, claim, deps).catch(() => {});
    return undefined;
  });
  if (!outcome) return unprotected(exchange, answer);
  if (outcome.state === 'claimed') return protectedAnswer(exchange, { claim, again: outcome.again, deps }, answer);
  if (outcome.fingerprint !== claim.fingerprint) throw conflict();
  if (outcome.state !== 'answered') throw inProgress();
  await replay(outcome.answer, exchange);
}

/** The key in words that are nobody's: the caller's own key is a part of it, so keys of others are other keys. */
function claimOf(key: string, request: GatewayRequest, deps: GatewayDeps): Claim {
  if (key.trim() === '' || key.length > longestKey) {
    throw new GatewayError('invalid_request', `The header Idempotency-Key must have 1 to ${longestKey} characters.`);
  }
  const { method, path, query, body, id: owner } = request;
  const asked = new URLSearchParams(query);
  asked.delete('key');
  const nowMs = deps.now();
  return {
    id: hash('sha256', `${callerKeyDigest(request)}\n${key}`),
    fingerprint: hash('sha256', `${method} ${path}?${asked}\n${hash('sha256', body)}`),
    owner,
    nowMs,
    leaseUntilMs: nowMs + leaseMs,
  };
}

type Won = { claim: Claim; again: boolean; deps: GatewayDeps };

/**
 * Answers under a lease that is renewed while the process lives. The answer is kept before the caller has its end, and a
 * caller who leaves does not stop it: what was paid for shall be there for the retry.
 */
async function protectedAnswer(
  exchange: Exchange,
  { claim, again, deps }: Won,
  answer: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  const { idempotency, now } = deps;
  const { record } = exchange;
  const renewal = setInterval(() => {
    // The lease outlasts two of these that fail.
    idempotency.renew(claim, now() + leaseMs).catch(() => {});
  }, renewEveryMs).unref();
  const settle = async (kept: KeptAnswer | 'too large' | undefined) => {
    clearInterval(renewal);
    const isWhole = record.errorCode === undefined && record.status !== undefined && record.status < 300;
    const stored =
      isWhole && kept
        ? idempotency.finish(claim, kept === 'too large' ? undefined : kept, now())
        : idempotency.release(claim);
    await within(longestStoreMs, stored).catch((error: unknown) => {
      deps.telemetry.event('IdempotencyUnavailable', { requestId: claim.owner, reason: errorName(error) });
    });
  };
  const headers = again ? { 'x-sluice-idempotency': 'repeated' } : {};
  const sink = recordingSink(exchange.sink, { requestId: claim.owner, headers, settle });
  const request = { ...exchange.request, signal: new AbortController().signal };
  try {
    await answer({ ...exchange, request, sink });
  } catch (thrown) {
    if (!sink.hasEnded()) await settle(undefined);
    throw thrown;
  }
}

/** A claim that nobody heard of may have been written all the same; a retry must not wait for the end of its lease. */
async function letGo(claiming: Promise<unknown>, claim: Claim, { idempotency }: GatewayDeps): Promise<void> {
  await claiming.catch(() => {});
  await idempotency.release(claim);
}

/** The table is out of reach. An outage of it must not be one of the gateway, unless the caller prefers that. */
async function unprotected(exchange: Exchange, answer: (exchange: Exchange) => Promise<void>): Promise<void> {
  const { request, sink } = exchange;
  if (request.headers['x-sluice-idempotency']?.trim().toLowerCase() === 'required') {
    throw new GatewayError(
      'idempotency_unavailable',
      'Idempotency keys cannot be checked at the moment, so the request was not sent. Try again.',
      { headers: { 'retry-after': '1' } },
    );
  }
  const head: typeof sink.head = (status, headers) =>
    sink.head(status, { ...headers, 'x-sluice-idempotency': 'unavailable' });
  await answer({ ...exchange, sink: { ...sink, head } });
}

async function replay({ requestId, status, headers, body }: KeptAnswer, exchange: Exchange): Promise<void> {
  const { sink, record, timings } = exchange;
  record.replayOf = requestId;
  sink.head(status, {
    ...headers,
    'x-request-id': record.requestId,
    'server-timing': serverTiming(timings),
    'x-sluice-idempotent-replay': 'true',
    'x-sluice-original-request-id': requestId,
  });
  for (let start = 0; start < body.length; start += replayedAtOnceBytes) {
    await sink.write(body.subarray(start, start + replayedAtOnceBytes));
  }
  await sink.end();
}

function conflict(): GatewayError {
  return new GatewayError(
    'idempotency_conflict',
    'This Idempotency-Key was used for another request. Use a new key for each request, and the same one for its retries.',
  );
}

function inProgress(): GatewayError {
  return new GatewayError(
    'idempotency_in_progress',
    'The first request with this Idempotency-Key is still being answered. Try again to get its answer.',
    { headers: { 'retry-after': '1' } },
  );
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoreTimeout()), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

class StoreTimeout extends Error {
  override name = 'StoreTimeout';
}
