import { modelTraits } from '../anthropic-messages/claude-models.ts';
import { structuredSchema } from '../anthropic-messages/structured-schema.ts';
import type { ChatRequest } from '../chat-request.ts';
import type { EncodedRequest } from '../dialect.ts';
import { foreignFields } from '../foreign-fields.ts';
import { isObject, type JsonObject, withoutUndefined } from '../json-value.ts';
import { encodeMessages } from './encode-messages.ts';
import { encodeTools } from './encode-tools.ts';
import { stopSequencePaths } from './finish.ts';
import { modelFamily } from './model-family.ts';
import { reasoningFields } from './reasoning-fields.ts';
import { encodeSampling } from './sampling-fields.ts';

/** The body of `Converse` and `ConverseStream`; the model and the choice between the two are in the path. */
export function encodeConverseRequest(request: ChatRequest, { model }: { model: string }): EncodedRequest {
  const unsupported = new Set(unsupportedFields(request, model));
  const target = { model, unsupported };
  const { system, turns } = encodeMessages(request.messages, model, unsupported);
  const tools = encodeTools(request, target);
  const reasoning = reasoningFields(request, model);
  if (!reasoning.honoured) unsupported.add('reasoning_effort');
  const sampling = encodeSampling(request, reasoning, target);
  const asksForSequence = request.stop.length > 0 && modelFamily(model) === 'claude';
  const body = {
    messages: turns,
    system: system.length > 0 ? system : undefined,
    inferenceConfig: sampling.config,
    toolConfig: tools.config,
    outputConfig: outputConfig(request, target),
    serviceTier: serviceTier(request, unsupported),
    requestMetadata: requestMetadata(request, unsupported),
    additionalModelRequestFields: { ...sampling.fields, ...tools.fields, ...reasoning.fields },
    additionalModelResponseFieldPaths: asksForSequence ? stopSequencePaths : undefined,
  };
  const extended = merge(merge(withoutUndefined(body), claudeExtensions(request, model)), ownExtensions(request));
  return { body: withoutEmpty(extended), unsupported: [...unsupported] };
}

/** What no model behind Converse can do, and what callers wrote for other vendors. */
function unsupportedFields(request: ChatRequest, model: string): string[] {
  const without: Record<string, boolean> = {
    n: request.choices > 1,
    logprobs: request.topLogprobs !== undefined,
    prompt_cache_key: request.promptCacheKey !== undefined,
  };
  const claude = Object.keys(claudeExtensions(request, model)['additionalModelRequestFields'] ?? {});
  const workedIn = modelFamily(model) === 'claude' ? [...claude, 'thinking', 'thinking_display'] : [];
  const honoured = [...converseFields, ...workedIn, 'tools'];
  const names = Object.keys(without).filter((name) => without[name]);
  return [...names, ...foreignFields(request, 'bedrock-converse', honoured)];
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html */
function outputConfig(
  { responseFormat: format }: ChatRequest,
  { model, unsupported }: { model: string; unsupported: Set<string> },
): JsonObject | undefined {
  if (!format || format.type === 'text') return undefined;
  if (format.type === 'json' || !takesSchemas(model)) {
    unsupported.add('response_format');
    return undefined;
  }
  const { name, schema, description } = format;
  const jsonSchema = {
    name,
    schema: JSON.stringify(structuredSchema(schema)),
    ...(description ? { description } : {}),
  };
  return { textFormat: { type: 'json_schema', structure: { jsonSchema } } };
}

function takesSchemas(model: string): boolean {
  const family = modelFamily(model);
  if (family === 'claude') return modelTraits(model).structuredOutputs;
  return !['nova', 'cohere', 'ai21', 'llama', 'titan'].includes(family);
}

const tiers = new Set(['default', 'priority', 'flex', 'reserved']);

function serviceTier({ serviceTier: tier }: ChatRequest, unsupported: Set<string>): JsonObject | undefined {
  if (tier === undefined || tier === 'auto') return undefined;
  // Anthropic's name for it.
  if (tier === 'standard_only') return { type: 'default' };
  if (tiers.has(tier)) return { type: tier };
  unsupported.add('service_tier');
  return undefined;
}

/** What Bedrock takes for a key or a value of `requestMetadata`, which it writes into its invocation log. */
const loggable = /^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/;

function requestMetadata({ metadata, user }: ChatRequest, unsupported: Set<string>): JsonObject | undefined {
  const logged: Record<string, string> = {};
  if (user !== undefined && loggable.test(user)) logged['user'] = user;
  else if (user !== undefined) unsupported.add('user');
  for (const [key, value] of Object.entries(metadata ?? {})) {
    if (key !== '' && loggable.test(key) && typeof value === 'string' && loggable.test(value)) logged[key] = value;
    else unsupported.add('metadata');
  }
  return Object.keys(logged).length > 0 ? logged : undefined;
}

/** Fields of Converse that callers of other dialects may write into their own requests. */
const converseFields = [
  'additionalModelRequestFields',
  'additionalModelResponseFieldPaths',
  'guardrailConfig',
  'performanceConfig',
  'promptVariables',
  'requestMetadata',
];

function ownExtensions({ extensions }: ChatRequest): JsonObject {
  const all = Object.values(extensions).flatMap((fields) => Object.entries(fields));
  const written = all.filter(([name, value]) => converseFields.includes(name) && value !== null);
  return { ...Object.fromEntries(written), ...extensions['bedrock-converse'] };
}

/** Fields of Anthropic's API that its dialect keeps for itself; the others go on to Claude. */
const claudeKeeps = new Set([
  'content_blocks',
  'block_details',
  'tool_details',
  'tools',
  'thinking',
  'thinking_display',
]);

function claudeExtensions({ extensions }: ChatRequest, model: string): JsonObject {
  if (modelFamily(model) !== 'claude') return {};
  const written = Object.entries(extensions['anthropic-messages'] ?? {});
  const passed = written.filter(([name]) => !claudeKeeps.has(name) && !converseFields.includes(name));
  return { additionalModelRequestFields: Object.fromEntries(passed) };
}

/** The second object's fields over the first's; objects within are joined, everything else is replaced. */
function merge(base: JsonObject, over: JsonObject): JsonObject {
  const merged = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const current = merged[name];
    merged[name] = isObject(current) && isObject(value) ? merge(current, value) : value;
  }
  return merged;
}

function withoutEmpty(body: JsonObject): JsonObject {
  const optional = ['inferenceConfig', 'additionalModelRequestFields'];
  const isEmpty = (value: unknown) => isObject(value) && Object.keys(value).length === 0;
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => !optional.includes(name) || !isEmpty(value)),
  );
}
