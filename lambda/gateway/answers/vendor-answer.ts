import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { AnswerContext, VendorDialect } from '../../dialects/dialect.ts';
import { readChatAnswer } from '../../dialects/openai-chat/answer.ts';
import type { ErrorRule } from '../../providers/catalogue-entry.ts';
import { withMeaning } from '../../providers/provider.ts';
import { readBody } from '../../providers/read-body.ts';
import { classifyAnswer, classifyErrorInside, type Failure, retryAfterMs } from '../../routing/failure.ts';
import type { ClientCall } from '../caller/client-call.ts';
import type { VendorAnswer } from '../operation.ts';
import type { Timings } from '../timings.ts';
import { readDecoded } from './answer-facts.ts';
import { openStream } from './open-stream.ts';
import { relayStream } from './relay-stream.ts';
import { openUnchanged } from './same-dialect.ts';
import { openTranslated } from './translated-answer.ts';

/** How an answer is read: in the caller's dialect, whose bytes pass unchanged, or in another one. */
export type AnswerReading = {
  call: ClientCall;
  vendor: VendorDialect;
  /** What errors of this vendor mean beyond their dialect. */
  errors: readonly ErrorRule[];
  answer: () => AnswerContext;
  timings: Timings;
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
  const isStream = /text\/event-stream|application\/vnd\.amazon\.eventstream/i.test(headers['content-type'] ?? '');
  if (isStream !== reading.call.stream) return await wrongForm(response, reading, isStream);
  return isStream ? openAnswer(response, reading) : readAnswer(response, reading);
}

/** A stream nobody asked for is not read; what comes instead of a stream may be an error that says why. */
async function wrongForm(response: IncomingMessage, reading: AnswerReading, isStream: boolean): Promise<VendorAnswer> {
  if (!isStream && reading.vendor.nextFetch) return streamWhole(response, reading);
  const answer = isStream ? undefined : await readAnswer(response, reading);
  const explained = answer && 'failure' in answer && answer.failure.error !== undefined;
  if (explained) return answer;
  const detail = isStream ? 'It sent no chat completion' : 'It sent no event stream';
  return { failure: { kind: 'bad_response', status: response.statusCode ?? 0, detail } };
}

/** Some models of a vendor that streams do not: the whole answer is told as a stream. */
async function streamWhole(response: IncomingMessage, { call, vendor, answer }: AnswerReading): Promise<VendorAnswer> {
  const decoded = await readDecoded(response, vendor, longestAnswerBytes);
  if ('failure' in decoded) return decoded;
  const { events } = decoded;
  async function* decodeStream() {
    yield* events;
  }
  return openTranslated(response, { client: call.client, vendor: { ...vendor, decodeStream }, answer: answer() });
}

async function openAnswer(response: IncomingMessage, { call, vendor, answer }: AnswerReading): Promise<VendorAnswer> {
  if (vendor.name !== call.client.name || call.client.ownFrame || call.asEvents)
    return openTranslated(response, { client: call.client, vendor, answer: answer() });
  if (vendor.name !== 'openai-chat') return openUnchanged(response, vendor);
  const opened = await openStream(response);
  if ('failure' in opened) return opened;
  return {
    relay: (sink, guard) =>
      relayStream(opened.stream, sink, { keepUsageEvent: call.wantsUsage, severalChoices: call.choices > 1, guard }),
  };
}

async function readAnswer(
  response: IncomingMessage,
  { call, vendor, answer, timings }: AnswerReading,
): Promise<VendorAnswer> {
  if (vendor.name === 'openai-chat' && call.client.name === 'openai-chat') return readChat(response);
  const decoded = await readDecoded(response, vendor, longestAnswerBytes);
  if ('failure' in decoded) return decoded;
  const { body, events, facts } = decoded;
  if (vendor.name === call.client.name) return { body, facts };
  const encode = () => JSON.stringify(call.client.encodeResponse(events, answer()));
  return { body: timings.translating(encode), facts };
}

/** As `readDecoded`, without making events of what only passes by: this is the most frequent way of all. */
async function readChat(response: IncomingMessage): Promise<VendorAnswer> {
  const { body, full } = await readBody(response, longestAnswerBytes);
  const status = response.statusCode ?? 0;
  const facts = full ? readChatAnswer(body.toString('utf8')) : undefined;
  if (facts?.error) return { failure: { kind: classifyErrorInside(facts.error), status, error: facts.error } };
  return facts ? { body, facts } : { failure: { kind: 'bad_response', status, detail: 'It sent no chat completion' } };
}

/** How a vendor's errors are read. */
export type ErrorReading = Pick<AnswerReading, 'vendor' | 'errors' | 'nowMs'>;

/** Reads an error as far as it says what went wrong. */
export async function readFailure(
  response: IncomingMessage,
  { vendor, errors, nowMs }: ErrorReading,
): Promise<{ failure: Failure }> {
  const { statusCode: status = 0, headers } = response;
  const text = (await readBody(response, longestErrorBytes)).body.toString('utf8');
  const error = withMeaning(vendor.decodeError(status, singleHeaders(headers), text), status, errors);
  const milliseconds = retryAfterMs(headers, nowMs) ?? error.retryAfterMs;
  const retry = milliseconds === undefined ? {} : { retryAfterMs: milliseconds };
  return { failure: { kind: classifyAnswer(status, error), status, error, ...retry } };
}

function singleHeaders(headers: IncomingHttpHeaders): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}
