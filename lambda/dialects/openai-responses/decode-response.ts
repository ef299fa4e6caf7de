import type { ChatEvent, FinishReason } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { type ProviderError, readErrorBody } from '../provider-error.ts';
import { type AnswerState, newAnswerState } from './answer-state.ts';
import { readItem } from './read-item.ts';
import { readResponsesUsage } from './usage.ts';

/** The events of a complete `response` object. */
export function decodeResponsesResponse(body: JsonObject): ChatEvent[] {
  const state = newAnswerState();
  if (isFailed(body)) return [{ type: 'error', error: failureOf(body) }];
  if (!Array.isArray(body['output'])) throw new Error('The answer is no response object: it has no "output" list');
  return [...startEvents(state, body), ...outputEvents(state, body), ...endEvents(state, body)];
}

/** Who answers; told once. */
export function startEvents(state: AnswerState, response: JsonObject): ChatEvent[] {
  if (state.hasStarted) return [];
  state.hasStarted = true;
  const created = response['created_at'];
  return [
    {
      type: 'start',
      id: stringOrUndefined(response['id']),
      model: stringOrUndefined(response['model']),
      ...(typeof created === 'number' ? { createdSeconds: Math.trunc(created) } : {}),
    },
  ];
}

/** Everything in the `output` of a response. */
export function outputEvents(state: AnswerState, response: JsonObject): ChatEvent[] {
  const output = Array.isArray(response['output']) ? response['output'] : [];
  return output.flatMap((item, index) => readItem(state, String(index), item));
}

/** How a response ended, and what it used; a response that is still being made has no finish. */
export function endEvents(state: AnswerState, response: JsonObject): ChatEvent[] {
  const usage = readResponsesUsage(response['usage']);
  const serviceTier = stringOrUndefined(response['service_tier']);
  return [
    ...finishEvents(state, response),
    ...(usage ? [{ type: 'usage' as const, usage, ...(serviceTier === undefined ? {} : { serviceTier }) }] : []),
  ];
}

function finishEvents(state: AnswerState, response: JsonObject): ChatEvent[] {
  const details = isObject(response['incomplete_details']) ? response['incomplete_details'] : {};
  const why = stringOrUndefined(details['reason']);
  const status = stringOrUndefined(response['status']) ?? 'completed';
  if (status !== 'completed' && status !== 'incomplete') return [];
  const reason = status === 'incomplete' ? incompleteReason(why) : state.calls.size > 0 ? 'tool_calls' : 'stop';
  return [{ type: 'finish', choice: 0, reason, nativeReason: why ?? status }];
}

function incompleteReason(why: string | undefined): FinishReason {
  return why === 'content_filter' ? 'content_filter' : 'length';
}

/** True for a response that failed or was cancelled, and for an error in its place. */
export function isFailed({ status, error }: JsonObject): boolean {
  return status === 'failed' || status === 'cancelled' || (error !== undefined && error !== null);
}

/** What went wrong, from a failed response or from an `error` event in any of its forms. */
export function failureOf(body: JsonObject): ProviderError {
  const { message, type, ...rest } = readErrorBody(JSON.stringify(body));
  const said = message ?? (body['status'] === 'cancelled' ? 'The response was cancelled.' : undefined);
  // The type of the event itself says nothing about the failure.
  return { ...rest, message: said, type: type === 'error' || isObject(body['error']) === false ? undefined : type };
}
