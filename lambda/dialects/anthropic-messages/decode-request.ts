import type { ChatRequest, Reasoning, ResponseFormat, Tool, ToolChoice } from '../chat-request.ts';
import type { RequestContext } from '../dialect.ts';
import { isObject, type JsonObject, stringOrUndefined, withoutUndefined } from '../json-value.ts';
import { RequestProblem } from '../request-problem.ts';
import { cacheOf } from './decode-content.ts';
import { decodeMessages, type KeptBlocks } from './decode-messages.ts';

/** Every top-level field that has a place in the vocabulary; the others are kept as extensions. */
const understood = new Set([
  ...['model', 'messages', 'system', 'max_tokens', 'stream', 'tools', 'tool_choice', 'stop_sequences'],
  ...['temperature', 'top_p', 'top_k', 'thinking', 'output_config', 'output_format', 'metadata', 'service_tier'],
  // Says which API the body is for; the vendor that it goes to has its own.
  'anthropic_version',
]);

/** Reads a `POST /v1/messages` body (https://platform.claude.com/docs/en/api/messages/create). */
export function decodeMessagesRequest(body: JsonObject, context: RequestContext = {}): ChatRequest {
  if (typeof body['max_tokens'] !== 'number') {
    throw new RequestProblem('"max_tokens" is missing; it must be a number.', 'max_tokens');
  }
  return decodePrompt(body, context);
}

/** Reads a body that may leave out the limit, as `POST /v1/messages/count_tokens` does. */
export function decodePrompt(body: JsonObject, context: RequestContext = {}): ChatRequest {
  const { messages, kept } = decodeMessages(body);
  const choice = isObject(body['tool_choice']) ? body['tool_choice'] : {};
  const parallel = choice['disable_parallel_tool_use'];
  const { user_id: userId, ...metadata } = isObject(body['metadata']) ? body['metadata'] : {};
  return {
    model: stringOrUndefined(body['model']) ?? context.model,
    messages,
    tools: decodeTools(body['tools']),
    toolChoice: decodeToolChoice(body['tool_choice']),
    parallelToolCalls: typeof parallel === 'boolean' ? !parallel : undefined,
    responseFormat: decodeFormat(body),
    sampling: withoutUndefined({
      temperature: numberOf(body, 'temperature'),
      topP: numberOf(body, 'top_p'),
      topK: numberOf(body, 'top_k'),
    }),
    maxOutputTokens: numberOf(body, 'max_tokens'),
    stop: decodeStop(body['stop_sequences']),
    choices: 1,
    topLogprobs: undefined,
    reasoning: decodeReasoning(body),
    stream: typeof body['stream'] === 'boolean' ? body['stream'] : (context.stream ?? false),
    includeUsage: true,
    user: stringOrUndefined(userId),
    metadata: Object.keys(metadata).length > 0 ? (metadata as Record<string, string>) : undefined,
    serviceTier: body['service_tier'] === 'standard_only' ? 'default' : stringOrUndefined(body['service_tier']),
    promptCacheKey: undefined,
    extensions: { 'anthropic-messages': extensionsOf(body, kept) },
  };
}

function numberOf(body: JsonObject, name: string): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw new RequestProblem(`"${name}" must be a number.`, name);
  return value;
}

function toolsOf(tools: unknown): JsonObject[] {
  if (tools === undefined || tools === null) return [];
  if (Array.isArray(tools) && tools.every(isObject)) return tools;
  throw new RequestProblem('"tools" must be a list of objects.', 'tools');
}

/** Tools that the caller runs; those with another type run at Anthropic. */
function isOwnTool({ type }: JsonObject): boolean {
  return type === undefined || type === null || type === 'custom';
}

function decodeTools(tools: unknown): Tool[] {
  return toolsOf(tools)
    .filter(isOwnTool)
    .map((tool, index) => {
      const { name, description, input_schema: schema, strict } = tool;
      if (typeof name !== 'string') throw new RequestProblem('A tool needs a name.', `tools[${index}].name`);
      return {
        name,
        ...(typeof description === 'string' ? { description } : {}),
        ...(isObject(schema) ? { parameters: schema } : {}),
        ...(typeof strict === 'boolean' ? { strict } : {}),
        ...cacheOf(tool),
      };
    });
}

function decodeToolChoice(choice: unknown): ToolChoice | undefined {
  if (choice === undefined || choice === null) return undefined;
  const { type, name } = isObject(choice) ? choice : {};
  if (type === 'auto' || type === 'none') return { type };
  if (type === 'any') return { type: 'required' };
  if (type === 'tool' && typeof name === 'string') return { type: 'tool', name };
  throw new RequestProblem('"tool_choice" must be of type auto, any, none, or tool with a name.', 'tool_choice');
}

/** `output_format` is what `output_config.format` was called before it left beta. */
function decodeFormat(body: JsonObject): ResponseFormat | undefined {
  const config = isObject(body['output_config']) ? body['output_config'] : {};
  const format = config['format'] ?? body['output_format'];
  if (format === undefined || format === null) return undefined;
  if (isObject(format) && format['type'] === 'json_schema' && isObject(format['schema'])) {
    return { type: 'json-schema', name: 'response', schema: format['schema'], strict: true };
  }
  throw new RequestProblem('"output_config.format" must be a json_schema with a schema.', 'output_config.format');
}

function decodeStop(stop: unknown): string[] {
  if (stop === undefined || stop === null) return [];
  if (Array.isArray(stop) && stop.every((one) => typeof one === 'string')) return stop;
  throw new RequestProblem('"stop_sequences" must be a list of strings.', 'stop_sequences');
}

const efforts = ['low', 'medium', 'high', 'xhigh', 'max'] as const;

/** Thinking that is `adaptive` without an effort is wanted as much as the model likes: an empty `Reasoning`. */
function decodeReasoning(body: JsonObject): Reasoning | undefined {
  const thinking = isObject(body['thinking']) ? body['thinking'] : undefined;
  const config = isObject(body['output_config']) ? body['output_config'] : {};
  const effort = efforts.find((one) => one === config['effort']);
  if (thinking?.['type'] === 'disabled') return { effort: 'none' };
  if (!thinking && !effort) return undefined;
  const budgetTokens = thinking?.['budget_tokens'];
  return {
    ...(effort ? { effort } : {}),
    ...(typeof budgetTokens === 'number' ? { budgetTokens } : {}),
    ...(thinking?.['display'] === 'summarized' ? { summary: 'auto' } : {}),
  };
}

/**
 * What the vocabulary has no place for. `thinking` and `output_config` are kept only where more was said than
 * `reasoning` holds; `thinking: null` says that there was an effort without it.
 */
function extensionsOf(body: JsonObject, { lost, detailed }: KeptBlocks): JsonObject {
  const fields = Object.entries(body).filter(([name, value]) => !understood.has(name) && value !== null);
  const { effort, format: _format, ...others } = isObject(body['output_config']) ? body['output_config'] : {};
  const isOff = isObject(body['thinking']) && body['thinking']['type'] === 'disabled';
  const config = isOff && effort !== undefined ? { ...others, effort } : others;
  const serverTools = toolsOf(body['tools']).filter((tool) => !isOwnTool(tool));
  const details = toolDetails(toolsOf(body['tools']).filter(isOwnTool));
  return withoutUndefined({
    ...Object.fromEntries(fields),
    ...thinkingExtension(body['thinking'], effort),
    output_config: Object.keys(config).length > 0 ? config : undefined,
    tools: serverTools.length > 0 ? serverTools : undefined,
    tool_details: Object.keys(details).length > 0 ? details : undefined,
    content_blocks: lost.length > 0 ? lost : undefined,
    block_details: detailed.length > 0 ? detailed : undefined,
  });
}

function thinkingExtension(thinking: unknown, effort: unknown): JsonObject {
  if (!isObject(thinking)) return typeof effort === 'string' ? { thinking: null } : {};
  const { type, display } = thinking;
  if (type !== 'enabled' && type !== 'disabled' && type !== 'adaptive') return { thinking };
  return display === 'omitted' ? { thinking_display: 'omitted' } : {};
}

/** How a tool is offered, by its name: `defer_loading`, `input_examples`, `eager_input_streaming`, … */
function toolDetails(tools: JsonObject[]): JsonObject {
  const entries = tools.map((tool): [string, JsonObject] => {
    const { type: _, name, description: _d, input_schema: _i, strict: _s, cache_control: _c, ...details } = tool;
    return [String(name), details];
  });
  return Object.fromEntries(entries.filter(([, details]) => Object.keys(details).length > 0));
}
