import type { ChatEvent, Citation } from '../chat-event.ts';
import type { AnswerContext } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';
import type { Usage } from '../usage.ts';
import { encodeThought } from './encode-messages.ts';

/** A complete answer as a `chat.completion` object: the fold of the same events that a stream would have been made of. */
export function encodeChatAnswer(
  events: readonly ChatEvent[],
  { model, nowSeconds, newId }: AnswerContext,
): JsonObject {
  const start = events.find((event) => event.type === 'start');
  const usage = events.findLast((event) => event.type === 'usage');
  const count = 1 + Math.max(0, ...events.map((event) => ('choice' in event ? event.choice : 0)));
  return {
    id: start?.id ?? newId('chatcmpl-'),
    object: 'chat.completion',
    created: start?.createdSeconds ?? nowSeconds,
    model: start?.model ?? model,
    choices: Array.from({ length: count }, (_, index) => encodeChoice(index, events)),
    ...(usage ? { usage: encodeUsage(usage.usage) } : {}),
    ...(usage?.serviceTier ? { service_tier: usage.serviceTier } : {}),
  };
}

function encodeChoice(index: number, all: readonly ChatEvent[]): JsonObject {
  const events = all.filter((event) => 'choice' in event && event.choice === index);
  const texts = events.flatMap((event) => (event.type === 'text' ? [event.text] : []));
  const refusals = events.flatMap((event) => (event.type === 'refusal' ? [event.text] : []));
  const logprobs = events.flatMap((event) => (event.type === 'logprobs' ? event.content : []));
  const citations = events.flatMap((event) => (event.type === 'citation' ? [encodeCitation(event.citation)] : []));
  const finish = events.findLast((event) => event.type === 'finish');
  const calls = foldCalls(events);
  return {
    index,
    message: {
      role: 'assistant',
      content: texts.length > 0 ? texts.join('') : null,
      refusal: refusals.length > 0 ? refusals.join('') : null,
      ...foldThoughts(events),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
      ...(citations.length > 0 ? { annotations: citations } : {}),
    },
    logprobs: logprobs.length > 0 ? { content: logprobs, refusal: null } : null,
    finish_reason: finish?.reason ?? null,
    ...(finish?.nativeReason ? { native_finish_reason: finish.nativeReason } : {}),
  };
}

/** The calls in the order of their indexes, each with the whole text of its arguments. */
function foldCalls(events: readonly ChatEvent[]): JsonObject[] {
  const written = new Map<number, string[]>();
  for (const event of events) {
    if (event.type === 'tool-arguments') written.set(event.index, [...(written.get(event.index) ?? []), event.text]);
  }
  return events
    .filter((event) => event.type === 'tool-call')
    .toSorted((a, b) => a.index - b.index)
    .map(({ id, name, index, signature }) => ({
      id,
      type: 'function',
      function: { name, arguments: written.get(index)?.join('') || '{}' },
      ...extraContent(signature),
    }));
}

type Thought = { text: string; signature?: string; redacted?: string };

/** Pieces of thought up to a signature belong together; an encrypted one stands alone. */
export function foldThoughts(events: readonly ChatEvent[]): JsonObject {
  const pieces = events.filter((event) => event.type === 'reasoning');
  if (pieces.length === 0) return {};
  const thoughts: Thought[] = [];
  let isOpen = false;
  for (const { text = '', signature, redacted } of pieces) {
    const last = thoughts.at(-1);
    if (redacted !== undefined) thoughts.push({ text: '', redacted });
    else if (isOpen && last) Object.assign(last, { text: last.text + text }, signature ? { signature } : {});
    else thoughts.push({ text, ...(signature ? { signature } : {}) });
    isOpen = redacted === undefined && signature === undefined;
  }
  const text = thoughts.map((thought) => thought.text).join('');
  return { ...(text ? { reasoning_content: text } : {}), reasoning_details: thoughts.map(encodeThought) };
}

/** Where a Gemini call's signature stands in Google's own OpenAI-compatible form. */
export function extraContent(signature: string | undefined): JsonObject {
  return signature ? { extra_content: { google: { thought_signature: signature } } } : {};
}

export function encodeCitation({ url, title, startIndex, endIndex }: Citation): JsonObject {
  return {
    type: 'url_citation',
    url_citation: { url: url ?? '', title: title ?? '', start_index: startIndex ?? 0, end_index: endIndex ?? 0 },
  };
}

export function encodeUsage(usage: Usage): JsonObject {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cacheReadInputTokens,
      ...(usage.cacheCreationInputTokens > 0 ? { cache_write_tokens: usage.cacheCreationInputTokens } : {}),
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningOutputTokens },
  };
}
