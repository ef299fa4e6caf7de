import type { IncomingMessage } from 'node:http';
import { readAnyFacts } from '../../dialects/any-usage.ts';
import { isObject, type JsonObject, parseJson } from '../../dialects/json-value.ts';
import { readErrorBody } from '../../dialects/provider-error.ts';
import { parseEvent } from '../../dialects/sse-events.ts';
import type { FormAnswer } from '../../dialects/vendor-endpoint.ts';
import { readBody } from '../../providers/read-body.ts';
import { classifyErrorInside, type Failure } from '../../routing/failure.ts';
import { answerWindow } from '../answers/answer-window.ts';
import { type OpenBytes, piecesOf, relayBytes, relayEventBytes } from '../answers/relay-bytes.ts';
import { type ErrorReading, isSuccess, readFailure } from '../answers/vendor-answer.ts';
import type { VendorAnswer } from '../operation.ts';

/** How an answer is read that passes unchanged, or that another form is made of. */
export type ForwardReading = {
  errors: ErrorReading;
  /** What must not be told of it. */
  hidden: () => readonly string[];
  translate?: ((answer: JsonObject) => FormAnswer | undefined) | undefined;
};

type Hiding = Pick<ForwardReading, 'hidden'>;

/** More than this of an answer that only passes by is not kept; pictures are the long ones. */
const mostHeldBytes = 1024 * 1024;
const largestAnswerBytes = 64 * 1024 * 1024;
const mostAwaitedBytes = 64 * 1024;

/** Reads JSON as a whole, as long as it is not long; everything else until its first bytes, and lets it pass. */
export async function readForwarded(response: IncomingMessage, reading: ForwardReading): Promise<VendorAnswer> {
  if (!isSuccess(response)) return readFailure(response, reading.errors);
  const { 'content-encoding': encoding = 'identity', 'content-type': contentType = 'application/octet-stream' } =
    response.headers;
  if (encoding !== 'identity') return unusable(response, 'It is compressed, unasked');
  if (reading.translate) return translated(response, reading.translate);
  if (/^text\/event-stream\b/i.test(contentType)) return openEvents(response, contentType, reading);
  return /^application\/([\w.-]+\+)?json\b/i.test(contentType)
    ? readJson(response, contentType, reading)
    : openPlain(response, contentType, reading);
}

function unusable({ statusCode: status = 0 }: IncomingMessage, detail: string): { failure: Failure } {
  return { failure: { kind: 'bad_response', status, detail } };
}

async function translated(
  response: IncomingMessage,
  translate: NonNullable<ForwardReading['translate']>,
): Promise<VendorAnswer> {
  const { body, full } = await readBody(response, largestAnswerBytes);
  const answer = full ? parseJson(body.toString('utf8')) : undefined;
  const made = isObject(answer) ? translate(answer) : undefined;
  if (!made) return unusable(response, 'It sent no answer of its API');
  const { usage, estimated } = made;
  return { body: JSON.stringify(made.body), facts: { usage, ...(estimated ? { estimated } : {}) } };
}

async function readJson(response: IncomingMessage, contentType: string, { hidden }: Hiding): Promise<VendorAnswer> {
  const { body, full } = await readBody(response, mostHeldBytes);
  if (!full) {
    const open = { first: [body], pieces: piecesOf(response, hidden()), window: answerWindow() };
    return { relay: (sink, guard) => relayBytes(open, sink, guard), contentType };
  }
  const text = body.toString('utf8');
  const answer = parseJson(text);
  if (typeof answer !== 'object' || answer === null) return unusable(response, 'It sent no answer of its API');
  if (isObject(answer) && answer['error'] !== undefined && answer['error'] !== null) return errorInside(text);
  return { body, facts: isObject(answer) ? readAnyFacts(answer) : {}, contentType };
}

function errorInside(text: string): { failure: Failure } {
  const error = readErrorBody(text);
  return { failure: { kind: classifyErrorInside(error), status: 200, error } };
}

/** The first event tells whether the answer has begun or failed; a picture may be one event of megabytes. */
async function openEvents(response: IncomingMessage, contentType: string, { hidden }: Hiding): Promise<VendorAnswer> {
  const open: OpenBytes & { first: Buffer[] } = {
    first: [],
    pieces: piecesOf(response, hidden()),
    window: answerWindow(),
  };
  let begun = '';
  let isWhole = false;
  while (!isWhole && begun.length < mostAwaitedBytes) {
    const next = await open.pieces.next();
    if (next.done) break;
    open.first.push(next.value);
    begun += next.value.toString('latin1');
    isWhole = next.value.includes('\n') && /\n\r?\n/.test(begun.trimStart());
  }
  if (begun.trim() === '') return unusable(response, 'The stream ended before any content');
  const failure = failedEvent(Buffer.concat(open.first).toString('utf8'));
  if (failure) return failure;
  return { relay: (sink, guard) => relayEventBytes(open, sink, guard), contentType };
}

function failedEvent(text: string): { failure: Failure } | undefined {
  const [first = ''] = text.trimStart().split(/\r?\n\r?\n/, 1);
  const { event, data = '' } = parseEvent(first);
  const body = parseJson(data);
  const isError = event === 'error' || (isObject(body) && (isObject(body['error']) || body['type'] === 'error'));
  return isError ? errorInside(data) : undefined;
}

async function openPlain(response: IncomingMessage, contentType: string, { hidden }: Hiding): Promise<VendorAnswer> {
  const pieces = piecesOf(response, hidden());
  const first = await pieces.next();
  if (first.done) return unusable(response, 'It sent nothing');
  const open = { first: [first.value], pieces, window: answerWindow() };
  return { relay: (sink, guard) => relayBytes(open, sink, guard), contentType };
}
