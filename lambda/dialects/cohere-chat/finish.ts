import type { ChatEvent, FinishReason } from '../chat-event.ts';
import { type JsonObject, stringOrUndefined } from '../json-value.ts';
import { readCohereUsage } from './usage.ts';

const reasons: Readonly<Record<string, FinishReason>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  ERROR_LIMIT: 'length',
  TOOL_CALL: 'tool_calls',
  ERROR_TOXIC: 'content_filter',
};

/** Reasons with which Cohere says that it could not finish. */
const failures: Readonly<Record<string, string>> = {
  ERROR: 'Cohere failed while it was answering',
  TIMEOUT: 'Cohere ran out of time while it was answering',
};

/** The failure that a finish reason stands for, or undefined; `end` holds it, and perhaps an `error` in words. */
export function failureOf(end: JsonObject): ChatEvent | undefined {
  const reason = stringOrUndefined(end['finish_reason']);
  const told = stringOrUndefined(end['error']);
  if (!told && !(reason && Object.hasOwn(failures, reason))) return undefined;
  const message = told ?? (reason && failures[reason]);
  return { type: 'error', error: { message, type: undefined, param: undefined, code: reason } };
}

/** What ends an answer: the finish, when there is one, and the usage. */
export function endEvents(end: JsonObject): ChatEvent[] {
  const nativeReason = stringOrUndefined(end['finish_reason']);
  const usage = readCohereUsage(end['usage']);
  const reason = nativeReason && Object.hasOwn(reasons, nativeReason) ? reasons[nativeReason] : undefined;
  return [
    ...(nativeReason ? [{ type: 'finish' as const, choice: 0, reason: reason ?? 'stop', nativeReason }] : []),
    ...(usage ? [{ type: 'usage' as const, usage }] : []),
  ];
}
