import type { ChatEvent } from '../chat-event.ts';
import type { NextFetch } from '../dialect.ts';
import { isObject, type JsonObject, numberOrZero, stringOrUndefined } from '../json-value.ts';
import { readReplicateError } from './errors.ts';

/** Between two looks at a prediction that is not finished. */
const pollMs = 500;

/**
 * Where the answer of a prediction is to be found: its event stream when one is wanted, or the prediction itself once more
 * while it is unfinished, which a `Prefer: wait` of 60 seconds may leave it. Undefined when the prediction is the answer.
 * The stream has a host of its own; models that do not stream have none.
 */
export function nextFetch(prediction: JsonObject, wanted: { stream: boolean }): NextFetch | undefined {
  const urls = isObject(prediction['urls']) ? prediction['urls'] : {};
  const stream = stringOrUndefined(urls['stream']);
  const itself = stringOrUndefined(urls['get']);
  const { status } = prediction;
  const isUnfinished = status === 'starting' || status === 'processing';
  if (wanted.stream && stream && (isUnfinished || status === 'succeeded'))
    return { url: stream, accept: 'text/event-stream' };
  return isUnfinished && itself ? { url: itself, accept: 'application/json', afterMs: pollMs } : undefined;
}

/** The events of a prediction that has ended. Replicate does not tell whether a limit ended the text. */
export function decodePrediction(body: JsonObject): ChatEvent[] {
  const status = stringOrUndefined(body['status']);
  if (!status) return decodeProblem(body);
  if (status !== 'succeeded') return [failure(body, status)];
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
    { type: 'finish', choice: 0, reason: 'stop', nativeReason: status },
    ...usageEvents(body['metrics']),
  ];
}

/** A problem of RFC 9457, whose `status` is a number. */
function decodeProblem(body: JsonObject): ChatEvent[] {
  const isProblem = typeof body['detail'] === 'string' || typeof body['title'] === 'string';
  if (!isProblem) throw new Error('The answer is no prediction');
  return [{ type: 'error', error: readReplicateError(JSON.stringify(body)) }];
}

const ends: Readonly<Record<string, string>> = {
  failed: 'The prediction has failed',
  canceled: 'The prediction has been canceled',
  aborted: 'The prediction has been aborted',
};

function failure(body: JsonObject, status: string): ChatEvent {
  const message = stringOrUndefined(body['error']) ?? ends[status] ?? 'The prediction has not ended';
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
