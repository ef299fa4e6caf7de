import type { ChatRequest, Tool } from '../chat-request.ts';
import type { EncodedRequest } from '../dialect.ts';
import { foreignFields } from '../foreign-fields.ts';
import { type JsonObject, withoutUndefined } from '../json-value.ts';
import { encodeInput } from './encode-input.ts';

/** The body for a vendor that speaks OpenAI's Responses protocol, from a request of any dialect. */
export function encodeResponsesRequest(request: ChatRequest, target: { model: string }): EncodedRequest {
  const own = request.extensions['openai-responses'];
  const { instructions, input, unplaced } = encodeInput(request, own !== undefined);
  const body = withoutUndefined({
    model: target.model,
    instructions,
    // Absent where the caller left the conversation to a stored prompt.
    ...(input.length > 0 ? { input } : {}),
    ...(request.tools.length > 0 ? { tools: request.tools.map((tool) => encodeTool(tool, own !== undefined)) } : {}),
    tool_choice: encodeToolChoice(request.toolChoice),
    parallel_tool_calls: request.parallelToolCalls,
    text: encodeText(request),
    temperature: request.sampling.temperature,
    top_p: request.sampling.topP,
    max_output_tokens: request.maxOutputTokens,
    ...(request.topLogprobs ? { top_logprobs: request.topLogprobs } : {}),
    reasoning: encodeReasoning(request),
    user: request.user,
    metadata: request.metadata,
    service_tier: request.serviceTier,
    prompt_cache_key: request.promptCacheKey,
    ...(own === undefined ? whatOthersMean(request) : {}),
    ...(request.stream ? { stream: true } : {}),
  });
  return { body: addExtensions(body, own ?? {}), unsupported: unsupportedOf(request, unplaced) };
}

const honouredOfOthers = ['verbosity', 'prompt_cache_retention', 'prompt_cache_options'];

function unsupportedOf(request: ChatRequest, unplaced: Iterable<string>): string[] {
  const { sampling, stop, choices } = request;
  const names = [
    choices > 1 && 'n',
    stop.length > 0 && 'stop',
    sampling.seed !== undefined && 'seed',
    sampling.topK !== undefined && 'top_k',
    sampling.frequencyPenalty !== undefined && sampling.frequencyPenalty !== 0 && 'frequency_penalty',
    sampling.presencePenalty !== undefined && sampling.presencePenalty !== 0 && 'presence_penalty',
  ].filter((name) => name !== false);
  return [...names, ...unplaced, ...foreignFields(request, 'openai-responses', honouredOfOthers)];
}

/** Functions are strict here unless told otherwise, unlike in other dialects, where what is not said is lax. */
function encodeTool({ name, description, parameters, strict }: Tool, isOwn: boolean): JsonObject {
  const lax = isOwn ? undefined : false;
  return withoutUndefined({ type: 'function', name, description, parameters, strict: strict ?? lax });
}

function encodeToolChoice(choice: ChatRequest['toolChoice']): unknown {
  return choice?.type === 'tool' ? { type: 'function', name: choice.name } : choice?.type;
}

function encodeText({ responseFormat, extensions }: ChatRequest): JsonObject | undefined {
  const verbosity = extensions['openai-chat']?.['verbosity'] ?? undefined;
  if (!responseFormat && verbosity === undefined) return undefined;
  return withoutUndefined({ format: responseFormat && encodeFormat(responseFormat), verbosity });
}

/** As this dialect writes a format, in requests and in answers. */
export function encodeFormat(format: NonNullable<ChatRequest['responseFormat']>): JsonObject {
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json') return { type: 'json_object' };
  const { name, schema, strict, description } = format;
  return withoutUndefined({ type: 'json_schema', name, description, schema, strict });
}

function encodeReasoning({ reasoning }: ChatRequest): JsonObject | undefined {
  const effort = reasoning?.effort ?? effortOf(reasoning?.budgetTokens);
  const summary = reasoning?.summary;
  return effort === undefined && summary === undefined ? undefined : withoutUndefined({ effort, summary });
}

/** A budget in words, by the budgets that vendors give their efforts. */
function effortOf(budgetTokens: number | undefined): string | undefined {
  if (budgetTokens === undefined) return undefined;
  if (budgetTokens === 0) return 'none';
  if (budgetTokens <= 2048) return 'low';
  return budgetTokens <= 12_288 ? 'medium' : 'high';
}

/** What callers of other dialects take for granted: nothing is stored, and thoughts can return with the next turn. */
function whatOthersMean(request: ChatRequest): JsonObject {
  const include = [
    ...(wantsThoughts(request) ? ['reasoning.encrypted_content'] : []),
    ...(request.topLogprobs === undefined ? [] : ['message.output_text.logprobs']),
  ];
  const chat = request.extensions['openai-chat'] ?? {};
  return {
    store: chat['store'] ?? false,
    prompt_cache_retention: chat['prompt_cache_retention'] ?? undefined,
    prompt_cache_options: chat['prompt_cache_options'] ?? undefined,
    ...(include.length > 0 ? { include } : {}),
  };
}

/** Models that do not reason refuse to include encrypted thoughts (https://github.com/pydantic/pydantic-ai/issues/3326). */
function wantsThoughts({ reasoning, messages }: ChatRequest): boolean {
  if (reasoning) return reasoning.effort !== 'none' && reasoning.budgetTokens !== 0;
  return messages.some(({ parts }) => parts.some((part) => part.type === 'reasoning' && part.signature !== undefined));
}

/** Puts back what the decoder kept: whole lists under `input[]…` and `tools[]…`, nested fields under dotted names. */
function addExtensions(body: JsonObject, own: JsonObject): JsonObject {
  const added = { ...body };
  for (const [name, value] of Object.entries(own)) {
    const [parent = name, child] = name.split('.', 2);
    if (parent === 'input[]' || parent === 'tools[]') added[parent.slice(0, -2)] = value;
    else if (child !== undefined) added[parent] = { ...(added[parent] as JsonObject | undefined), [child]: value };
    else added[name] = value;
  }
  return added;
}
