import type { ChatRequest } from '../../dialects/chat-request.ts';
import type { ClientDialect, RequestContext } from '../../dialects/dialect.ts';
import { isObject, parseJson } from '../../dialects/json-value.ts';
import { decodeChatCall } from '../../dialects/openai-chat/request.ts';
import type { RequestFacts } from '../../dialects/request-facts.ts';
import { RequestProblem } from '../../dialects/request-problem.ts';
import { GatewayError } from '../gateway-error.ts';

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
  /** What of it matters for choosing a target, where that is known without decoding it. */
  facts?: RequestFacts;
  /** A stream is wanted as events of the vocabulary even from a vendor of the same dialect, so that another can go on. */
  asEvents?: true;
  /** `models` and `provider` of the body are for the vendor to read; else they were the gateway's, and stay here. */
  passesRouting?: true;
  /** `text` is not what shall be asked any more; `request` is. */
  rewritten?: true;
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

/** What `read` makes of a request; what it cannot understand is told as the caller's mistake. */
export function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RequestProblem)
      throw new GatewayError('invalid_request', error.message, { param: error.param });
    throw error;
  }
}
