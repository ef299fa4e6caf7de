import type { ChatEvent, Citation } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';

/** A whole block of content, or a piece of one: `text`, or `thinking`. */
export function contentEvents(block: unknown): ChatEvent[] {
  if (!isObject(block)) return [];
  const thinking = stringOrUndefined(block['thinking']);
  const text = stringOrUndefined(block['text']);
  return [
    ...(thinking ? [{ type: 'reasoning' as const, choice: 0, text: thinking }] : []),
    ...(text ? [{ type: 'text' as const, choice: 0, text }] : []),
  ];
}

/** A plan is text that the model says before it calls tools. */
export function planEvents(plan: unknown): ChatEvent[] {
  return typeof plan === 'string' && plan !== '' ? [{ type: 'text', choice: 0, text: plan }] : [];
}

/** The beginning of a call, with what is there of its arguments. */
export function callEvents(call: JsonObject, index: number): ChatEvent[] {
  const called = isObject(call['function']) ? call['function'] : {};
  const id = stringOrUndefined(call['id']) ?? `call_${index}`;
  const name = stringOrUndefined(called['name']) ?? '';
  return [{ type: 'tool-call', choice: 0, index, id, name }, ...argumentEvents(call, index)];
}

/** A piece of a call's arguments. */
export function argumentEvents(call: JsonObject, index: number): ChatEvent[] {
  const called = isObject(call['function']) ? call['function'] : {};
  const text = stringOrUndefined(called['arguments']);
  return text ? [{ type: 'tool-arguments', choice: 0, index, text }] : [];
}

/**
 * One event for each source of a citation. `textBefore` is how much text stood before the block that the citation's
 * positions count in.
 */
export function citationEvents(citation: JsonObject, textBefore: number): ChatEvent[] {
  const { start, end, type } = citation;
  // Positions in thoughts are not positions in the text.
  const inText = type !== 'THINKING_CONTENT' && typeof start === 'number' && typeof end === 'number';
  const place = inText ? { startIndex: start + textBefore, endIndex: end + textBefore } : {};
  const sources = Array.isArray(citation['sources']) ? citation['sources'].filter(isObject) : [];
  return sources.map((source) => ({ type: 'citation', choice: 0, citation: { ...sourceOf(source), ...place } }));
}

/** A document of the request, or what a tool put out; without a title its identifier tells which. */
function sourceOf(source: JsonObject): Citation {
  const held = isObject(source['document']) ? source['document'] : source['tool_output'];
  const fields = isObject(held) ? held : {};
  const url = stringOrUndefined(fields['url']);
  const title = stringOrUndefined(fields['title']) ?? stringOrUndefined(source['id']);
  const citedText =
    stringOrUndefined(fields['text']) ?? stringOrUndefined(fields['snippet']) ?? stringOrUndefined(fields['content']);
  return { ...(url ? { url } : {}), ...(title ? { title } : {}), ...(citedText ? { citedText } : {}) };
}

/**
 * Cohere's `{text, token_ids, logprobs}` for a piece of text in OpenAI's form. A piece of several tokens stays one entry
 * with their joint probability, since Cohere does not tell which characters belong to which token.
 */
export function logprobEvents(items: unknown): ChatEvent[] {
  const list = Array.isArray(items) ? items.filter(isObject) : isObject(items) ? [items] : [];
  const content = list.flatMap((item) => {
    const values = Array.isArray(item['logprobs']) ? item['logprobs'].filter((value) => typeof value === 'number') : [];
    const token = item['text'];
    if (typeof token !== 'string' || values.length === 0) return [];
    const logprob = values.reduce((sum, value) => sum + value, 0);
    return [{ token, logprob, bytes: [...Buffer.from(token, 'utf8')], top_logprobs: [] }];
  });
  return content.length > 0 ? [{ type: 'logprobs', choice: 0, content }] : [];
}
