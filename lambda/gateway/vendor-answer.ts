import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { AnswerContext, VendorDialect } from '../dialects/dialect.ts';
import { readChatAnswer } from '../dialects/openai-chat/answer.ts';
import { readErrorBody } from '../dialects/provider-error.ts';
import { readBody } from '../providers/read-body.ts';
import { classifyAnswer, classifyErrorInside, type Failure, retryAfterMs } from '../routing/failure.ts';
import type { ClientCall } from './client-call.ts';
import { openStream } from './open-stream.ts';
import { type Relay, type RelayedFacts, relayStream } from './relay-stream.ts';
import { openTranslated, readTranslated } from './translated-answer.ts';

/** A vendor's answer, read as far as it must be before the caller may see any of it. */
export type VendorAnswer = { failure: Failure } | { relay: Relay } | { body: Buffer | string; facts: RelayedFacts };

/** What reading an answer needs to know; without a `vendor` dialect its bytes pass unchanged. */
export type AnswerReading = {
  call: ClientCall;
  vendor: VendorDialect | undefined;
  answer: AnswerContext;
  nowMs: number;
};

const longestErrorBytes = 64 * 1024;
const longestAnswerBytes = 64 * 1024 * 1024;

export function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode <= 299;
}

/** Reads an error, a whole buffered answer, or a stream until its first content. */
export async function readVendorAnswer(response: IncomingMessage, reading: AnswerReading): Promise<VendorAnswer> {
  if (!isSuccess(response)) return readFailure(response, reading);
  const { headers, statusCode: status = 0 } = response;
  const unusable = (detail: string): VendorAnswer => ({ failure: { kind: 'bad_response', status, detail } });
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return unusable('It is compressed, unasked');
  const { call, vendor } = reading;
  const isStream = /text\/event-stream|application\/vnd\.amazon\.eventstream/i.test(headers['content-type'] ?? '');
  if (isStream && !call.stream) return unusable('It sent no chat completion');
  if (vendor && isStream) return openTranslated(response, { ...reading, vendor });
  if (vendor && !call.stream) return readTranslated(response, { ...reading, vendor }, longestAnswerBytes);
  if (isStream) {
    const opened = await openStream(response);
    if ('failure' in opened) return opened;
    return { relay: (sink, guard) => relayStream(opened.stream, sink, { keepUsageEvent: call.wantsUsage, guard }) };
  }
  const { body, full } = await readBody(response, longestAnswerBytes);
  const facts = full ? readChatAnswer(body.toString('utf8')) : undefined;
  if (facts?.error) return { failure: { kind: classifyErrorInside(facts.error), status, error: facts.error } };
  if (call.stream) return unusable('It sent no event stream');
  return facts ? { body, facts } : unusable('It sent no chat completion');
}

async function readFailure(response: IncomingMessage, { vendor, nowMs }: AnswerReading): Promise<VendorAnswer> {
  const { statusCode: status = 0, headers } = response;
  const text = (await readBody(response, longestErrorBytes)).body.toString('utf8');
  const error = vendor ? vendor.decodeError(status, singleHeaders(headers), text) : readErrorBody(text);
  const milliseconds = retryAfterMs(headers, nowMs) ?? error.retryAfterMs;
  const retry = milliseconds === undefined ? {} : { retryAfterMs: milliseconds };
  return { failure: { kind: classifyAnswer(status, error), status, error, ...retry } };
}

function singleHeaders(headers: IncomingHttpHeaders): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}
