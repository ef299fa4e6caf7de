import { isObject, type JsonObject, parseJson, stringOrUndefined } from '../json-value.ts';
import { type ProviderError, readErrorBody } from '../provider-error.ts';
import { parseEvent, parseEventData } from '../sse-events.ts';
import type { Usage } from '../usage.ts';
import { readUsage } from './usage.ts';

/** What the gateway must know of an answer, or of one event of it, while its bytes pass unchanged. */
export type AnswerFacts = {
  /** It carries something that the caller waits for: text, reasoning, a tool call, a finish; not a mere role. */
  content: boolean;
  /** It is the end marker `[DONE]`. */
  done: boolean;
  /** It exists only to report usage: an empty `choices` beside a `usage`. */
  usageOnly: boolean;
  usage?: Usage | undefined;
  finishReason?: string | undefined;
  /** The choices that it belongs to, and those of them that it finishes. */
  choices?: { begun: readonly number[]; finished: readonly number[] };
  responseModel?: string | undefined;
  /** The provider failed inside an answer that began with status 200. */
  error?: ProviderError | undefined;
};

const nothing: AnswerFacts = { content: false, done: false, usageOnly: false };

/** Reads one whole server-sent event. Throws `BrokenEventError` when it is none. */
export function readChatEvent(text: string): AnswerFacts {
  const { event, data } = parseEvent(text);
  if (data === undefined) return nothing;
  if (data.trim() === '[DONE]') return { ...nothing, done: true };
  if (event === 'error') return { ...nothing, error: readErrorBody(data) };
  const chunk = parseEventData(data);
  if (!isObject(chunk)) return nothing;
  if (hasError(chunk)) return { ...nothing, error: readErrorBody(data) };
  return readAnswer(chunk);
}

/**
 * True when a run of events may hold more than content: usage, a finish, an error or the end. Text inside JSON strings
 * cannot match, its quotes are escaped there.
 */
export function holdsFacts(text: string): boolean {
  return /"usage"\s*:\s*\{|"finish_reason"\s*:\s*"|"error"|event:\s*error|\[DONE\]/.test(text);
}

/**
 * Whether events look whole without being parsed, `ends` being the offsets behind each: a comment, or data from one brace to
 * the other. What does not look so may still be whole.
 */
export function looksWhole(text: string, ends: readonly number[]): boolean {
  let start = 0;
  for (const end of ends) {
    let last = end - 1;
    while (isLineEnd(text.charCodeAt(last))) last--;
    const isPlain = text.startsWith('data: {', start) && text[last] === '}';
    if (!isPlain && text[start] !== ':') return false;
    start = end;
  }
  return true;
}

function isLineEnd(code: number): boolean {
  return code === 10 || code === 13;
}

/** Reads a buffered answer; undefined when the text is not an answer of this dialect at all. */
export function readChatAnswer(text: string): AnswerFacts | undefined {
  const body = parseJson(text);
  if (!isObject(body)) return undefined;
  if (hasError(body)) return { ...nothing, error: readErrorBody(text) };
  return Array.isArray(body['choices']) ? readAnswer(body) : undefined;
}

/** `error` as nearly all do it, or the whole object being one, as with Mistral. */
function hasError(body: JsonObject): boolean {
  return (body['error'] !== undefined && body['error'] !== null) || body['object'] === 'error';
}

function readAnswer(body: JsonObject): AnswerFacts {
  const choices = Array.isArray(body['choices']) ? body['choices'].filter(isObject) : [];
  const finishing = choices.filter((choice) => stringOrUndefined(choice['finish_reason']));
  const usage = readUsage(body['usage'] ?? (isObject(body['x_groq']) ? body['x_groq']['usage'] : undefined));
  return {
    content: choices.some(hasContent),
    done: false,
    usageOnly: usage !== undefined && choices.length === 0,
    usage,
    finishReason: stringOrUndefined(finishing[0]?.['finish_reason']),
    choices: { begun: choices.map(indexOf), finished: finishing.map(indexOf) },
    responseModel: stringOrUndefined(body['model']),
  };
}

function indexOf({ index }: JsonObject): number {
  return typeof index === 'number' ? index : 0;
}

const contentFields = [
  'content',
  'reasoning_content',
  'reasoning',
  'reasoning_details',
  'refusal',
  'tool_calls',
  'function_call',
  'audio',
  'images',
];

function hasContent(choice: JsonObject): boolean {
  if (stringOrUndefined(choice['finish_reason'])) return true;
  const delta = isObject(choice['delta']) ? choice['delta'] : choice['message'];
  return isObject(delta) && contentFields.some((field) => isFilled(delta[field]));
}

function isFilled(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return typeof value === 'string' ? value !== '' : isObject(value);
}
