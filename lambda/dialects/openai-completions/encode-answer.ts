import type { ChatEvent, FinishReason } from '../chat-event.ts';
import type { AnswerContext } from '../dialect.ts';
import { isObject, type JsonObject, numberOrZero } from '../json-value.ts';
import { encodeUsage } from '../openai-chat/encode-answer.ts';

/** A complete answer as a `text_completion` object. */
export function encodeCompletionsAnswer(events: readonly ChatEvent[], answer: AnswerContext): JsonObject {
  const start = events.find((event) => event.type === 'start');
  const usage = events.findLast((event) => event.type === 'usage');
  const count = 1 + events.reduce((most, event) => ('choice' in event ? Math.max(most, event.choice) : most), 0);
  return {
    id: start?.id ?? answer.newId('cmpl-'),
    object: 'text_completion',
    created: start?.createdSeconds ?? answer.nowSeconds,
    model: start?.model ?? answer.model,
    choices: Array.from({ length: count }, (_, index) => encodeChoice(index, events)),
    ...(usage ? { usage: encodeUsage(usage.usage) } : {}),
  };
}

function encodeChoice(index: number, events: readonly ChatEvent[]): JsonObject {
  const own = events.filter((event) => 'choice' in event && event.choice === index);
  const texts = own.flatMap((event) => (event.type === 'text' || event.type === 'refusal' ? [event.text] : []));
  const logprobs = own.flatMap((event) => (event.type === 'logprobs' ? event.content : []));
  const finish = own.findLast((event) => event.type === 'finish');
  return {
    text: texts.join(''),
    index,
    logprobs: logprobs.length > 0 ? encodeLogprobs(logprobs, 0) : null,
    finish_reason: finish ? encodeFinish(finish.reason) : null,
  };
}

/** There are no tools here, so none can be why an answer ended. */
function encodeFinish(reason: FinishReason): string {
  return reason === 'tool_calls' ? 'stop' : reason;
}

/** The older form: a list for each field, alternatives as an object, and where each token begins in the text. */
function encodeLogprobs(content: readonly JsonObject[], textOffset: number): JsonObject {
  let offset = textOffset;
  const tokens = content.map(({ token }) => (typeof token === 'string' ? token : ''));
  return {
    tokens,
    token_logprobs: content.map(({ logprob }) => numberOrZero(logprob)),
    top_logprobs: content.map(({ top_logprobs: top }) => {
      const entries = (Array.isArray(top) ? top : []).filter(isObject);
      return Object.fromEntries(entries.map(({ token, logprob }) => [String(token), numberOrZero(logprob)]));
    }),
    text_offset: tokens.map((token) => {
      offset += token.length;
      return offset - token.length;
    }),
  };
}

/** A streamed answer as `text_completion` chunks. A break without a finish has no end marker either. */
export async function* encodeCompletionsStream(
  events: AsyncIterable<ChatEvent>,
  { request, model, nowSeconds, newId }: AnswerContext,
): AsyncGenerator<string> {
  let base = { id: newId('cmpl-'), object: 'text_completion', created: nowSeconds, model };
  const offsets = new Map<number, number>();
  let hasFinished = false;
  const chunk = (choices: JsonObject[], more: JsonObject = {}) =>
    `data: ${JSON.stringify({ ...base, choices, ...more })}\n\n`;

  for await (const event of events) {
    if (event.type === 'start') {
      const { id, model: named, createdSeconds } = event;
      base = { ...base, id: id ?? base.id, model: named ?? model, created: createdSeconds ?? nowSeconds };
    } else if (event.type === 'usage') {
      if (request.includeUsage) yield chunk([], { usage: encodeUsage(event.usage) });
    } else if (event.type !== 'error') {
      hasFinished ||= event.type === 'finish';
      const choice = encodePiece(event, offsets);
      if (choice) yield chunk([choice]);
    }
  }
  if (hasFinished) yield 'data: [DONE]\n\n';
}

function encodePiece(event: Extract<ChatEvent, { choice: number }>, offsets: Map<number, number>) {
  const piece = { text: '', index: event.choice, logprobs: null, finish_reason: null };
  switch (event.type) {
    case 'text':
    case 'refusal':
      return { ...piece, text: event.text };
    case 'logprobs': {
      const offset = offsets.get(event.choice) ?? 0;
      const written = event.content.reduce((sum, { token }) => sum + (typeof token === 'string' ? token.length : 0), 0);
      offsets.set(event.choice, offset + written);
      return { ...piece, logprobs: encodeLogprobs(event.content, offset) };
    }
    case 'finish':
      return { ...piece, finish_reason: encodeFinish(event.reason) };
    default:
      return undefined;
  }
}
