import type { ChatRequest, MediaSource, Message, Part, ToolResultPart } from '../chat-request.ts';
import type { EncodedRequest, VendorTarget } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';

/** The body for a vendor that speaks OpenAI's chat protocol, from a request of any dialect. */
export function encodeChatRequest(request: ChatRequest, target: VendorTarget): EncodedRequest {
  const { sampling, reasoning, responseFormat } = request;
  const body: JsonObject = {
    model: target.model,
    messages: request.messages.flatMap(encodeMessage),
    ...(request.tools.length > 0 ? { tools: request.tools.map(encodeTool) } : {}),
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
    ...request.extensions['openai-chat'],
  };
  return { body: withoutUndefined(body), unsupported: [] };
}

function withoutUndefined(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

/** A budget in words, by the budgets that vendors give their efforts. */
function effortOf(budgetTokens: number | undefined): string | undefined {
  if (budgetTokens === undefined) return undefined;
  if (budgetTokens === 0) return 'none';
  if (budgetTokens <= 2048) return 'low';
  return budgetTokens <= 12_288 ? 'medium' : 'high';
}

function encodeTool({ name, description, parameters, strict }: ChatRequest['tools'][number]): JsonObject {
  return { type: 'function', function: withoutUndefined({ name, description, parameters, strict }) };
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

/** A message with results of tools becomes one message for each result, and one for what else it held. */
function encodeMessage({ role, parts, name }: Message): JsonObject[] {
  if (role === 'assistant') return [encodeAssistant(parts)];
  const results = parts.filter((part) => part.type === 'tool-result');
  const others = [...results.flatMap(mediaOf), ...parts.filter((part) => part.type !== 'tool-result')];
  const rest =
    others.length > 0 || results.length === 0 ? [withoutUndefined({ role, content: encodeContent(others), name })] : [];
  return [...results.map(encodeToolResult), ...rest];
}

/** A tool message holds text only; images follow in the caller's own message. */
function mediaOf({ content }: ToolResultPart): Part[] {
  return content.filter((part) => part.type !== 'text');
}

function encodeToolResult({ callId, content }: ToolResultPart): JsonObject {
  const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  return { role: 'tool', tool_call_id: callId, content: text };
}

function encodeContent(parts: readonly Part[]): unknown {
  const [only] = parts;
  if (parts.length === 1 && only?.type === 'text' && !only.cache) return only.text;
  return parts.map(encodePart);
}

function encodePart(part: Part): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return { type: 'image_url', image_url: withoutUndefined({ url: urlOf(part.source), detail: part.detail }) };
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } };
    case 'file': {
      const { source, name: filename } = part;
      const held = source.kind === 'id' ? { file_id: source.id } : { file_data: urlOf(source) };
      return { type: 'file', file: withoutUndefined({ ...held, filename }) };
    }
    case 'refusal':
      return { type: 'refusal', refusal: part.text };
    default:
      return { type: 'text', text: '' };
  }
}

function urlOf(source: MediaSource): string {
  if (source.kind === 'url') return source.url;
  return source.kind === 'id' ? source.id : `data:${source.mediaType};base64,${source.data}`;
}

function encodeAssistant(parts: readonly Part[]): JsonObject {
  const texts = parts.filter((part) => part.type === 'text');
  const calls = parts.filter((part) => part.type === 'tool-call');
  const thoughts = parts.filter((part) => part.type === 'reasoning');
  const refusal = parts.find((part) => part.type === 'refusal')?.text;
  return withoutUndefined({
    role: 'assistant',
    content: texts.length > 0 ? texts.map(({ text }) => text).join('') : null,
    refusal,
    ...(calls.length > 0 ? { tool_calls: calls.map(encodeCall) } : {}),
    ...(thoughts.length > 0 ? { reasoning_details: thoughts.map(encodeThought) } : {}),
  });
}

function encodeCall({ id, name, arguments: written, signature }: Extract<Part, { type: 'tool-call' }>): JsonObject {
  const extra = signature ? { extra_content: { google: { thought_signature: signature } } } : {};
  return { id, type: 'function', function: { name, arguments: written }, ...extra };
}

/** OpenRouter's form, the only one of this dialect that has a place for signatures. */
export function encodeThought(
  {
    text,
    signature,
    redacted,
    id,
  }: Pick<Extract<Part, { type: 'reasoning' }>, 'text' | 'signature' | 'redacted' | 'id'>,
  index: number,
): JsonObject {
  if (redacted !== undefined) return withoutUndefined({ type: 'reasoning.encrypted', data: redacted, id, index });
  return withoutUndefined({ type: 'reasoning.text', text, signature, id, index });
}
