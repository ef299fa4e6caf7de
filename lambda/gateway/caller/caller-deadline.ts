import type { GatewayRequest } from '../exchange.ts';
import { GatewayError } from '../gateway-error.ts';

/** Until when, in milliseconds since the epoch. */
export type Deadlines = {
  /** The answer has ended. */
  deadlineMs: number;
  /** The answer has begun, or, where it is buffered, is complete. Never later than `deadlineMs`. */
  answerByMs: number;
};

const timeoutHeader = 'x-sluice-timeout-ms';
const longestTimeoutMs = 900_000;

/**
 * The deadlines of a request: the host's, the model's (`totalMs`), and the caller's own. OpenAI's and Anthropic's SDKs
 * say how many seconds they wait for the head of an answer; a true error just before that is worth more than a client
 * that has hung up.
 */
export function deadlinesOf(request: GatewayRequest, totalMs: number, streamed: boolean): Deadlines {
  const { receivedAtMs, headers } = request;
  const asked = headers[timeoutHeader];
  if (asked !== undefined && !(/^\d{1,6}$/.test(asked) && Number(asked) >= 1 && Number(asked) <= longestTimeoutMs)) {
    throw new GatewayError(
      'invalid_request',
      `The header ${timeoutHeader} must be a whole number of milliseconds from 1 to ${longestTimeoutMs}.`,
      { param: timeoutHeader },
    );
  }
  const wholeMs = Math.min(totalMs, asked === undefined ? Infinity : Number(asked));
  const deadlineMs = Math.min(request.deadlineMs, receivedAtMs + wholeMs);
  const answerByMs = Math.min(deadlineMs, receivedAtMs + sdkPatienceMs(headers));
  return { deadlineMs: streamed ? deadlineMs : answerByMs, answerByMs };
}

/** A part of the SDK's time goes into the way here and back. */
const wayShare = 0.1;
const longestWayMs = 1_000;

/** Node's SDKs send their timeout, Python's the one of reading, in seconds; both let it begin with the request. */
function sdkPatienceMs(headers: GatewayRequest['headers']): number {
  const text = headers['x-stainless-timeout'] ?? headers['x-stainless-read-timeout'];
  // Python may also say "None", and Node 0 for less than a second.
  if (text === undefined || !/^\d{1,6}(\.\d{1,20})?$/.test(text)) return Infinity;
  const milliseconds = Number(text) * 1000;
  return milliseconds > 0 ? milliseconds - Math.min(milliseconds * wayShare, longestWayMs) : Infinity;
}
