import type { ChatRequest, ResponseFormat, Tool, ToolChoice } from '../chat-request.ts';
import type { EncodedRequest, VendorTarget } from '../dialect.ts';
import { foreignFields } from '../foreign-fields.ts';
import { isObject, type JsonObject, withoutUndefined } from '../json-value.ts';
import { encodeContents } from './encode-contents.ts';
import { type ModelTraits, modelTraits } from './model-traits.ts';
import { toOpenApiSchema } from './schema.ts';
import { encodeServiceTier } from './service-tier.ts';
import { encodeThinking } from './thinking.ts';

/**
 * The body for `generateContent` at Google AI Studio and Vertex AI. Cache hints need no field: these models cache long
 * prefixes by themselves (https://ai.google.dev/gemini-api/docs/caching#implicit-caching).
 */
export function encodeGeminiRequest(request: ChatRequest, target: VendorTarget): EncodedRequest {
  const traits = modelTraits(target.model);
  const { contents, systemInstruction, unsupported } = encodeContents(request, {
    traits,
    callIds: !target.refusesCallIds,
  });
  const thinking = encodeThinking(request.reasoning, traits);
  const { generationConfig, ...extensions } = request.extensions.gemini ?? {};
  const config = {
    ...encodeConfig(request, traits),
    ...withoutUndefined({ thinkingConfig: thinking.config }),
    ...(isObject(generationConfig) ? generationConfig : {}),
  };
  const body: JsonObject = {
    contents,
    systemInstruction,
    tools:
      request.tools.length > 0
        ? [{ functionDeclarations: request.tools.map((tool) => encodeTool(tool, traits)) }]
        : undefined,
    toolConfig: encodeToolConfig(request),
    generationConfig: Object.keys(config).length > 0 ? config : undefined,
    serviceTier: encodeServiceTier(request.serviceTier),
    ...extensions,
  };
  return {
    body: withoutUndefined(body),
    unsupported: [
      ...unsupported,
      ...thinking.unsupported,
      ...withoutPlace(request),
      ...foreignFields(request, 'gemini'),
    ],
  };
}

/** What the API has no field for, by the names that OpenAI's callers know. */
function withoutPlace(request: ChatRequest): string[] {
  const isSet: Record<string, boolean> = {
    // Labels, which Vertex AI alone has, are for its bills.
    metadata: Object.keys(request.metadata ?? {}).length > 0,
    parallel_tool_calls: request.parallelToolCalls === false && request.tools.length > 0,
    user: request.user !== undefined,
  };
  return Object.keys(isSet).filter((name) => isSet[name]);
}

function encodeConfig(request: ChatRequest, traits: ModelTraits): JsonObject {
  const { temperature, topP, topK, frequencyPenalty, presencePenalty, seed } = request.sampling;
  const { topLogprobs } = request;
  return withoutUndefined({
    temperature,
    topP,
    topK,
    frequencyPenalty,
    presencePenalty,
    seed,
    maxOutputTokens: request.maxOutputTokens,
    stopSequences: request.stop.length > 0 ? request.stop : undefined,
    candidateCount: request.choices > 1 ? request.choices : undefined,
    responseLogprobs: topLogprobs === undefined ? undefined : true,
    logprobs: topLogprobs === undefined || topLogprobs === 0 ? undefined : topLogprobs,
    mediaResolution: wantsLowDetail(request) ? 'MEDIA_RESOLUTION_LOW' : undefined,
    ...encodeFormat(request.responseFormat, traits),
  });
}

/** The resolution counts for all images; `high` and `auto` are how they are read without a word. */
function wantsLowDetail({ messages }: ChatRequest): boolean {
  const images = messages.flatMap(({ parts }) => parts.filter((part) => part.type === 'image'));
  return images.length > 0 && images.every(({ detail }) => detail === 'low');
}

function encodeFormat(format: ResponseFormat | undefined, traits: ModelTraits): JsonObject {
  if (format === undefined) return {};
  if (format.type === 'text') return { responseMimeType: 'text/plain' };
  const json = { responseMimeType: 'application/json' };
  if (format.type === 'json') return json;
  return traits.jsonSchema
    ? { ...json, responseJsonSchema: format.schema }
    : { ...json, responseSchema: toOpenApiSchema(format.schema) };
}

function encodeTool({ name, description, parameters }: Tool, traits: ModelTraits): JsonObject {
  if (traits.jsonSchema) return withoutUndefined({ name, description, parametersJsonSchema: parameters });
  const schema = parameters === undefined ? undefined : toOpenApiSchema(parameters);
  // An object without properties is refused there; no parameters at all are not.
  return withoutUndefined({ name, description, parameters: schema?.['properties'] === undefined ? undefined : schema });
}

function encodeToolConfig({ toolChoice, tools }: ChatRequest): JsonObject | undefined {
  if (tools.length === 0) return undefined;
  const config = encodeMode(toolChoice, tools);
  return config ? { functionCallingConfig: config } : undefined;
}

function encodeMode(choice: ToolChoice | undefined, tools: readonly Tool[]): JsonObject | undefined {
  switch (choice?.type) {
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [choice.name] };
    case 'required':
      return { mode: 'ANY' };
    case 'none':
      return { mode: 'NONE' };
    default:
      // Like `strict`, this binds the arguments to the schema; `ANY` does so by itself.
      if (tools.some(({ strict }) => strict)) return { mode: 'VALIDATED' };
      return choice && { mode: 'AUTO' };
  }
}
