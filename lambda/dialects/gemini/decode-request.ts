import type { ChatRequest, ResponseFormat, Sampling, TextPart, Tool, ToolChoice } from '../chat-request.ts';
import type { RequestContext } from '../dialect.ts';
import { isObject, type JsonObject, stringOrUndefined, withoutUndefined } from '../json-value.ts';
import { RequestProblem } from '../request-problem.ts';
import { camelFields } from './camel-fields.ts';
import { decodeContents } from './decode-contents.ts';
import { fromOpenApiSchema } from './schema.ts';
import { decodeServiceTier } from './service-tier.ts';
import { decodeThinking } from './thinking.ts';

const understood = new Set([
  'model',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'serviceTier',
]);

const understoodConfig = new Set([
  ...['temperature', 'topP', 'topK', 'frequencyPenalty', 'presencePenalty', 'seed', 'maxOutputTokens', 'stopSequences'],
  ...['candidateCount', 'responseLogprobs', 'logprobs', 'thinkingConfig', 'responseMimeType', 'responseSchema'],
  'responseJsonSchema',
]);

/** Reads a `generateContent` body (https://ai.google.dev/api/generate-content#request-body). */
export function decodeGeminiRequest(written: JsonObject, context: RequestContext): ChatRequest {
  const body = camelFields(written) as JsonObject;
  const { contents, generationConfig } = body;
  if (contents === undefined) throw new RequestProblem('"contents" is missing; send a list of contents.', 'contents');
  if (Array.isArray(contents) && contents.length === 0) {
    throw new RequestProblem('"contents" must be a list with at least one content.', 'contents');
  }
  const config = isObject(generationConfig) ? generationConfig : {};
  const { messages, isWhole } = decodeContents(contents);
  const system = decodeSystem(body['systemInstruction']);
  const tools = decodeTools(body['tools']);
  const choice = decodeToolConfig(body['toolConfig']);
  const format = decodeFormat(config);
  const count = numberOf(config, 'candidateCount');
  return {
    model: context.model ?? stringOrUndefined(body['model'])?.replace(/^models\//, ''),
    messages: [...(system.length > 0 ? [{ role: 'system' as const, parts: system }] : []), ...messages],
    tools: tools.tools,
    toolChoice: choice.toolChoice,
    parallelToolCalls: undefined,
    responseFormat: format,
    sampling: decodeSampling(config),
    maxOutputTokens: numberOf(config, 'maxOutputTokens'),
    stop: Array.isArray(config['stopSequences'])
      ? config['stopSequences'].filter((text) => typeof text === 'string')
      : [],
    choices: count !== undefined && count > 1 ? count : 1,
    topLogprobs: config['responseLogprobs'] === true ? (numberOf(config, 'logprobs') ?? 0) : undefined,
    reasoning: decodeThinking(config['thinkingConfig']),
    stream: context.stream ?? false,
    includeUsage: true,
    user: undefined,
    metadata: undefined,
    serviceTier: decodeServiceTier(body['serviceTier']),
    promptCacheKey: undefined,
    extensions: {
      gemini: {
        ...fieldsBut(body, understood),
        ...(isWhole ? {} : { contents }),
        ...(tools.isWhole ? {} : { tools: body['tools'] }),
        ...(choice.isWhole ? {} : { toolConfig: body['toolConfig'] }),
        ...extraConfig(config, format),
      },
    },
  };
}

/** A field that may be absent; texts are taken for numbers, as Google's servers do. */
function numberOf(config: JsonObject, name: string): number | undefined {
  const value = config[name];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw new RequestProblem(`"generationConfig.${name}" must be a number.`, `generationConfig.${name}`);
}

function decodeSampling(config: JsonObject): Sampling {
  return withoutUndefined({
    temperature: numberOf(config, 'temperature'),
    topP: numberOf(config, 'topP'),
    topK: numberOf(config, 'topK'),
    frequencyPenalty: numberOf(config, 'frequencyPenalty'),
    presencePenalty: numberOf(config, 'presencePenalty'),
    seed: numberOf(config, 'seed'),
  });
}

/** A content, its parts as a list or alone, or plain text. */
function decodeSystem(instruction: unknown): TextPart[] {
  if (typeof instruction === 'string') return instruction === '' ? [] : [{ type: 'text', text: instruction }];
  const parts = isObject(instruction) ? instruction['parts'] : undefined;
  const texts = (Array.isArray(parts) ? parts : [parts]).map((part) =>
    isObject(part) ? stringOrUndefined(part['text']) : undefined,
  );
  return texts.filter((text) => text !== undefined).map((text) => ({ type: 'text', text }));
}

function decodeTools(value: unknown): { tools: Tool[]; isWhole: boolean } {
  if (value !== undefined && !Array.isArray(value)) throw new RequestProblem('"tools" must be a list.', 'tools');
  const lists = (value ?? []).filter(isObject);
  const declarations = lists
    .flatMap(({ functionDeclarations: list }) => (Array.isArray(list) ? list : []))
    .filter(isObject);
  // What a tool will answer is a hint that other formats have no place for, and no reason to refuse the request.
  const known = ['name', 'description', 'parameters', 'parametersJsonSchema', 'response', 'responseJsonSchema'];
  return {
    tools: declarations.map(decodeDeclaration),
    isWhole:
      lists.every((list) => Object.keys(list).every((key) => key === 'functionDeclarations')) &&
      declarations.every((declaration) => Object.keys(declaration).every((key) => known.includes(key))),
  };
}

function decodeDeclaration(declaration: JsonObject, index: number): Tool {
  const name = stringOrUndefined(declaration['name']);
  const at = `tools[0].functionDeclarations[${index}].name`;
  if (!name) throw new RequestProblem(`${at} is missing.`, at);
  const description = stringOrUndefined(declaration['description']);
  const { parameters, parametersJsonSchema: schema } = declaration;
  const read = isObject(schema) ? schema : isObject(parameters) ? fromOpenApiSchema(parameters) : undefined;
  return { name, ...(description ? { description } : {}), ...(read ? { parameters: read } : {}) };
}

const modes: Readonly<Record<string, ToolChoice>> = {
  AUTO: { type: 'auto' },
  ANY: { type: 'required' },
  NONE: { type: 'none' },
};

function decodeToolConfig(value: unknown): { toolChoice: ToolChoice | undefined; isWhole: boolean } {
  if (!isObject(value)) return { toolChoice: undefined, isWhole: true };
  const config = isObject(value['functionCallingConfig']) ? value['functionCallingConfig'] : {};
  const mode = config['mode'] === undefined ? undefined : String(config['mode']).toUpperCase();
  const names = Array.isArray(config['allowedFunctionNames']) ? config['allowedFunctionNames'] : [];
  const [name] = names;
  const isForced = mode === 'ANY' && names.length === 1 && typeof name === 'string';
  const known = ['mode', 'allowedFunctionNames'];
  return {
    toolChoice: isForced ? { type: 'tool', name } : modes[mode ?? ''],
    isWhole:
      (names.length === 0 || isForced) &&
      (mode === undefined || mode === 'MODE_UNSPECIFIED' || Object.hasOwn(modes, mode)) &&
      Object.keys(value).every((key) => key === 'functionCallingConfig') &&
      Object.keys(config).every((key) => known.includes(key)),
  };
}

function decodeFormat(config: JsonObject): ResponseFormat | undefined {
  const { responseMimeType: type, responseSchema, responseJsonSchema } = config;
  if (type === 'text/plain') return { type: 'text' };
  if (type !== 'application/json') return undefined;
  const schema = isObject(responseJsonSchema)
    ? responseJsonSchema
    : isObject(responseSchema)
      ? fromOpenApiSchema(responseSchema)
      : undefined;
  return schema ? { type: 'json-schema', name: 'response', schema } : { type: 'json' };
}

/** What of `generationConfig` has no place in the vocabulary. Text alone is what an answer is made of anyway. */
function extraConfig(config: JsonObject, format: ResponseFormat | undefined): JsonObject {
  const { responseModalities: modalities, ...others } = fieldsBut(config, understoodConfig);
  const isText = Array.isArray(modalities) && modalities.length === 1 && modalities[0] === 'TEXT';
  const extra = withoutUndefined({
    ...others,
    responseModalities: isText ? undefined : modalities,
    ...(format === undefined
      ? { responseMimeType: config['responseMimeType'], responseSchema: config['responseSchema'] }
      : {}),
  });
  return Object.keys(extra).length > 0 ? { generationConfig: extra } : {};
}

function fieldsBut(object: JsonObject, left: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !left.has(key)));
}
