import type { ChatRequest } from '../chat-request.ts';
import type { EncodedRequest } from '../dialect.ts';
import { isObject, type JsonObject } from '../json-value.ts';
import { encodeMessages } from './encode-messages.ts';
import { encodeTools } from './encode-tools.ts';
import { stopSequencePaths } from './finish.ts';
import { modelFamily } from './model-family.ts';
import { reasoningFields } from './reasoning-fields.ts';
import { inferenceConfig, ownSampling, withoutRefusedByThinking } from './sampling-fields.ts';

/** The body of `Converse` and `ConverseStream`; the model and the choice between the two are in the path. */
export function encodeConverseRequest(request: ChatRequest, { model }: { model: string }): EncodedRequest {
  const unsupported = new Set<string>(missing(request));
  const { system, turns } = encodeMessages(request.messages, model, unsupported);
  const tools = encodeTools(request, { model, unsupported });
  const fields = {
    ...ownSampling(request, model, unsupported),
    ...tools.fields,
    ...thinking(request, model, unsupported),
  };
  const body: JsonObject = {
    messages: turns,
    ...(system.length > 0 ? { system } : {}),
    inferenceConfig: inferenceConfig(request, model, unsupported),
    ...(tools.config ? { toolConfig: tools.config } : {}),
    ...outputConfig(request, unsupported),
    ...serviceTier(request, unsupported),
    ...requestMetadata(request, unsupported),
    additionalModelRequestFields: fields,
    ...(request.stop.length > 0 && modelFamily(model) === 'claude'
      ? { additionalModelResponseFieldPaths: stopSequencePaths }
      : {}),
  };
  withoutRefusedByThinking(body, unsupported);
  const extended = merge(body, extensionsFor(request, model, unsupported));
  return { body: withoutEmpty(extended), unsupported: [...unsupported] };
}

/** What no model behind Converse can do. */
function missing(request: ChatRequest): string[] {
  return [
    ...(request.choices > 1 ? ['n'] : []),
    ...(request.topLogprobs === undefined ? [] : ['logprobs']),
    ...(request.promptCacheKey === undefined ? [] : ['prompt_cache_key']),
  ];
}

function thinking(request: ChatRequest, model: string, unsupported: Set<string>): JsonObject {
  if (!request.reasoning) return {};
  const fields = reasoningFields(request.reasoning, model, request.maxOutputTokens);
  if (!fields) unsupported.add('reasoning_effort');
  return fields ?? {};
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_OutputFormat.html */
function outputConfig({ responseFormat: format }: ChatRequest, unsupported: Set<string>): JsonObject {
  if (!format || format.type === 'text') return {};
  if (format.type === 'json') {
    unsupported.add('response_format');
    return {};
  }
  const { name, schema, description } = format;
  const jsonSchema = { name, schema: JSON.stringify(schema), ...(description ? { description } : {}) };
  return { outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema } } } };
}

const tiers = new Set(['default', 'priority', 'flex', 'reserved']);

function serviceTier({ serviceTier: tier }: ChatRequest, unsupported: Set<string>): JsonObject {
  if (tier === undefined || tier === 'auto') return {};
  if (tiers.has(tier)) return { serviceTier: { type: tier } };
  unsupported.add('service_tier');
  return {};
}

/** What Bedrock takes for a key or a value of `requestMetadata`, which it writes into its invocation log. */
const loggable = /^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/;

function requestMetadata({ metadata, user }: ChatRequest, unsupported: Set<string>): JsonObject {
  const logged: Record<string, string> = {};
  if (user !== undefined && loggable.test(user)) logged['user'] = user;
  else if (user !== undefined) unsupported.add('user');
  for (const [key, value] of Object.entries(metadata ?? {})) {
    if (key !== '' && loggable.test(key) && typeof value === 'string' && loggable.test(value)) logged[key] = value;
    else unsupported.add('metadata');
  }
  return Object.keys(logged).length > 0 ? { requestMetadata: logged } : {};
}

/** Fields of Converse that callers of other dialects may write into their own requests. */
const converseFields = new Set([
  'additionalModelRequestFields',
  'additionalModelResponseFieldPaths',
  'guardrailConfig',
  'performanceConfig',
  'promptVariables',
  'requestMetadata',
]);

function extensionsFor({ extensions }: ChatRequest, model: string, unsupported: Set<string>): JsonObject {
  const taken: JsonObject = {};
  const claudeFields: JsonObject = {};
  for (const [dialect, fields] of Object.entries(extensions)) {
    for (const [name, value] of Object.entries(fields)) {
      if (name === 'tools') continue;
      if (dialect === 'bedrock-converse' || converseFields.has(name)) taken[name] = value;
      else if (dialect === 'anthropic-messages' && modelFamily(model) === 'claude') claudeFields[name] = value;
      else unsupported.add(name);
    }
  }
  return merge({ additionalModelRequestFields: claudeFields }, taken);
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
  const optional = new Set(['inferenceConfig', 'additionalModelRequestFields']);
  return Object.fromEntries(
    Object.entries(body).filter(
      ([name, value]) => !optional.has(name) || !isObject(value) || Object.keys(value).length > 0,
    ),
  );
}
