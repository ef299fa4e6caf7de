import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { callEvents, citationEvents, contentEvents, logprobEvents, planEvents } from './content.ts';
import { isCohereError, readCohereError } from './errors.ts';
import { endEvents, failureOf } from './finish.ts';

/** The events of a complete answer; Cohere does not name the model in it. */
export function decodeCohereResponse(body: JsonObject): ChatEvent[] {
  if (isCohereError(body)) return [{ type: 'error', error: readCohereError(JSON.stringify(body)) }];
  const message = body['message'];
  if (!isObject(message)) throw new Error('The answer has no message');
  const failure = failureOf(body);
  if (failure) return [failure];
  const content = typeof message['content'] === 'string' ? [{ text: message['content'] }] : listOf(message['content']);
  return [
    { type: 'start', id: stringOrUndefined(body['id']), model: undefined },
    ...content.flatMap(contentEvents),
    ...planEvents(message['tool_plan']),
    ...listOf(message['tool_calls']).flatMap(wholeCall),
    ...listOf(message['citations']).flatMap((citation) => citationEvents(citation, textBefore(content, citation))),
    ...logprobEvents(body['logprobs']),
    ...endEvents(body),
  ];
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function wholeCall(call: JsonObject, index: number): ChatEvent[] {
  const events = callEvents(call, index);
  return events.length > 1 ? events : [...events, { type: 'tool-arguments', choice: 0, index, text: '{}' }];
}

/** Newer citations say in which block of the content they stand. */
function textBefore(content: readonly JsonObject[], citation: JsonObject): number {
  const { content_index: block } = citation;
  if (typeof block !== 'number') return 0;
  const before = content.slice(0, Math.max(0, block)).map((part) => stringOrUndefined(part['text']) ?? '');
  return before.join('').length;
}
