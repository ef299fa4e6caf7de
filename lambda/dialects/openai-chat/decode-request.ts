import type { ChatRequest, Message, Reasoning, ResponseFormat, Tool, ToolChoice } from '../chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { decodeSampling, decodeStop, optionalField } from '../openai-fields.ts';
import { RequestProblem } from '../request-problem.ts';
import { decodeMessage } from './decode-message.ts';

/** Every top-level field that has a place in the vocabulary; the others are kept as extensions. */
const understood = new Set([
  ...[
    'model',
    'messages',
    'stream',
    'stream_options',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'response_format',
  ],
  ...['temperature', 'top_p', 'top_k', 'frequency_penalty', 'presence_penalty', 'seed', 'stop', 'n'],
  ...['max_tokens', 'max_completion_tokens', 'logprobs', 'top_logprobs', 'reasoning_effort', 'reasoning'],
  ...['user', 'safety_identifier', 'metadata', 'service_tier', 'prompt_cache_key', 'functions', 'function_call'],
]);

/** Reads a `POST /v1/chat/completions` body (https://platform.openai.com/docs/api-reference/chat/create). */
export function decodeChatRequest(body: JsonObject): ChatRequest {
  const streamOptions = isObject(body['stream_options']) ? body['stream_options'] : {};
  return {
    model: stringOrUndefined(body['model']),
    messages: decodeMessages(body['messages']),
    tools: decodeTools(body),
    toolChoice: decodeToolChoice(body['tool_choice'] ?? body['function_call']),
    parallelToolCalls: optionalField(body, 'parallel_tool_calls', 'boolean'),
    responseFormat: decodeResponseFormat(body['response_format']),
    sampling: decodeSampling(body),
    maxOutputTokens:
      optionalField(body, 'max_completion_tokens', 'number') ?? optionalField(body, 'max_tokens', 'number'),
    stop: decodeStop(body['stop']),
    choices: optionalField(body, 'n', 'number') ?? 1,
    topLogprobs: body['logprobs'] === true ? (optionalField(body, 'top_logprobs', 'number') ?? 0) : undefined,
    reasoning: decodeReasoning(body),
    stream: body['stream'] === true,
    includeUsage: streamOptions['include_usage'] === true,
    user: optionalField(body, 'safety_identifier', 'string') ?? optionalField(body, 'user', 'string'),
    metadata: isObject(body['metadata']) ? (body['metadata'] as Record<string, string>) : undefined,
    serviceTier: optionalField(body, 'service_tier', 'string'),
    promptCacheKey: optionalField(body, 'prompt_cache_key', 'string'),
    extensions: { 'openai-chat': extensionsOf(body) },
  };
}

function decodeMessages(messages: unknown): Message[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new RequestProblem('"messages" must be a list with at least one message.', 'messages');
  }
  return messages.map((message, index) => decodeMessage(message, `messages[${index}]`));
}

function decodeTools(body: JsonObject): Tool[] {
  const tools = Array.isArray(body['tools']) ? body['tools'] : [];
  const functions = Array.isArray(body['functions'])
    ? body['functions'].map((one) => ({ type: 'function', function: one }))
    : [];
  return [...tools, ...functions].filter(isFunctionTool).map((tool, index) => {
    const { name, description, parameters, strict } = tool.function;
    if (typeof name !== 'string' || name === '')
      throw new RequestProblem('A tool needs a name.', `tools[${index}].function.name`);
    return {
      name,
      ...(typeof description === 'string' ? { description } : {}),
      ...(isObject(parameters) ? { parameters } : {}),
      ...(typeof strict === 'boolean' ? { strict } : {}),
      ...(isObject(tool.cache_control) ? { cache: {} } : {}),
    };
  });
}

type FunctionTool = { type: 'function'; function: JsonObject; cache_control?: unknown };

function isFunctionTool(tool: unknown): tool is FunctionTool {
  return isObject(tool) && isObject(tool['function']);
}

function decodeToolChoice(choice: unknown): ToolChoice | undefined {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  if (!isObject(choice)) return undefined;
  const name = isObject(choice['function']) ? choice['function']['name'] : choice['name'];
  if (typeof name === 'string') return { type: 'tool', name };
  throw new RequestProblem('"tool_choice" must be "auto", "none", "required" or name a function.', 'tool_choice');
}

function decodeResponseFormat(format: unknown): ResponseFormat | undefined {
  if (!isObject(format)) return undefined;
  if (format['type'] === 'text') return { type: 'text' };
  if (format['type'] === 'json_object') return { type: 'json' };
  const wanted = format['json_schema'];
  if (format['type'] !== 'json_schema' || !isObject(wanted) || !isObject(wanted['schema'])) {
    throw new RequestProblem(
      '"response_format" must be text, json_object, or json_schema with a schema.',
      'response_format',
    );
  }
  return {
    type: 'json-schema',
    name: stringOrUndefined(wanted['name']) ?? 'response',
    schema: wanted['schema'],
    ...(typeof wanted['strict'] === 'boolean' ? { strict: wanted['strict'] } : {}),
    ...(typeof wanted['description'] === 'string' ? { description: wanted['description'] } : {}),
  };
}

const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** `reasoning_effort`, or OpenRouter's `reasoning: {effort, max_tokens, enabled}`. */
function decodeReasoning(body: JsonObject): Reasoning | undefined {
  const detailed = isObject(body['reasoning']) ? body['reasoning'] : undefined;
  const effort =
    body['reasoning_effort'] ?? detailed?.['effort'] ?? (detailed?.['enabled'] === false ? 'none' : undefined);
  if (effort !== undefined && effort !== null && !efforts.includes(effort as string)) {
    throw new RequestProblem(`"reasoning_effort" must be one of ${efforts.join(', ')}.`, 'reasoning_effort');
  }
  const budgetTokens = detailed?.['max_tokens'];
  if (!effort && typeof budgetTokens !== 'number' && detailed?.['enabled'] !== true) return undefined;
  return {
    ...(effort ? { effort: effort as NonNullable<Reasoning['effort']> } : {}),
    ...(typeof budgetTokens === 'number' ? { budgetTokens } : {}),
  };
}

function extensionsOf(body: JsonObject): JsonObject {
  const extensions = Object.fromEntries(
    Object.entries(body).filter(([name, value]) => !understood.has(name) && value !== null),
  );
  const otherTools = Array.isArray(body['tools']) ? body['tools'].filter((tool) => !isFunctionTool(tool)) : [];
  return otherTools.length > 0 ? { ...extensions, tools: otherTools } : extensions;
}
