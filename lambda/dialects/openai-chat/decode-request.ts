import type { ChatRequest, Message, Reasoning, ResponseFormat, Tool, ToolChoice } from '../chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { decodeSampling, decodeStop, optionalField } from '../openai-fields.ts';
import { RequestProblem } from '../request-problem.ts';
import { cacheHint, decodeMessage } from './decode-message.ts';

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
      ...cacheHint(tool),
    };
  });
}

type FunctionTool = { type: 'function'; function: JsonObject; cache_control?: unknown };

function isFunctionTool(tool: unknown): tool is FunctionTool {
  return isObject(tool) && isObject(tool['function']);
}

function decodeToolChoice(choice: unknown): ToolChoice | undefined {
  if (choice === undefined || choice === null || isChoiceOfItsOwn(choice)) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  // Mistral's word for it.
  if (choice === 'any') return { type: 'required' };
  const { function: called, name } = isObject(choice) ? choice : {};
  const wanted = isObject(called) ? called['name'] : name;
  if (typeof wanted === 'string') return { type: 'tool', name: wanted };
  throw new RequestProblem('"tool_choice" must be "auto", "none", "required" or name a function.', 'tool_choice');
}

/** A choice among some of the tools, or of one that takes free text, which no other dialect has. */
function isChoiceOfItsOwn(choice: unknown): boolean {
  return isObject(choice) && (choice['type'] === 'allowed_tools' || choice['type'] === 'custom');
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

/** `thinking`, which DeepSeek and others took from Anthropic; with more in it, it is a field of its own. */
function thinkingOf({ thinking }: JsonObject): JsonObject | undefined {
  if (!isObject(thinking) || !['enabled', 'disabled', 'adaptive'].includes(thinking['type'] as string))
    return undefined;
  return Object.keys(thinking).every((name) => name === 'type' || name === 'budget_tokens') ? thinking : undefined;
}

/** `reasoning_effort`, OpenRouter's `reasoning: {effort, max_tokens, enabled}`, or `thinking: {type, budget_tokens}`. */
function decodeReasoning(body: JsonObject): Reasoning | undefined {
  const detailed = isObject(body['reasoning']) ? body['reasoning'] : undefined;
  const thinking = thinkingOf(body);
  const effort =
    body['reasoning_effort'] ??
    detailed?.['effort'] ??
    (detailed?.['enabled'] === false || thinking?.['type'] === 'disabled' ? 'none' : undefined);
  if (effort !== undefined && effort !== null && !efforts.includes(effort as string)) {
    throw new RequestProblem(`"reasoning_effort" must be one of ${efforts.join(', ')}.`, 'reasoning_effort');
  }
  const budgetTokens = detailed?.['max_tokens'] ?? thinking?.['budget_tokens'];
  const isWanted = detailed?.['enabled'] === true || thinking !== undefined;
  if (!effort && typeof budgetTokens !== 'number' && !isWanted) return undefined;
  return {
    ...(effort ? { effort: effort as NonNullable<Reasoning['effort']> } : {}),
    ...(typeof budgetTokens === 'number' ? { budgetTokens } : {}),
  };
}

function extensionsOf(body: JsonObject): JsonObject {
  const extensions = Object.fromEntries(
    Object.entries(body).filter(([name, value]) => !understood.has(name) && value !== null),
  );
  if (thinkingOf(body)) delete extensions['thinking'];
  const otherTools = Array.isArray(body['tools']) ? body['tools'].filter((tool) => !isFunctionTool(tool)) : [];
  return {
    ...extensions,
    ...(isChoiceOfItsOwn(body['tool_choice']) ? { tool_choice: body['tool_choice'] } : {}),
    ...(otherTools.length > 0 ? { tools: otherTools } : {}),
  };
}
