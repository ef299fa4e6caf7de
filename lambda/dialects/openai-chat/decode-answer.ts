import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject, parseJson, stringOrUndefined } from '../json-value.ts';
import { readErrorBody } from '../provider-error.ts';
import { readEvents, type ServerSentEvent } from '../read-events.ts';
import { parseEventData } from '../sse-events.ts';
import { contentEvents, finishEvent, sourceEvents } from './decode-chunk.ts';
import { readUsage } from './usage.ts';

/** The events of a complete answer. Throws when the value is no chat completion and no error either. */
export function decodeChatAnswer(body: JsonObject): ChatEvent[] {
  if (isSet(body['error']) || body['object'] === 'error')
    return [{ type: 'error', error: readErrorBody(JSON.stringify(body)) }];
  if (!Array.isArray(body['choices'])) throw new Error('The answer has no choices');
  const begunCalls = new Set<string>();
  const content = choiceEvents(body, 'message').filter((event) => isBegun(event, begunCalls));
  return [startEvent(body), ...content, ...sourceEvents(body), ...usageEvents(body)];
}

/** The events of a streamed answer; after an error nothing follows. */
export async function* decodeChatStream(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ChatEvent> {
  const begunCalls = new Set<string>();
  let started = false;
  let sources: ChatEvent[] = [];
  for await (const events of readEvents(bytes)) {
    for (const chunk of chunksOf(events)) {
      if ('failure' in chunk) {
        yield chunk.failure;
        return;
      }
      // Azure's first chunk is about the prompt only; its empty id and model are not those of the answer.
      const isAnswer = Array.isArray(chunk.body['choices']) && chunk.body['choices'].length > 0;
      if (!started && isAnswer) yield startEvent(chunk.body);
      started ||= isAnswer;
      sources = sourceEvents(chunk.body);
      yield* choiceEvents(chunk.body, 'delta').filter((event) => isBegun(event, begunCalls));
      yield* usageEvents(chunk.body);
    }
  }
  yield* sources;
}

/** Arguments of a call that never began belong to nothing. */
function isBegun(event: ChatEvent, begunCalls: Set<string>): boolean {
  if (event.type === 'tool-call') begunCalls.add(`${event.choice}/${event.index}`);
  return event.type !== 'tool-arguments' || begunCalls.has(`${event.choice}/${event.index}`);
}

type Chunk = { body: JsonObject } | { failure: ChatEvent };

function chunksOf(events: readonly ServerSentEvent[]): Chunk[] {
  return events.flatMap(({ event, data }): Chunk[] => {
    if (data.trim() === '[DONE]') return [];
    const body = event === 'error' ? parseJson(data) : parseEventData(data);
    const failed = event === 'error' || (isObject(body) && (isSet(body['error']) || body['object'] === 'error'));
    if (failed) return [{ failure: { type: 'error', error: readErrorBody(data) } }];
    return isObject(body) ? [{ body }] : [];
  });
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function startEvent(body: JsonObject): ChatEvent {
  const created = body['created'];
  return {
    type: 'start',
    id: stringOrUndefined(body['id']),
    model: stringOrUndefined(body['model']),
    ...(typeof created === 'number' && created > 0 ? { createdSeconds: created } : {}),
  };
}

/**
 * Perplexity sends both fields everywhere: in a stream `message` is all of the text so far, in a complete answer `delta`
 * is empty.
 */
function choiceEvents(body: JsonObject, field: 'message' | 'delta'): ChatEvent[] {
  const choices = Array.isArray(body['choices']) ? body['choices'].filter(isObject) : [];
  return choices.flatMap((choice, position) => {
    const index = typeof choice['index'] === 'number' ? choice['index'] : position;
    const content = choice[field] ?? choice[field === 'delta' ? 'message' : 'delta'];
    const finish = nativeFinish(choice);
    const logprobs = isObject(choice['logprobs']) ? choice['logprobs']['content'] : undefined;
    return [
      ...(isObject(content) ? contentEvents(index, content) : []),
      ...(Array.isArray(logprobs) && logprobs.length > 0
        ? [{ type: 'logprobs' as const, choice: index, content: logprobs }]
        : []),
      ...(finish ? [finishEvent(index, finish)] : []),
    ];
  });
}

/** Models of OpenAI's that are older than `finish_reason` for all say it in `finish_details`. */
function nativeFinish({ finish_reason: reason, finish_details: details }: JsonObject): string | undefined {
  return stringOrUndefined(reason) ?? (isObject(details) ? stringOrUndefined(details['type']) : undefined);
}

function usageEvents(body: JsonObject): ChatEvent[] {
  const usage = readUsage(body['usage'] ?? (isObject(body['x_groq']) ? body['x_groq']['usage'] : undefined));
  const tier = stringOrUndefined(body['service_tier']);
  return usage ? [{ type: 'usage', usage, ...(tier ? { serviceTier: tier } : {}) }] : [];
}
