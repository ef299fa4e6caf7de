import type { Snapshot } from '../config/snapshot.ts';
import type { ClientDialect, RequestContext } from '../dialects/dialect.ts';
import { RequestProblem } from '../dialects/request-problem.ts';
import { UpstreamError } from '../providers/upstream.ts';
import { type PlannedAttempt, planAttempts } from '../routing/plan.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';
import { type AttemptContext, type AttemptOutcome, failureOfConnection, tellable } from './attempt.ts';
import { type ClientCall, readClientCall } from './client-call.ts';
import type { GatewayRequest, Sink } from './exchange.ts';
import { failureError } from './failure-error.ts';
import type { Caller, GatewayDeps } from './gateway-deps.ts';
import { asGatewayError, callerError, GatewayError } from './gateway-error.ts';
import { requireModel } from './models.ts';
import { routingRequest } from './routing-facts.ts';
import { type AttemptRecord, runPlan } from './run-plan.ts';

/** One request on its way through the gateway, with what becomes known of it. */
export type Exchange = {
  request: GatewayRequest;
  sink: Sink;
  caller: Caller;
  snapshot: Snapshot;
  record: RequestRecord;
};

/** How the caller speaks, and what the path said of the request. */
export type Conversation = { client: ClientDialect; context: RequestContext };

/** The name is the caller's text, of any length. */
const longestLoggedModel = 200;

/** Answers a chat request of any dialect: decode, plan, attempt, relay. Throws `GatewayError` while nothing was sent. */
export async function converse(
  exchange: Exchange,
  { client, context: wanted }: Conversation,
  deps: GatewayDeps,
): Promise<void> {
  const { request, caller, snapshot, record } = exchange;
  const call = decode(client, request, wanted);
  record.requestModel = call.model?.slice(0, longestLoggedModel);
  record.stream = call.stream;
  const plan = planAttempts({
    snapshot,
    model: requireModel(snapshot, call.model, caller),
    live: await deps.live(),
    request: routingRequest(call, request),
    nowMs: deps.now(),
    entropy: deps.random(),
  });
  const totalMs = plan.attempts[0]?.limits.totalMs ?? 0;
  const context: AttemptContext = {
    call,
    snapshot,
    forwardedHeaders: forwardedHeaders(request.headers),
    dropsUnsupported: request.headers['x-sluice-unsupported-parameters'] === 'drop',
    deadlineMs: Math.min(request.deadlineMs, request.receivedAtMs + totalMs),
    signal: request.signal,
  };
  const attempts: AttemptRecord[] = [];
  record.attempts = attempts;
  const result = await runPlan(plan.attempts, context, deps, attempts);
  if (!result) throw new GatewayError('no_target_available', 'This model has no target.');
  const { target, outcome } = result;
  record.provider = target.provider;
  record.targetModel = target.model;
  if (outcome.kind === 'failed') throw failureError(outcome.failure, target);
  record.timeToFirstChunkMs = deps.now() - request.receivedAtMs;
  exchange.sink.head(200, { ...answerHeaders(exchange, target), ...outcomeHeaders(client, outcome) });
  if (outcome.kind === 'buffered') await sendBuffered(exchange, outcome);
  else await sendStream(exchange, { target, client, outcome });
}

function decode(client: ClientDialect, request: GatewayRequest, context: RequestContext): ClientCall {
  try {
    return readClientCall(client, request.body.toString('utf8'), context);
  } catch (error) {
    if (error instanceof RequestProblem)
      throw new GatewayError('invalid_request', error.message, { param: error.param });
    throw error;
  }
}

/** Headers that carry a request's meaning to a vendor; credentials and the caller's own accounts stay here. */
const meaningfulHeaders = ['openai-beta', 'anthropic-beta', 'anthropic-version'];

function forwardedHeaders(headers: GatewayRequest['headers']): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const name of meaningfulHeaders) {
    const value = headers[name];
    if (value !== undefined) forwarded[name] = value;
  }
  return forwarded;
}

type Answered = Exclude<AttemptOutcome, { kind: 'failed' }>;

function outcomeHeaders(client: ClientDialect, { kind, dropped }: Answered): Record<string, string> {
  return {
    'content-type': kind === 'streaming' ? client.streamContentType : 'application/json',
    ...(dropped.length > 0 ? { 'x-sluice-dropped-parameters': dropped.map(encodeURIComponent).join(', ') } : {}),
  };
}

function answerHeaders({ request, snapshot, record }: Exchange, target: PlannedAttempt): Record<string, string> {
  return {
    'cache-control': 'no-cache',
    'x-request-id': request.id,
    'x-sluice-provider': target.provider,
    'x-sluice-model': encodeURI(target.model.toWellFormed()),
    'x-sluice-attempts': String(record.attempts.length),
    'x-sluice-config-version': String(snapshot.version),
  };
}

async function sendBuffered(
  { sink, record }: Exchange,
  { body, facts }: Extract<AttemptOutcome, { kind: 'buffered' }>,
): Promise<void> {
  Object.assign(record, {
    status: 200,
    usage: facts.usage,
    finishReason: facts.finishReason,
    responseModel: facts.responseModel,
  });
  await sink.end(body);
}

type Streaming = {
  target: PlannedAttempt;
  client: ClientDialect;
  outcome: Extract<AttemptOutcome, { kind: 'streaming' }>;
};

/** After the first byte a failure can only be an explicit error event, never a silent end. */
async function sendStream({ request, sink, record }: Exchange, { target, client, outcome }: Streaming): Promise<void> {
  const { relay, guard, exchange, secret } = outcome;
  try {
    const { failure, told, ...facts } = await relay(sink, guard);
    Object.assign(record, facts);
    if (failure && told) noteError(record, failureError(failure, target));
    else if (failure) await sendErrorEvent(failureError(tellable(failure, secret), target), { sink, record, client });
  } catch (thrown) {
    const error = interruption(thrown, request.signal, target);
    await sendErrorEvent(error, { sink, record, client });
    if (error.code === 'internal_error') throw error;
  } finally {
    guard.stop();
    exchange.abort(new UpstreamError('connection', 'The answer is over'));
  }
  await sink.end();
}

/** What ended a stream: the connection to the provider, the caller, or a mistake of ours. */
function interruption(thrown: unknown, signal: AbortSignal, target: PlannedAttempt): GatewayError {
  try {
    return failureError(failureOfConnection(thrown, signal), target);
  } catch (mistake) {
    return asGatewayError(mistake);
  }
}

function noteError(record: RequestRecord, error: GatewayError): void {
  record.errorCode = error.code;
  record.faultDomain = error.faultDomain;
}

async function sendErrorEvent(
  error: GatewayError,
  { sink, record, client }: Pick<Exchange, 'sink' | 'record'> & { client: ClientDialect },
): Promise<void> {
  noteError(record, error);
  await sink.write(client.encodeStreamError(callerError(error, record.requestId)));
}
