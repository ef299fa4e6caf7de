import type { ChatRequest, Message, Reasoning, ResponseFormat } from '../chat-request.ts';
import type { RequestContext } from '../dialect.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { RequestProblem } from '../request-problem.ts';
import { decodeInput } from './decode-input.ts';
import { decodeToolChoice, decodeTools } from './decode-tools.ts';

/** Every top-level field that has a place in the vocabulary; the others are kept as extensions. */
const understood = new Set([
  ...['model', 'input', 'instructions', 'stream', 'tools', 'tool_choice', 'parallel_tool_calls', 'text', 'reasoning'],
  ...['temperature', 'top_p', 'top_logprobs', 'max_output_tokens', 'metadata', 'service_tier', 'prompt_cache_key'],
  ...['user', 'safety_identifier'],
]);

/** Reads a `POST /v1/responses` body (https://platform.openai.com/docs/api-reference/responses/create). */
export function decodeResponsesRequest(body: JsonObject, context: RequestContext = {}): ChatRequest {
  const { messages, unplaced } = decodeInput(body['input']);
  const { tools, unplacedTools } = decodeTools(body['tools']);
  const toolChoice = decodeToolChoice(body['tool_choice']);
  const text = objectField(body, 'text');
  const reasoning = objectField(body, 'reasoning');
  return {
    model: optional(body, 'model', 'string') ?? context.model,
    messages: [...instructionsOf(body), ...messages],
    tools,
    toolChoice,
    parallelToolCalls: optional(body, 'parallel_tool_calls', 'boolean'),
    responseFormat: decodeFormat(text['format']),
    sampling: decodeSampling(body),
    maxOutputTokens: optional(body, 'max_output_tokens', 'number'),
    stop: [],
    choices: 1,
    topLogprobs: decodeTopLogprobs(body),
    reasoning: decodeReasoning(reasoning),
    stream: optional(body, 'stream', 'boolean') ?? context.stream ?? false,
    includeUsage: true,
    user: optional(body, 'safety_identifier', 'string') ?? optional(body, 'user', 'string'),
    metadata: isObject(body['metadata']) ? (body['metadata'] as Record<string, string>) : undefined,
    serviceTier: optional(body, 'service_tier', 'string'),
    promptCacheKey: optional(body, 'prompt_cache_key', 'string'),
    extensions: {
      'openai-responses': {
        ...extensionsOf(body),
        ...fieldsBesides(text, 'text', ['format']),
        ...fieldsBesides(reasoning, 'reasoning', ['effort', 'summary', 'generate_summary']),
        ...(toolChoice === undefined && isSet(body['tool_choice']) ? { tool_choice: body['tool_choice'] } : {}),
        // Under the name of each thing without a place, all as written: order and unknown fields are kept so.
        ...Object.fromEntries([...unplaced].map((name) => [name, body['input']])),
        ...Object.fromEntries([...unplacedTools].map((name) => [name, body['tools']])),
      },
    },
  };
}

type Primitive = { string: string; number: number; boolean: boolean };

function optional<T extends keyof Primitive>(body: JsonObject, name: string, type: T): Primitive[T] | undefined {
  const value = body[name];
  if (!isSet(value)) return undefined;
  if (typeof value !== type) throw new RequestProblem(`"${name}" must be a ${type}.`, name);
  return value as Primitive[T];
}

function objectField(body: JsonObject, name: string): JsonObject {
  const value = body[name];
  if (!isSet(value)) return {};
  if (!isObject(value)) throw new RequestProblem(`"${name}" must be an object.`, name);
  return value;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function instructionsOf(body: JsonObject): Message[] {
  const text = optional(body, 'instructions', 'string');
  return text ? [{ role: 'system', parts: [{ type: 'text', text }] }] : [];
}

function decodeSampling(body: JsonObject): ChatRequest['sampling'] {
  const temperature = optional(body, 'temperature', 'number');
  const topP = optional(body, 'top_p', 'number');
  return { ...(temperature === undefined ? {} : { temperature }), ...(topP === undefined ? {} : { topP }) };
}

function decodeFormat(format: unknown): ResponseFormat | undefined {
  if (!isSet(format)) return undefined;
  if (!isObject(format)) throw new RequestProblem('"text.format" must be an object.', 'text.format');
  if (format['type'] === 'text') return { type: 'text' };
  if (format['type'] === 'json_object') return { type: 'json' };
  const { type, name, schema, strict, description } = format;
  if (type !== 'json_schema' || !isObject(schema)) {
    throw new RequestProblem('"text.format" must be text, json_object, or json_schema with a schema.', 'text.format');
  }
  return {
    type: 'json-schema',
    name: stringOrUndefined(name) ?? 'response',
    schema,
    ...(typeof strict === 'boolean' ? { strict } : {}),
    ...(typeof description === 'string' ? { description } : {}),
  };
}

/** Log probabilities are asked for by `include`; `top_logprobs` says how many alternatives. */
function decodeTopLogprobs(body: JsonObject): number | undefined {
  const include = Array.isArray(body['include']) ? body['include'] : [];
  const count = optional(body, 'top_logprobs', 'number');
  if (include.includes('message.output_text.logprobs')) return count ?? 0;
  return count === 0 ? undefined : count;
}

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

function decodeReasoning({ effort, summary, generate_summary: olderSummary }: JsonObject): Reasoning | undefined {
  if (isSet(effort) && !efforts.includes(effort as string)) {
    throw new RequestProblem(`"reasoning.effort" must be one of ${efforts.join(', ')}.`, 'reasoning.effort');
  }
  const wanted = stringOrUndefined(summary) ?? stringOrUndefined(olderSummary);
  if (!isSet(effort) && wanted === undefined) return undefined;
  return {
    ...(isSet(effort) ? { effort: effort as NonNullable<Reasoning['effort']> } : {}),
    ...(wanted === undefined ? {} : { summary: wanted }),
  };
}

function extensionsOf(body: JsonObject): JsonObject {
  const rest = Object.entries(body).filter(([name, value]) => isSet(value) && !understood.has(name));
  // `disabled` is what happens anyhow: too long an input is an error.
  return Object.fromEntries(rest.filter(([name, value]) => name !== 'truncation' || value !== 'disabled'));
}

/** The fields of a nested object that have no place, under their whole names. */
function fieldsBesides(object: JsonObject, parent: string, known: readonly string[]): JsonObject {
  const rest = Object.entries(object).filter(([name, value]) => isSet(value) && !known.includes(name));
  return Object.fromEntries(rest.map(([name, value]) => [`${parent}.${name}`, value]));
}
