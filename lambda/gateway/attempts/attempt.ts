import type { Snapshot } from '../../config/snapshot.ts';
import { isObject } from '../../dialects/json-value.ts';
import { tellableError } from '../../dialects/provider-error.ts';
import { BrokenEventError, EventTooLargeError } from '../../dialects/sse-events.ts';
import { findProvider, type Provider } from '../../providers/provider.ts';
import { UpstreamError, type UpstreamExchange } from '../../providers/upstream.ts';
import type { Failure } from '../../routing/failure.ts';
import type { LiveStats } from '../../routing/live-stats.ts';
import type { PlannedAttempt } from '../../routing/plan.ts';
import type { PromptSize } from '../../routing/score.ts';
import type { PlannedTarget } from '../../telemetry/request-record.ts';
import { followedCall, UnusableAnswerError } from '../answers/follow-answer.ts';
import { isSuccess } from '../answers/vendor-answer.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import type { BufferedAnswer, Operation, Reading, StreamedAnswer } from '../operation.ts';
import type { Timings } from '../timings.ts';
import { type Guard, guardExchange } from './guard.ts';
import { forgetRefusedToken, type PreparedCall, prepareCall } from './prepare-call.ts';
import { chooseKey, type KeyRange } from './provider-keys.ts';

/** What all attempts of one request share. */
export type AttemptContext = {
  operation: Operation;
  snapshot: Snapshot;
  /** The caller's headers that mean something to vendors. */
  forwardedHeaders: Record<string, string>;
  /** Whether the caller wants what a vendor cannot honour left out, and named in a header; absent: as the plan says. */
  dropsUnsupported: boolean | undefined;
  /** Which of a provider's keys the caller wants, if it cares. */
  keyRange: KeyRange | undefined;
  deadlineMs: number;
  /** Until when the answer must have begun; where it is buffered, until when it must be complete. */
  answerByMs: number;
  promptSize: PromptSize;
  live: LiveStats;
  /** Planned targets that were not asked after all; grows. */
  passedOver: PlannedTarget[];
  /** Will be asked when all that are planned have failed. */
  standby?: PlannedAttempt | undefined;
  signal: AbortSignal;
  timings: Timings;
};

/** How one try ended: it failed with nothing sent to the caller, or an answer is ready to be sent. */
export type AttemptOutcome =
  | { kind: 'failed'; failure: Failure; secret: string | undefined }
  | ({ kind: 'buffered'; dropped: readonly string[] } & BufferedAnswer)
  | ({
      kind: 'streaming';
      dropped: readonly string[];
      guard: Guard;
      exchange: UpstreamExchange;
      secret: string | undefined;
    } & StreamedAnswer);

/** Asks one target once. What goes wrong on the way comes back as a `Failure`. */
export async function attemptTarget(
  planned: PlannedAttempt,
  context: AttemptContext,
  deps: GatewayDeps,
): Promise<AttemptOutcome & { key?: number }> {
  const provider = findProvider(context.snapshot, planned.provider);
  if (!provider) return failed({ kind: 'not_found', detail: 'The provider cannot be called' });
  const key = await chooseKey(planned, provider, context, deps);
  if ('failure' in key) return failed(key.failure);
  const outcome = await attemptWith(planned, { provider, secret: key.secret }, context, deps);
  return key.place === undefined ? outcome : { ...outcome, key: key.place };
}

type Whom = { provider: Provider; secret: string | undefined };

async function attemptWith(
  planned: PlannedAttempt,
  whom: Whom,
  context: AttemptContext,
  deps: GatewayDeps,
): Promise<AttemptOutcome> {
  const { secret } = whom;
  const startedMs = deps.now();
  const first = await prepare(planned, whom, context, deps);
  if ('failure' in first) return failed(first.failure, secret);
  const outcome = await send(first, planned, context, deps);
  if (outcome.kind !== 'failed' || !forgetRefusedToken(first, outcome.failure, startedMs, deps)) return outcome;
  const again = await prepare(planned, whom, context, deps);
  return 'failure' in again ? failed(again.failure, secret) : send(again, planned, context, deps);
}

async function prepare(
  { model, dropsUnsupported }: PlannedAttempt,
  whom: Whom,
  context: AttemptContext,
  deps: GatewayDeps,
): Promise<PreparedCall | { failure: Failure }> {
  const plan = { ...context, model, dropsUnsupported: context.dropsUnsupported ?? dropsUnsupported ?? false };
  try {
    return await prepareCall(plan, whom, deps);
  } catch (error) {
    return { failure: failureOfConnection(error, context.signal) };
  }
}

async function send(
  prepared: PreparedCall,
  planned: PlannedAttempt,
  context: AttemptContext,
  deps: GatewayDeps,
): Promise<AttemptOutcome> {
  const { provider, outgoing, authorization } = prepared;
  const { secret } = prepared.key;
  const { unsupported, nextFetch } = outgoing;
  const { origin } = provider;
  const { connectMs } = planned.limits;
  const exchange = followedCall(
    { origin, ...prepared.call, connectMs },
    { nextFetch, provider, stream: context.operation.stream, authorization: authorization.headers },
    deps,
  );
  const guard = guardExchange(exchange, {
    deadlineInMs: context.deadlineMs - deps.now(),
    signal: context.signal,
  });
  const { firstContentMs, answerMs } = planned.limits;
  if (context.operation.stream) guard.expect('content', firstContentMs);
  else if (answerMs !== undefined) guard.expect('complete answer', answerMs);
  let streaming = false;
  const drop = () => exchange.abort(new UpstreamError('connection', 'The rest of the answer is not needed'));
  try {
    const response = await exchange.response;
    if (!isSuccess(response)) guard.expect('end of the error', planned.limits.idleMs);
    const answer = await outgoing.read(response, readingOf(prepared, context, deps));
    if ('failure' in answer) {
      drop();
      return failed(prepared.hidden().reduce(tellable, answer.failure), secret);
    }
    if ('facts' in answer) return { kind: 'buffered', ...answer, dropped: unsupported };
    streaming = true;
    guard.expect('further event', planned.limits.idleMs);
    return { kind: 'streaming', ...answer, dropped: unsupported, guard, exchange, secret };
  } catch (error) {
    drop();
    return failed(failureOfConnection(error, context.signal), secret);
  } finally {
    if (!streaming) guard.stop();
  }
}

function readingOf(
  { hidden }: Pick<Reading, 'hidden'>,
  { timings }: AttemptContext,
  { now, newId }: GatewayDeps,
): Reading {
  return { timings, hidden, now, newId };
}

function failed(failure: Failure, secret?: string): AttemptOutcome {
  return { kind: 'failed', failure: tellable(failure, secret), secret };
}

/** The failure with nothing in it that its caller must not hear. */
export function tellable(failure: Failure, secret: string | undefined): Failure {
  return failure.error ? { ...failure, error: tellableError(failure.error, secret) } : failure;
}

/** What an exception of the connection means; our own mistakes are thrown on. */
export function failureOfConnection(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted) return { kind: 'cancelled' };
  const isUnusable = [EventTooLargeError, BrokenEventError, UnusableAnswerError].some((type) => error instanceof type);
  if (isUnusable) return { kind: 'bad_response', detail: (error as Error).message };
  if (error instanceof UpstreamError) return { kind: error.kind, detail: error.message };
  if (isObject(error) && typeof error['code'] === 'string') return { kind: 'connection', detail: error['code'] };
  throw error;
}
