import { jsonMembers, replaceMembers } from '../json-members.ts';
import { isObject, type JsonObject } from '../json-value.ts';
import type { RequestFacts } from '../request-facts.ts';
import { RequestProblem } from '../request-problem.ts';
import { chatFacts } from './chat-facts.ts';

/** A chat request as far as the gateway must understand it to pass it on; the rest stays in `text`. */
export type ChatCall = {
  text: string;
  /** The model that the caller named, if any. */
  model: string | undefined;
  stream: boolean;
  /** Whether the caller asked for the usage event at the end of a stream. */
  wantsUsage: boolean;
  /** How many answers the caller asked for (`n`). */
  choices: number;
  facts: RequestFacts;
};

/** Reads the body of `POST /v1/chat/completions`; throws `RequestProblem` when it cannot be understood. */
export function decodeChatCall(text: string): ChatCall {
  if (text.trim() === '')
    throw new RequestProblem('The request has no body; send a JSON object with "model" and "messages".');
  const body = parseBody(text);
  const { model, messages, stream, stream_options: streamOptions, n } = body;
  if (model !== undefined && model !== null && typeof model !== 'string') {
    throw new RequestProblem('"model" must be a string.', 'model');
  }
  if (messages === undefined) throw new RequestProblem('"messages" is missing; send a list of messages.', 'messages');
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new RequestProblem('"messages" must be a list with at least one message.', 'messages');
  }
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    throw new RequestProblem('"stream" must be true or false.', 'stream');
  }
  if (streamOptions !== undefined && streamOptions !== null && !isObject(streamOptions)) {
    throw new RequestProblem('"stream_options" must be an object.', 'stream_options');
  }
  return {
    text,
    model: model?.trim() || undefined,
    stream: stream === true,
    wantsUsage: streamOptions?.include_usage === true,
    choices: typeof n === 'number' ? n : 1,
    facts: chatFacts(body, messages),
  };
}

function parseBody(text: string): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    // The engine's message quotes the text; only the place is passed on.
    const position = error instanceof Error ? /at position \d+/.exec(error.message)?.[0] : undefined;
    throw new RequestProblem(`The body is not valid JSON${position ? ` (${position})` : ''}.`);
  }
  if (!isObject(body)) throw new RequestProblem('The body must be a JSON object.');
  return body;
}

/**
 * The body for a provider of the same dialect: the caller's own text but for the model's name, and for
 * `stream_options`, so that every stream reports its usage.
 */
export function forwardChatCall(
  call: Omit<ChatCall, 'facts' | 'choices'>,
  model: string,
  options: { refusesStreamOptions: boolean; readsRoutingFields: boolean },
): string {
  // Even where the name is right: a second "model" may stand beside it, or blanks around it.
  const changes: Record<string, string | undefined> = { model: JSON.stringify(model) };
  if (!options.readsRoutingFields) {
    changes['provider'] = undefined;
    changes['models'] = undefined;
  }
  if (options.refusesStreamOptions) changes['stream_options'] = undefined;
  else if (call.stream && !call.wantsUsage) changes['stream_options'] = withUsage(call.text);
  return replaceMembers(call.text, changes);
}

/** The `stream_options` of a request's text, with usage asked for and every other byte kept. */
function withUsage(text: string): string {
  const member = jsonMembers(text).findLast(({ key }) => key === 'stream_options');
  const options = member ? text.slice(member.valueStart, member.end) : 'null';
  return replaceMembers(options === 'null' ? '{}' : options, { include_usage: 'true' });
}
