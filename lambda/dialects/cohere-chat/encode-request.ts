import type { ChatRequest, Reasoning, ResponseFormat, Tool } from '../chat-request.ts';
import type { EncodedRequest } from '../dialect.ts';
import { foreignFields } from '../foreign-fields.ts';
import { type JsonObject, withoutUndefined } from '../json-value.ts';
import { encodeMessages } from './encode-messages.ts';

/** Cohere's own fields, which callers of OpenAI's dialect may write beside the usual ones. */
const cohereFields = ['documents', 'citation_options', 'safety_mode', 'strict_tools', 'thinking', 'priority'];

/** The body of `POST /v2/chat` (https://docs.cohere.com/reference/chat). */
export function encodeCohereRequest(request: ChatRequest, target: { model: string }): EncodedRequest {
  const { sampling } = request;
  const { messages, documents, unsupported } = encodeMessages(request.messages);
  const extensions = extensionsOf(request);
  const givenDocuments = Array.isArray(extensions['documents']) ? extensions['documents'] : [];
  const allDocuments = [...givenDocuments, ...documents];
  const said = withoutUndefined({
    model: target.model,
    messages,
    stream: request.stream,
    ...encodeTools(request),
    response_format: encodeResponseFormat(request.responseFormat),
    documents: allDocuments.length > 0 ? allDocuments : undefined,
    thinking: encodeThinking(request.reasoning),
    max_tokens: request.maxOutputTokens,
    temperature: sampling.temperature,
    p: encodeTopP(sampling.topP),
    k: sampling.topK,
    seed: sampling.seed,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    stop_sequences: request.stop.length > 0 ? request.stop : undefined,
    logprobs: request.topLogprobs === undefined ? undefined : true,
  });
  return { body: { ...extensions, ...said }, unsupported: [...unsupported, ...unsupportedFields(request)] };
}

function extensionsOf({ extensions }: ChatRequest): JsonObject {
  const foreign = extensions['openai-chat'] ?? {};
  const written = Object.fromEntries(cohereFields.map((name) => [name, foreign[name]]));
  return { ...withoutUndefined(written), ...extensions['cohere-chat'] };
}

function unsupportedFields(request: ChatRequest): string[] {
  const { tools, serviceTier } = request;
  const without: Record<string, boolean> = {
    n: request.choices > 1,
    top_logprobs: (request.topLogprobs ?? 0) > 0,
    parallel_tool_calls: request.parallelToolCalls === false && tools.length > 0,
    // `strict_tools` holds for all tools or for none.
    strict: tools.some(({ strict }) => strict) && !tools.every(({ strict }) => strict),
    user: request.user !== undefined,
    metadata: request.metadata !== undefined,
    service_tier: serviceTier !== undefined && serviceTier !== 'auto' && serviceTier !== 'default',
    prompt_cache_key: request.promptCacheKey !== undefined,
  };
  const names = Object.keys(without).filter((name) => without[name]);
  return [...names, ...foreignFields(request, 'cohere-chat', cohereFields)];
}

/** A tool that the caller forces is the only one offered, since `tool_choice` cannot name one. */
function encodeTools({ tools, toolChoice }: ChatRequest): JsonObject {
  const forced = toolChoice?.type === 'tool' ? tools.filter(({ name }) => name === toolChoice.name) : [];
  const offered = forced.length > 0 ? forced : tools;
  if (offered.length === 0) return {};
  return {
    tools: offered.map(encodeTool),
    tool_choice: encodeToolChoice(toolChoice),
    strict_tools: offered.every(({ strict }) => strict) ? true : undefined,
  };
}

function encodeTool({ name, description, parameters }: Tool): JsonObject {
  const schema = parameters ?? { type: 'object', properties: {} };
  return { type: 'function', function: withoutUndefined({ name, description, parameters: schema }) };
}

function encodeToolChoice(choice: ChatRequest['toolChoice']): string | undefined {
  if (!choice || choice.type === 'auto') return undefined;
  return choice.type === 'none' ? 'NONE' : 'REQUIRED';
}

function encodeResponseFormat(format: ResponseFormat | undefined): JsonObject | undefined {
  if (!format || format.type === 'text') return undefined;
  return format.type === 'json' ? { type: 'json_object' } : { type: 'json_object', json_schema: format.schema };
}

/** Cohere has no words for effort; from `high` on the model thinks as long as it wants, which is its default. */
const budgets: Readonly<Partial<Record<NonNullable<Reasoning['effort']>, number>>> = {
  minimal: 512,
  low: 2048,
  medium: 8192,
};

function encodeThinking(reasoning: Reasoning | undefined): JsonObject | undefined {
  if (!reasoning) return undefined;
  const { effort, budgetTokens } = reasoning;
  if (effort === 'none' || budgetTokens === 0) return { type: 'disabled' };
  if (effort === undefined && budgetTokens === undefined) return { type: 'enabled' };
  return withoutUndefined({ type: 'enabled', token_budget: budgetTokens ?? (effort && budgets[effort]) });
}

/** Cohere refuses what is outside of 0.01 to 0.99, so the nearest value stands for OpenAI's common 1. */
function encodeTopP(topP: number | undefined): number | undefined {
  return topP === undefined ? undefined : Math.min(0.99, Math.max(0.01, topP));
}
