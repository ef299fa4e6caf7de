import type { ChatRequest } from '../dialects/chat-request.ts';
import type { ClientDialect, RequestContext } from '../dialects/dialect.ts';
import { isObject, parseJson } from '../dialects/json-value.ts';
import { decodeChatCall } from '../dialects/openai-chat/request.ts';
import { RequestProblem } from '../dialects/request-problem.ts';

/** A caller's request as far as every way to a vendor needs it. */
export type ClientCall = {
  client: ClientDialect;
  /** The body as it came, for vendors of the same dialect. */
  text: string;
  model: string | undefined;
  stream: boolean;
  wantsUsage: boolean;
  /** How many answers are wanted. */
  choices: number;
  /** The request in the neutral vocabulary, for all other vendors; decoded once, when first asked for. */
  request(): ChatRequest;
};

/** Reads a body in the client's dialect; throws `RequestProblem` when it cannot be understood. */
export function readClientCall(client: ClientDialect, text: string, context: RequestContext): ClientCall {
  let decoded: ChatRequest | undefined;
  const request = () => {
    decoded ??= client.decodeRequest(parseBody(text), context);
    return decoded;
  };
  if (client.name === 'openai-chat') return { client, ...decodeChatCall(text), request };
  const { model, stream, includeUsage, choices } = request();
  return { client, text, model, stream, wantsUsage: includeUsage, choices, request };
}

function parseBody(text: string) {
  const body = parseJson(text);
  if (isObject(body)) return body;
  throw new RequestProblem(text.trim() === '' ? 'The request has no body.' : 'The body is not a JSON object.');
}
