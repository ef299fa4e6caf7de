import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject, numberOrZero, stringOrUndefined } from '../json-value.ts';
import { readReplicateError } from './errors.ts';

/** What has to be fetched before a prediction is an answer. */
export type NextFetch = { url: string; accept: 'text/event-stream' | 'application/json' };

/**
 * Where the answer of a prediction is to be found: its event stream when one was asked for, or the prediction itself once
 * more while it is unfinished, which a `Prefer: wait` of 60 seconds may leave it. Undefined when the prediction is the
 * answer. The stream has a host of its own.
 */
export function nextFetch(prediction: JsonObject): NextFetch | undefined {
  const urls = isObject(prediction['urls']) ? prediction['urls'] : {};
  const stream = stringOrUndefined(urls['stream']);
  const itself = stringOrUndefined(urls['get']);
  const { status } = prediction;
  if (status !== 'starting' && status !== 'processing') return undefined;
  if (prediction['stream'] === true && stream) return { url: stream, accept: 'text/event-stream' };
  return itself ? { url: itself, accept: 'application/json' } : undefined;
}

/**
 * The events of a prediction. One that is not finished yet gives what there is of its output, and no `finish`. Replicate
 * does not tell whether a limit ended the text.
 */
export function decodePrediction(body: JsonObject): ChatEvent[] {
  const status = stringOrUndefined(body['status']);
  if (!status) return decodeProblem(body);
  if (status === 'failed' || status === 'canceled' || status === 'aborted') return [failure(body, status)];
  const text = textOf(body['output']);
  const created = typeof body['created_at'] === 'string' ? Date.parse(body['created_at']) : Number.NaN;
  return [
    {
      type: 'start',
      id: stringOrUndefined(body['id']),
      model: stringOrUndefined(body['model']),
      ...(Number.isNaN(created) ? {} : { createdSeconds: Math.floor(created / 1000) }),
    },
    ...(text ? [{ type: 'text' as const, choice: 0, text }] : []),
    ...(status === 'succeeded'
      ? [{ type: 'finish' as const, choice: 0, reason: 'stop' as const, nativeReason: status }]
      : []),
    ...usageEvents(body['metrics']),
  ];
}

/** A problem of RFC 9457, whose `status` is a number. */
function decodeProblem(body: JsonObject): ChatEvent[] {
  const isProblem = typeof body['detail'] === 'string' || typeof body['title'] === 'string';
  if (!isProblem) throw new Error('The answer is no prediction');
  return [{ type: 'error', error: readReplicateError(JSON.stringify(body)) }];
}

function failure(body: JsonObject, status: string): ChatEvent {
  const message =
    stringOrUndefined(body['error']) ?? `The prediction has ${status === 'failed' ? '' : 'been '}${status}`;
  return { type: 'error', error: { message, type: undefined, param: undefined, code: status } };
}

/** Language models put out pieces of text, some the whole text. */
function textOf(output: unknown): string {
  if (typeof output === 'string') return output;
  return Array.isArray(output) ? output.filter((piece) => typeof piece === 'string').join('') : '';
}

function usageEvents(metrics: unknown): ChatEvent[] {
  if (!isObject(metrics)) return [];
  const { input_token_count: input, output_token_count: output } = metrics;
  if (typeof input !== 'number' && typeof output !== 'number') return [];
  const usage = { inputTokens: numberOrZero(input), outputTokens: numberOrZero(output) };
  const none = { cacheReadInputTokens: 0, cacheCreationInputTokens: 0, reasoningOutputTokens: 0 };
  return [{ type: 'usage', usage: { ...usage, ...none } }];
}
