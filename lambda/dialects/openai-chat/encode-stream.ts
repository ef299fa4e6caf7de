import type { ChatEvent } from '../chat-event.ts';
import type { AnswerContext } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';
import { encodeCitation, encodeUsage, extraContent } from './encode-answer.ts';
import { encodeThought } from './encode-messages.ts';

/** A streamed answer as `chat.completion.chunk` events; after an error nothing follows, not even the end marker. */
export async function* encodeChatStream(
  events: AsyncIterable<ChatEvent>,
  { request, model, nowSeconds, newId }: AnswerContext,
): AsyncGenerator<string> {
  let base = { id: newId('chatcmpl-'), object: 'chat.completion.chunk', created: nowSeconds, model };
  const opened = new Set<number>();
  const chunk = (choices: JsonObject[], more: JsonObject = {}) =>
    `data: ${JSON.stringify({ ...base, choices, ...more })}\n\n`;

  for await (const event of events) {
    if (event.type === 'start') {
      base = {
        ...base,
        id: event.id ?? base.id,
        model: event.model ?? model,
        created: event.createdSeconds ?? base.created,
      };
    } else if (event.type === 'usage') {
      const tier = event.serviceTier ? { service_tier: event.serviceTier } : {};
      if (request.includeUsage) yield chunk([], { usage: encodeUsage(event.usage), ...tier });
    } else if (event.type !== 'error') {
      const role = opened.has(event.choice) ? {} : { role: 'assistant' };
      opened.add(event.choice);
      yield chunk([encodeChoice(event, role)]);
    }
  }
  yield 'data: [DONE]\n\n';
}

type ChoiceEvent = Extract<ChatEvent, { choice: number }>;

function encodeChoice(event: ChoiceEvent, role: JsonObject): JsonObject {
  const finish = event.type === 'finish' ? event : undefined;
  return {
    index: event.choice,
    delta: { ...role, ...encodeDelta(event) },
    logprobs: event.type === 'logprobs' ? { content: event.content, refusal: null } : null,
    finish_reason: finish?.reason ?? null,
    ...(finish?.nativeReason ? { native_finish_reason: finish.nativeReason } : {}),
  };
}

function encodeDelta(event: ChoiceEvent): JsonObject {
  switch (event.type) {
    case 'text':
      return { content: event.text };
    case 'refusal':
      return { refusal: event.text };
    case 'reasoning':
      return {
        ...(event.text ? { reasoning_content: event.text } : {}),
        reasoning_details: [encodeThought({ ...event, text: event.text ?? '' }, 0)],
      };
    case 'tool-call': {
      const { index, id, name, signature } = event;
      return {
        tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' }, ...extraContent(signature) }],
      };
    }
    case 'tool-arguments':
      return { tool_calls: [{ index: event.index, function: { arguments: event.text } }] };
    case 'citation':
      return { annotations: [encodeCitation(event.citation)] };
    default:
      return {};
  }
}
