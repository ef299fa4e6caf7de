import { withFittingCallIds } from '../call-ids.ts';
import type { ChatRequest, Message } from '../chat-request.ts';
import type { EncodedRequest, VendorTarget } from '../dialect.ts';
import { foreignFields } from '../foreign-fields.ts';
import { type JsonObject, withoutUndefined } from '../json-value.ts';
import { cacheControl, encodeMessage, isUploadedImage } from './encode-messages.ts';

/** The body for a vendor that speaks OpenAI's chat protocol, from a request of any dialect. */
export function encodeChatRequest(request: ChatRequest, target: VendorTarget): EncodedRequest {
  const { sampling, reasoning, responseFormat } = request;
  const body: JsonObject = {
    model: target.model,
    messages: withFittingCallIds(request, target.callIds ?? 'openai').messages.flatMap((message) =>
      encodeMessage(message, target),
    ),
    ...(request.tools.length > 0 ? { tools: request.tools.map((tool) => encodeTool(tool, target)) } : {}),
    tool_choice: encodeToolChoice(request.toolChoice),
    parallel_tool_calls: request.parallelToolCalls,
    response_format: encodeResponseFormat(responseFormat),
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    seed: sampling.seed,
    [target.maxTokensField ?? 'max_tokens']: request.maxOutputTokens,
    ...(request.stop.length > 0 ? { stop: request.stop } : {}),
    ...(request.choices > 1 ? { n: request.choices } : {}),
    ...(request.topLogprobs === undefined ? {} : { logprobs: true, top_logprobs: request.topLogprobs }),
    reasoning_effort: reasoning?.effort ?? effortOf(reasoning?.budgetTokens),
    user: request.user,
    metadata: request.metadata,
    service_tier: request.serviceTier,
    prompt_cache_key: request.promptCacheKey,
    ...(request.stream ? { stream: true } : {}),
    ...(request.stream && !target.refusesStreamOptions ? { stream_options: { include_usage: true } } : {}),
    ...fieldsOfOthers(request),
    ...request.extensions['openai-chat'],
  };
  const unsupported = [
    ...(request.messages.some(hasUploadedImage) ? ['file_id'] : []),
    ...foreignFields(request, 'openai-chat', honouredOfOthers),
  ];
  return { body: withoutUndefined(body), unsupported };
}

function hasUploadedImage({ parts }: Message): boolean {
  return parts.some((part) => (part.type === 'tool-result' ? part.content : [part]).some(isUploadedImage));
}

const honouredOfOthers = ['logit_bias', 'text.verbosity'];

/** What OpenAI's other protocols write elsewhere and this one has too. */
function fieldsOfOthers({ extensions }: ChatRequest): JsonObject {
  return {
    logit_bias: extensions['openai-completions']?.['logit_bias'],
    verbosity: extensions['openai-responses']?.['text.verbosity'],
  };
}

/** A budget in words, by the budgets that vendors give their efforts. */
function effortOf(budgetTokens: number | undefined): string | undefined {
  if (budgetTokens === undefined) return undefined;
  if (budgetTokens === 0) return 'none';
  if (budgetTokens <= 2048) return 'low';
  return budgetTokens <= 12_288 ? 'medium' : 'high';
}

function encodeTool(
  { name, description, parameters, strict, cache }: ChatRequest['tools'][number],
  target: VendorTarget,
): JsonObject {
  const written = withoutUndefined({ name, description, parameters, strict });
  return { type: 'function', function: written, ...cacheControl(cache, target) };
}

function encodeToolChoice(choice: ChatRequest['toolChoice']): unknown {
  if (!choice) return undefined;
  return choice.type === 'tool' ? { type: 'function', function: { name: choice.name } } : choice.type;
}

function encodeResponseFormat(format: ChatRequest['responseFormat']): JsonObject | undefined {
  if (!format) return undefined;
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json') return { type: 'json_object' };
  const { name, schema, strict, description } = format;
  return { type: 'json_schema', json_schema: withoutUndefined({ name, description, schema, strict }) };
}
