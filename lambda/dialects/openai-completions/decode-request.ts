import type { ChatRequest } from '../chat-request.ts';
import type { RequestContext } from '../dialect.ts';
import { isObject, type JsonObject } from '../json-value.ts';
import { decodeSampling, decodeStop, optionalField } from '../openai-fields.ts';
import { RequestProblem } from '../request-problem.ts';

const understood = new Set([
  ...['model', 'prompt', 'stream', 'stream_options', 'n', 'max_tokens', 'stop', 'logprobs', 'user', 'seed'],
  ...['temperature', 'top_p', 'frequency_penalty', 'presence_penalty'],
]);

/** Defaults that are written out: they ask for nothing. */
const withoutMeaning: Readonly<Record<string, unknown>> = { echo: false, best_of: 1 };

/** Reads a `POST /v1/completions` body (https://platform.openai.com/docs/api-reference/completions/create). */
export function decodeCompletionsRequest(body: JsonObject, context: RequestContext = {}): ChatRequest {
  const streamOptions = isObject(body['stream_options']) ? body['stream_options'] : {};
  return {
    model: optionalField(body, 'model', 'string') ?? context.model,
    messages: [{ role: 'user', parts: [{ type: 'text', text: promptOf(body['prompt']) }] }],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    responseFormat: undefined,
    sampling: decodeSampling(body),
    maxOutputTokens: optionalField(body, 'max_tokens', 'number'),
    stop: decodeStop(body['stop']),
    choices: optionalField(body, 'n', 'number') ?? 1,
    topLogprobs: optionalField(body, 'logprobs', 'number'),
    reasoning: undefined,
    stream: optionalField(body, 'stream', 'boolean') ?? context.stream ?? false,
    includeUsage: streamOptions['include_usage'] === true,
    user: optionalField(body, 'user', 'string'),
    metadata: undefined,
    serviceTier: undefined,
    promptCacheKey: undefined,
    extensions: { 'openai-completions': extensionsOf(body) },
  };
}

/** Several prompts are several requests, and tokens belong to one model: neither can become one conversation. */
function promptOf(prompt: unknown): string {
  const [only, ...others] = Array.isArray(prompt) ? prompt : [prompt];
  if (typeof only === 'string' && others.length === 0) return only;
  if (typeof only === 'string') {
    throw new RequestProblem('"prompt" holds several prompts; send one request for each.', 'prompt');
  }
  throw new RequestProblem('"prompt" must be a string, or a list of one string.', 'prompt');
}

function extensionsOf(body: JsonObject): JsonObject {
  const rest = Object.entries(body).filter(([name, value]) => value !== null && !understood.has(name));
  return Object.fromEntries(rest.filter(([name, value]) => withoutMeaning[name] !== value && value !== ''));
}
