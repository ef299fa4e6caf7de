import type { ChatRequest, Tool } from '../chat-request.ts';
import type { EncodedRequest } from '../dialect.ts';
import { foreignFields } from '../foreign-fields.ts';
import { isObject, type JsonObject, withoutUndefined } from '../json-value.ts';
import { type ModelTraits, modelTraits } from './claude-models.ts';
import { cacheControl } from './encode-content.ts';
import { encodeMessages } from './encode-messages.ts';
import { encodeThinking } from './encode-thinking.ts';
import { jsonAnswerTool } from './json-answer.ts';
import { hasOpenObjects, structuredSchema } from './structured-schema.ts';
import { lacksItsThoughts } from './thinking-turn.ts';

/** Extensions that are no fields of the body, but are worked into it. */
const workedIn = new Set([
  'content_blocks',
  'block_details',
  'tool_details',
  'tools',
  'thinking',
  'thinking_display',
  'output_config',
]);

/** Anthropic's own fields, which callers of OpenAI's dialect may write beside the usual ones. */
const honoured = [
  'cache_control',
  'thinking',
  'container',
  'context_management',
  'mcp_servers',
  'inference_geo',
  'speed',
];

function ownFields({ extensions }: ChatRequest): JsonObject {
  const foreign = extensions['openai-chat'] ?? {};
  const written = Object.fromEntries(honoured.map((name) => [name, foreign[name]]));
  return { ...withoutUndefined(written), ...extensions['anthropic-messages'] };
}

/** The body of `POST /v1/messages` (https://platform.claude.com/docs/en/api/messages/create). */
export function encodeMessagesRequest(request: ChatRequest, target: { model: string }): EncodedRequest {
  const traits = modelTraits(target.model);
  const unsupported = new Set(unsupportedFields(request));
  const own = ownFields(request);
  const { messages, system } = encodeMessages(request, traits, unsupported);
  const answerTool = answerToolFor(request, traits);
  const choice = encodeChoice(request, answerTool !== undefined);
  const forced = choice?.['type'] === 'any' || choice?.['type'] === 'tool';
  const { reasoning, maxOutputTokens } = request;
  const thought = encodeThinking(
    { reasoning, maxOutputTokens, forced, interrupted: lacksItsThoughts(request), extensions: own },
    traits,
  );
  if (!thought.honoured) unsupported.add('reasoning_effort');
  const tools = [...encodeTools(request, traits, unsupported), ...(answerTool ? [answerTool] : [])];
  const body = withoutUndefined({
    ...Object.fromEntries(Object.entries(own).filter(([name]) => !workedIn.has(name))),
    model: target.model,
    max_tokens: thought.maxTokens,
    system: system.length > 0 ? system : undefined,
    messages,
    tools: tools.length > 0 ? tools : undefined,
    tool_choice: choice,
    thinking: thought.thinking,
    output_config: outputConfig(request, traits, thought.effort),
    ...encodeSampling(request, traits, { thinks: isThinking(thought.thinking), unsupported }),
    stop_sequences: encodeStop(request.stop, unsupported),
    metadata: request.user === undefined ? undefined : { user_id: request.user },
    service_tier: serviceTiers[request.serviceTier ?? ''],
    stream: request.stream ? true : undefined,
  });
  return { body, unsupported: [...unsupported] };
}

/** Anthropic has no flexible tier, and takes priority capacity wherever it may. */
const serviceTiers: Readonly<Record<string, string>> = {
  auto: 'auto',
  priority: 'auto',
  default: 'standard_only',
  standard_only: 'standard_only',
};

/**
 * What this API has no place for. A cache key is not among it: Anthropic's cache finds shared beginnings by itself, so
 * that the hint asks for nothing that is missed.
 */
function unsupportedFields(request: ChatRequest): string[] {
  const { sampling, serviceTier } = request;
  const without: Record<string, boolean> = {
    n: request.choices > 1,
    logprobs: request.topLogprobs !== undefined,
    seed: sampling.seed !== undefined,
    frequency_penalty: (sampling.frequencyPenalty ?? 0) !== 0,
    presence_penalty: (sampling.presencePenalty ?? 0) !== 0,
    metadata: request.metadata !== undefined && Object.keys(request.metadata).length > 0,
    service_tier: serviceTier !== undefined && serviceTiers[serviceTier] === undefined,
  };
  const names = Object.keys(without).filter((name) => without[name]);
  return [...names, ...foreignFields(request, 'anthropic-messages', honoured)];
}

function isThinking(thinking: JsonObject | undefined): boolean {
  return thinking !== undefined && thinking['type'] !== 'disabled';
}

/** While it thinks, the model takes only its own temperature; newer models take no other at any time. */
function encodeSampling(
  { sampling }: ChatRequest,
  { samplers }: ModelTraits,
  { thinks, unsupported }: { thinks: boolean; unsupported: Set<string> },
): JsonObject {
  const { temperature, topP, topK } = sampling;
  const isFixed = samplers === 0 || thinks;
  const body: JsonObject = {};
  if (temperature !== undefined) {
    if (temperature > 1 || (isFixed && temperature !== 1)) unsupported.add('temperature');
    else if (samplers > 0) body['temperature'] = temperature;
  }
  if (topP !== undefined) {
    const isTaken = samplers === 0 ? false : thinks ? topP >= 0.95 : samplers > 1 || body['temperature'] === undefined;
    if (isTaken) body['top_p'] = topP;
    else if (topP !== 1) unsupported.add('top_p');
  }
  if (topK !== undefined) {
    if (isFixed) unsupported.add('top_k');
    else body['top_k'] = topK;
  }
  return body;
}

/** Blank sequences are refused. */
function encodeStop(stop: readonly string[], unsupported: Set<string>): string[] | undefined {
  const taken = stop.filter((one) => one.trim() !== '');
  if (taken.length < stop.length) unsupported.add('stop');
  return taken.length > 0 ? taken : undefined;
}

function encodeTools(request: ChatRequest, { structuredOutputs }: ModelTraits, unsupported: Set<string>): JsonObject[] {
  const own = request.extensions['anthropic-messages'] ?? {};
  const details = isObject(own['tool_details']) ? own['tool_details'] : {};
  const serverTools = Array.isArray(own['tools']) ? own['tools'].filter(isObject) : [];
  const tools = request.tools.map((tool) => {
    if (tool.strict && !structuredOutputs) unsupported.add('strict');
    return encodeTool(tool, structuredOutputs, details[tool.name]);
  });
  return [...tools, ...serverTools];
}

/** The schema of a tool must be one of an object. */
function encodeTool(
  { name, description, parameters, strict, cache }: Tool,
  takesStrict: boolean,
  details: unknown,
): JsonObject {
  const isStrict = strict === true && takesStrict;
  const schema: JsonObject = { ...(parameters?.['type'] === undefined ? { type: 'object' } : {}), ...parameters };
  return withoutUndefined({
    name,
    description,
    input_schema: isStrict ? structuredSchema(schema) : parameters ? schema : { type: 'object', properties: {} },
    strict: isStrict ? true : undefined,
    ...cacheControl(cache),
    ...(isObject(details) ? details : {}),
  });
}

/** A model that shall answer in JSON and has tools of its own must call one or the other. */
function encodeChoice(
  { toolChoice, tools, parallelToolCalls }: ChatRequest,
  answersInJson: boolean,
): JsonObject | undefined {
  const oneAtATime = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  if (answersInJson) {
    if (toolChoice?.type === 'none' || tools.length === 0) return { type: 'tool', name: jsonAnswerTool };
    return { type: 'any', ...oneAtATime };
  }
  if (toolChoice?.type === 'none') return { type: 'none' };
  if (toolChoice?.type === 'required') return { type: 'any', ...oneAtATime };
  if (toolChoice?.type === 'tool') return { type: 'tool', name: toolChoice.name, ...oneAtATime };
  return toolChoice || (parallelToolCalls === false && tools.length > 0) ? { type: 'auto', ...oneAtATime } : undefined;
}

function takesFormat({ responseFormat }: ChatRequest, { structuredOutputs }: ModelTraits): boolean {
  return responseFormat?.type === 'json-schema' && structuredOutputs && !hasOpenObjects(responseFormat.schema);
}

/** The tool that stands for the answer where `output_config.format` does not: JSON of any shape, open schemas, older models. */
function answerToolFor(request: ChatRequest, traits: ModelTraits): JsonObject | undefined {
  const { responseFormat, toolChoice } = request;
  const mustCall = toolChoice?.type === 'required' || toolChoice?.type === 'tool';
  if (!responseFormat || responseFormat.type === 'text' || mustCall || takesFormat(request, traits)) return undefined;
  const described = responseFormat.type === 'json-schema' ? responseFormat.description : undefined;
  return {
    name: jsonAnswerTool,
    description: described ?? 'Gives the answer: the JSON object that the conversation asks for.',
    input_schema:
      responseFormat.type === 'json-schema' ? { type: 'object', ...responseFormat.schema } : { type: 'object' },
  };
}

function outputConfig(request: ChatRequest, traits: ModelTraits, effort: string | undefined): JsonObject | undefined {
  const { responseFormat, extensions } = request;
  const own = extensions['anthropic-messages']?.['output_config'];
  const format =
    responseFormat?.type === 'json-schema' && takesFormat(request, traits)
      ? { type: 'json_schema', schema: structuredSchema(responseFormat.schema) }
      : undefined;
  const config = withoutUndefined({ effort, format, ...(isObject(own) ? own : {}) });
  return Object.keys(config).length > 0 ? config : undefined;
}
