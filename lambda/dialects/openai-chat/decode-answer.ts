import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject, parseJson, stringOrUndefined } from '../json-value.ts';
import { readErrorBody } from '../provider-error.ts';
import { type EventRun, eventSplitter, parseEvent } from '../sse-events.ts';
import { contentEvents, finishEvent, sourceEvents } from './decode-chunk.ts';
import { readUsage } from './usage.ts';

/** The events of a complete answer. Throws when the value is no chat completion and no error either. */
export function decodeChatAnswer(body: JsonObject): ChatEvent[] {
  if (isSet(body['error'])) return [{ type: 'error', error: readErrorBody(JSON.stringify(body)) }];
  if (!Array.isArray(body['choices'])) throw new Error('The answer has no choices');
  return [startEvent(body), ...choiceEvents(body), ...sourceEvents(body), ...usageEvents(body)];
}

/** The events of a streamed answer. */
export async function* decodeChatStream(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ChatEvent> {
  const splitter = eventSplitter();
  let started = false;
  let sources: ChatEvent[] = [];
  const decodeRun = (run: EventRun | undefined): ChatEvent[] => {
    const events: ChatEvent[] = [];
    for (const chunk of chunksOf(run)) {
      if ('failure' in chunk) return [...events, chunk.failure];
      // Azure's first chunk is about the prompt only; its empty id and model are not those of the answer.
      const isAnswer = Array.isArray(chunk.body['choices']) && chunk.body['choices'].length > 0;
      if (!started && isAnswer) events.push(startEvent(chunk.body));
      started ||= isAnswer;
      sources = sourceEvents(chunk.body);
      events.push(...choiceEvents(chunk.body), ...usageEvents(chunk.body));
    }
    return events;
  };

  for await (const piece of bytes)
    yield* decodeRun(splitter.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)));
  if (splitter.rest().length > 0) yield* decodeRun(splitter.push(Buffer.from('\n\n')));
  yield* sources;
}

type Chunk = { body: JsonObject } | { failure: ChatEvent };

function chunksOf(run: EventRun | undefined): Chunk[] {
  const chunks: Chunk[] = [];
  let start = 0;
  for (const end of run?.ends ?? []) {
    const { event, data } = parseEvent(run?.bytes.toString('utf8', start, end) ?? '');
    start = end;
    if (data === undefined || data.trim() === '[DONE]') continue;
    const body = parseJson(data);
    if (event === 'error' || (isObject(body) && isSet(body['error']))) {
      chunks.push({ failure: { type: 'error', error: readErrorBody(data) } });
    } else if (isObject(body)) chunks.push({ body });
  }
  return chunks;
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

function choiceEvents(body: JsonObject): ChatEvent[] {
  const choices = Array.isArray(body['choices']) ? body['choices'].filter(isObject) : [];
  return choices.flatMap((choice, position) => {
    const index = typeof choice['index'] === 'number' ? choice['index'] : position;
    // Perplexity sends both, `message` being all of it so far, and an empty delta with a complete answer.
    const delta = isObject(choice['delta']) && Object.keys(choice['delta']).length > 0 ? choice['delta'] : undefined;
    const content =
      body['object'] === 'chat.completion.chunk' || !isObject(choice['message']) ? delta : choice['message'];
    const finish = stringOrUndefined(choice['finish_reason']);
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

function usageEvents(body: JsonObject): ChatEvent[] {
  const usage = readUsage(body['usage'] ?? (isObject(body['x_groq']) ? body['x_groq']['usage'] : undefined));
  const tier = stringOrUndefined(body['service_tier']);
  return usage ? [{ type: 'usage', usage, ...(tier ? { serviceTier: tier } : {}) }] : [];
}
