import type { ChatRequest } from '../chat-request.ts';
import type { RequestContext } from '../dialect.ts';
import { isObject, type JsonObject } from '../json-value.ts';
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
    model: optional(body, 'model', 'string') ?? context.model,
    messages: [{ role: 'user', parts: [{ type: 'text', text: promptOf(body['prompt']) }] }],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    responseFormat: undefined,
    sampling: decodeSampling(body),
    maxOutputTokens: optional(body, 'max_tokens', 'number'),
    stop: decodeStop(body['stop']),
    choices: optional(body, 'n', 'number') ?? 1,
    topLogprobs: optional(body, 'logprobs', 'number'),
    reasoning: undefined,
    stream: optional(body, 'stream', 'boolean') ?? context.stream ?? false,
    includeUsage: streamOptions['include_usage'] === true,
    user: optional(body, 'user', 'string'),
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

type Primitive = { string: string; number: number; boolean: boolean };

function optional<T extends keyof Primitive>(body: JsonObject, name: string, type: T): Primitive[T] | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== type) throw new RequestProblem(`"${name}" must be a ${type}.`, name);
  return value as Primitive[T];
}

function decodeSampling(body: JsonObject): ChatRequest['sampling'] {
  const names = {
    temperature: 'temperature',
    topP: 'top_p',
    frequencyPenalty: 'frequency_penalty',
    presencePenalty: 'presence_penalty',
    seed: 'seed',
  } as const;
  const entries = Object.entries(names).map(([ours, theirs]) => [ours, optional(body, theirs, 'number')]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function decodeStop(stop: unknown): string[] {
  if (stop === undefined || stop === null) return [];
  const list = Array.isArray(stop) ? stop : [stop];
  if (list.every((one) => typeof one === 'string')) return list;
  throw new RequestProblem('"stop" must be a string or a list of strings.', 'stop');
}

function extensionsOf(body: JsonObject): JsonObject {
  const rest = Object.entries(body).filter(([name, value]) => value !== null && !understood.has(name));
  return Object.fromEntries(rest.filter(([name, value]) => withoutMeaning[name] !== value && value !== ''));
}
