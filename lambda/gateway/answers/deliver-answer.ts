import type { ClientDialect } from '../../dialects/dialect.ts';
import { UpstreamError } from '../../providers/upstream.ts';
import type { Failure } from '../../routing/failure.ts';
import type { RequestRecord } from '../../telemetry/request-record.ts';
import { type AttemptOutcome, failureOfConnection, tellable } from '../attempts/attempt.ts';
import { failureError } from '../attempts/failure-error.ts';
import type { PlanOutcome } from '../attempts/run-plan.ts';
import { BrokenAnswerError, type Exchange } from '../exchange.ts';
import { asGatewayError, callerError, type GatewayError } from '../gateway-error.ts';
import { answerHeaders } from './answer-headers.ts';
import { answerMetadata, type MetadataSink, metadataSink, withMetadata } from './answer-metadata.ts';
import { keepAliveSink } from './keep-alive.ts';

type Answered = Exclude<AttemptOutcome, { kind: 'failed' }>;
type Buffered = Extract<AttemptOutcome, { kind: 'buffered' }>;
type Streaming = Extract<AttemptOutcome, { kind: 'streaming' }>;

/** An answer that is ready to be sent, and who gave it. */
export type Delivery = Pick<PlanOutcome, 'target' | 'settle'> & { client: ClientDialect; outcome: Answered };

/** Sends an answer to its end. */
export async function deliverAnswer(exchange: Exchange, delivery: Delivery): Promise<void> {
  const { client, outcome } = delivery;
  beginAnswer(exchange, outcomeHeaders(client, outcome));
  if (outcome.kind === 'buffered') return sendBuffered(exchange, outcome);
  // What only passes by is not known well enough to write something into it.
  const isKnown = outcome.contentType === undefined;
  const sink = streamSink(
    { ...exchange, metadata: exchange.metadata && isKnown },
    isKnown ? client : plainClient(client),
  );
  try {
    await sendStream({ ...exchange, sink }, { ...delivery, outcome });
  } finally {
    await sink.close();
  }
  await sink.end();
}

function plainClient({ keepAlive: _, ...client }: ClientDialect): ClientDialect {
  return client;
}

/** Sends the head of an answer that has succeeded. */
export function beginAnswer({ sink, record, timings }: Exchange, headers: Record<string, string>): void {
  sink.head(200, { 'cache-control': 'no-cache', ...answerHeaders(record, timings), ...headers });
}

/** The caller's sink; `close`, before its end, adds what was asked of whom to those who want it. */
export function streamSink({ sink, metadata, record }: Exchange, client: ClientDialect): MetadataSink {
  const told = metadata ? metadataSink(sink, client, () => answerMetadata(record)) : { ...sink, close: async () => {} };
  if (client.keepAlive === undefined) return told;
  const alive = keepAliveSink(told, client.keepAlive);
  const close = () => {
    alive.stop();
    return told.close();
  };
  return { ...alive, close };
}

function outcomeHeaders(client: ClientDialect, outcome: Answered): Record<string, string> {
  const { kind, dropped, contentType } = outcome;
  const estimated = kind === 'buffered' && outcome.facts.estimated;
  return {
    'content-type': contentType ?? (kind === 'streaming' ? client.streamContentType : 'application/json'),
    ...(estimated ? { 'x-sluice-estimated': 'true' } : {}),
    ...(dropped.length > 0 ? { 'x-sluice-dropped-parameters': dropped.map(encodeURIComponent).join(', ') } : {}),
  };
}

async function sendBuffered(
  { sink, record, metadata }: Exchange,
  { body, facts, contentType = 'application/json' }: Buffered,
): Promise<void> {
  Object.assign(record, {
    status: 200,
    usage: facts.usage,
    finishReason: facts.finishReason,
    responseModel: facts.responseModel,
    ...(facts.estimated ? { usageEstimated: true } : {}),
  });
  // Sounds and pictures have no place for it.
  const isJson = /^application\/json\b/i.test(contentType);
  await sink.end(metadata && isJson ? withMetadata(body.toString(), answerMetadata(record)) : body);
}

type StreamDelivery = Omit<Delivery, 'client' | 'outcome'> & { outcome: Streaming };

/** After the first byte a failure can only be an explicit error event, never a silent end. */
async function sendStream(exchange: Exchange, delivery: StreamDelivery & { client: ClientDialect }): Promise<void> {
  const { sink, record } = exchange;
  const { error, told } = await relayAnswer(exchange, delivery);
  if (error && !told) {
    const { contentType } = delivery.outcome;
    if (contentType && !isEventStream(contentType)) throw new BrokenAnswerError(error.message, { cause: error });
    await sink.write(delivery.client.encodeStreamError(callerError(error, record.requestId)));
  }
  if (error?.code === 'internal_error') throw error;
}

/** Relays a stream to its end, and puts into the record how it ended; `told` when the caller knows the error already. */
export async function relayAnswer(
  { request, sink, record }: Exchange,
  { target, outcome, settle }: StreamDelivery,
): Promise<{ error?: GatewayError; told?: true | undefined }> {
  const { relay, guard, exchange, secret } = outcome;
  try {
    const { failure, told, ...facts } = await relay(sink, guard);
    settle({ failure, usage: facts.usage });
    Object.assign(record, facts);
    if (!failure) return {};
    const error = failureError(tellable(failure, secret), target);
    noteBreak(record, error, failure);
    return { error, told };
  } catch (thrown) {
    const failure = interruption(thrown, request.signal);
    if (failure) settle({ failure });
    const error = failure ? failureError(failure, target) : asGatewayError(thrown);
    noteBreak(record, error, failure);
    return { error };
  } finally {
    guard.stop();
    exchange.abort(new UpstreamError('connection', 'The answer is over'));
  }
}

function isEventStream(contentType: string): boolean {
  return /^text\/event-stream\b/i.test(contentType);
}

/** What ended a stream: the connection to the provider or the caller; undefined after a mistake of ours. */
function interruption(thrown: unknown, signal: AbortSignal): Failure | undefined {
  try {
    return failureOfConnection(thrown, signal);
  } catch {
    return undefined;
  }
}

/** As `noteError`, and at the attempt whose stream it was. */
function noteBreak(record: RequestRecord, error: GatewayError, failure: Failure | undefined): void {
  noteError(record, error);
  const attempt = record.attempts.findLast(({ outcome }) => outcome === 'answered');
  if (attempt && failure) attempt.brokeOff ??= failure.kind;
}

/** Puts into the record what the caller is told. */
export function noteError(record: RequestRecord, error: GatewayError): void {
  record.errorCode = error.code;
  record.faultDomain = error.faultDomain;
}
