import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject, parseJson, stringOrUndefined } from '../json-value.ts';
import { readEvents } from '../read-events.ts';
import { parseEventData } from '../sse-events.ts';
import { argumentEvents, callEvents, citationEvents, contentEvents, logprobEvents, planEvents } from './content.ts';
import { isCohereError, readCohereError } from './errors.ts';
import { endEvents, failureOf } from './finish.ts';

/** What a stream's later events refer to. */
type Progress = {
  /** Our index of the call that Cohere counts as this; calls count from 0 whatever Cohere begins with. */
  calls: Map<unknown, number>;
  count: number;
  /** Calls that have no arguments yet. */
  bare: Set<number>;
  textLength: number;
  /** How much text stood before each block of content. */
  blocks: Map<unknown, number>;
};

/** The events of a streamed answer; Cohere does not name the model in it. */
export async function* decodeCohereStream(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ChatEvent> {
  const progress: Progress = { calls: new Map(), count: 0, bare: new Set(), textLength: 0, blocks: new Map() };
  for await (const events of readEvents(bytes)) {
    for (const { event, data } of events) {
      const body = event === 'error' ? parseJson(data) : parseEventData(data);
      if (!isObject(body)) continue;
      for (const decoded of event === 'error' ? [errorEvent(data)] : decodeEvent(progress, body, data)) {
        yield decoded;
        if (decoded.type === 'error') return;
      }
    }
  }
}

function errorEvent(data: string): ChatEvent {
  return { type: 'error', error: readCohereError(data) };
}

/** Reads one event; unknown ones say nothing. */
function decodeEvent(progress: Progress, body: JsonObject, data: string): ChatEvent[] {
  const delta = isObject(body['delta']) ? body['delta'] : {};
  const message = isObject(delta['message']) ? delta['message'] : {};
  switch (body['type']) {
    case 'message-start':
      return [{ type: 'start', id: stringOrUndefined(body['id']), model: undefined }];
    case 'content-start':
      progress.blocks.set(body['index'], progress.textLength);
      return countText(progress, contentEvents(message['content']));
    case 'content-delta':
      return [...countText(progress, contentEvents(message['content'])), ...logprobEvents(body['logprobs'])];
    case 'tool-plan-delta':
      return countText(progress, planEvents(message['tool_plan']));
    case 'tool-call-start':
      return startCall(progress, body['index'], message['tool_calls']);
    case 'tool-call-delta':
      return continueCall(progress, body['index'], message['tool_calls']);
    case 'tool-call-end':
      return endCalls(progress, [progress.calls.get(body['index'])]);
    case 'citation-start':
      return decodeCitation(progress, message['citations']);
    case 'message-end': {
      const failure = failureOf(delta);
      return failure ? [failure] : [...endCalls(progress, [...progress.bare]), ...endEvents(delta)];
    }
    default:
      return body['type'] === undefined && isCohereError(body) ? [errorEvent(data)] : [];
  }
}

function countText(progress: Progress, events: ChatEvent[]): ChatEvent[] {
  for (const event of events) if (event.type === 'text') progress.textLength += event.text.length;
  return events;
}

function startCall(progress: Progress, theirs: unknown, call: unknown): ChatEvent[] {
  const index = progress.count++;
  progress.calls.set(theirs, index);
  const events = callEvents(isObject(call) ? call : {}, index);
  if (events.length === 1) progress.bare.add(index);
  return events;
}

function continueCall(progress: Progress, theirs: unknown, call: unknown): ChatEvent[] {
  const index = progress.calls.get(theirs);
  if (index === undefined || !isObject(call)) return [];
  const events = argumentEvents(call, index);
  if (events.length > 0) progress.bare.delete(index);
  return events;
}

/** A call that ends without arguments has none: `{}`. */
function endCalls(progress: Progress, ended: readonly (number | undefined)[]): ChatEvent[] {
  return ended.flatMap((index): ChatEvent[] => {
    if (index === undefined || !progress.bare.delete(index)) return [];
    return [{ type: 'tool-arguments', choice: 0, index, text: '{}' }];
  });
}

/** One citation, as Cohere sends it, or a list of them, as the name suggests. */
function decodeCitation(progress: Progress, citations: unknown): ChatEvent[] {
  const list = Array.isArray(citations) ? citations : [citations];
  return list
    .filter(isObject)
    .flatMap((citation) => citationEvents(citation, progress.blocks.get(citation['content_index']) ?? 0));
}
