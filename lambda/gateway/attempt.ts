import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Snapshot } from '../config/snapshot.ts';
import { isObject } from '../dialects/json-value.ts';
import { type AnswerFacts, readChatAnswer } from '../dialects/openai-chat/answer.ts';
import { type ChatCall, forwardChatCall } from '../dialects/openai-chat/request.ts';
import { readErrorBody, tellableError } from '../dialects/provider-error.ts';
import { EventTooLargeError } from '../dialects/sse-events.ts';
import { authHeaders, endpointPath, findProvider, type Provider } from '../providers/provider.ts';
import { readBody } from '../providers/read-body.ts';
import { UpstreamError, type UpstreamExchange } from '../providers/upstream.ts';
import { classifyAnswer, classifyErrorInside, type Failure, retryAfterMs } from '../routing/failure.ts';
import type { PlannedAttempt } from '../routing/plan.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { type Guard, guardExchange } from './guard.ts';
import { type OpenStream, openStream } from './open-stream.ts';

/** What all attempts of one request share. */
export type AttemptContext = {
  call: ChatCall;
  snapshot: Snapshot;
  /** The caller's headers that mean something to vendors. */
  forwardedHeaders: Record<string, string>;
  deadlineMs: number;
  signal: AbortSignal;
};

/** How one try ended: it failed with nothing sent to the caller, or an answer is ready to be sent. */
export type AttemptOutcome =
  | { kind: 'failed'; failure: Failure; secret: string | undefined }
  | { kind: 'buffered'; body: Buffer; facts: AnswerFacts }
  | { kind: 'streaming'; stream: OpenStream; guard: Guard; exchange: UpstreamExchange; secret: string | undefined };

const longestErrorBytes = 64 * 1024;
const longestAnswerBytes = 64 * 1024 * 1024;

/** Asks one target once. What goes wrong on the way comes back as a `Failure`. */
export async function attemptTarget(
  planned: PlannedAttempt,
  context: AttemptContext,
  deps: GatewayDeps,
): Promise<AttemptOutcome> {
  const provider = findProvider(context.snapshot, planned.provider);
  const path = provider && endpointPath(provider, 'openai-chat', planned.model);
  if (!provider || !path) return failed({ kind: 'not_found', detail: 'The provider cannot be called' });
  const secret = await chooseSecret(provider, deps);
  if (secret === undefined && !provider.keyOptional) return failed({ kind: 'no_secret' });

  const body = forwardChatCall(context.call, planned.model, provider);
  const headers = outgoingHeaders(provider, secret, body, context.forwardedHeaders);
  const exchange = deps.upstream.post({
    origin: provider.origin,
    path,
    headers,
    body,
    connectMs: planned.limits.connectMs,
  });
  const guard = guardExchange(exchange, {
    deadlineInMs: context.deadlineMs - deps.now(),
    signal: context.signal,
  });
  if (context.call.stream) guard.expect('content', planned.limits.firstContentMs);
  let streaming = false;
  const drop = () => exchange.abort(new UpstreamError('connection', 'The rest of the answer is not needed'));
  try {
    const response = await exchange.response;
    if (!isSuccess(response)) guard.expect('end of the error', planned.limits.idleMs);
    const answer = await readAnswer(response, context.call.stream, deps.now());
    if ('failure' in answer) {
      drop();
      return failed(answer.failure, secret);
    }
    if ('facts' in answer) return { kind: 'buffered', ...answer };
    streaming = true;
    guard.expect('further event', planned.limits.idleMs);
    return { kind: 'streaming', stream: answer.stream, guard, exchange, secret };
  } catch (error) {
    drop();
    return failed(failureOfConnection(error, context.signal), secret);
  } finally {
    if (!streaming) guard.stop();
  }
}

function failed(failure: Failure, secret?: string): AttemptOutcome {
  return { kind: 'failed', failure: tellable(failure, secret), secret };
}

/** The failure with nothing in it that its caller must not hear. */
export function tellable(failure: Failure, secret: string | undefined): Failure {
  return failure.error ? { ...failure, error: tellableError(failure.error, secret) } : failure;
}

/** The keys of a provider, in the first entry of the vendor secret that has any. */
export async function secretsOf(provider: Provider, deps: GatewayDeps): Promise<readonly string[]> {
  const secrets = await deps.secrets.get();
  for (const name of provider.secretNames) {
    const keys = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
    if (keys && keys.length > 0) return keys;
  }
  return [];
}

async function chooseSecret(provider: Provider, deps: GatewayDeps): Promise<string | undefined> {
  if (provider.auth.kind === 'none') return undefined;
  return deps.keyRing.choose(await secretsOf(provider, deps), deps.now(), deps.random());
}

function outgoingHeaders(
  provider: Provider,
  secret: string | undefined,
  body: string,
  forwarded: Record<string, string>,
): Record<string, string> {
  return {
    ...forwarded,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    // Without it any coding would be welcome: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
    'accept-encoding': 'identity',
    'user-agent': 'sluice',
    ...authHeaders(provider.auth, secret),
    ...provider.headers,
  };
}

type Answer = { failure: Failure } | { stream: OpenStream } | { body: Buffer; facts: AnswerFacts };

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode <= 299;
}

async function readAnswer(response: IncomingMessage, wantsStream: boolean, nowMs: number): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  if (!isSuccess(response)) {
    const error = readErrorBody((await readBody(response, longestErrorBytes)).body.toString('utf8'));
    return { failure: { kind: classifyAnswer(status, error), status, error, ...retryAfter(headers, nowMs) } };
  }
  const unusable = (detail: string): Answer => ({ failure: { kind: 'bad_response', status, detail } });
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return unusable('It is compressed, unasked');
  const isStream = headers['content-type']?.toLowerCase().includes('text/event-stream') === true;
  if (isStream) return wantsStream ? openStream(response) : unusable('It sent no chat completion');
  const { body, full } = await readBody(response, longestAnswerBytes);
  const facts = full ? readChatAnswer(body.toString('utf8')) : undefined;
  if (facts?.error) return { failure: { kind: classifyErrorInside(facts.error), status, error: facts.error } };
  if (wantsStream) return unusable('It sent no event stream');
  return facts ? { body, facts } : unusable('It sent no chat completion');
}

function retryAfter(headers: IncomingHttpHeaders, nowMs: number): { retryAfterMs?: number } {
  const milliseconds = retryAfterMs(headers, nowMs);
  return milliseconds === undefined ? {} : { retryAfterMs: milliseconds };
}

/** What an exception of the connection means; our own mistakes are thrown on. */
export function failureOfConnection(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted) return { kind: 'cancelled' };
  if (error instanceof EventTooLargeError) return { kind: 'bad_response', detail: error.message };
  if (error instanceof UpstreamError) return { kind: error.kind, detail: error.message };
  if (isObject(error) && typeof error['code'] === 'string') return { kind: 'connection', detail: error['code'] };
  throw error;
}
