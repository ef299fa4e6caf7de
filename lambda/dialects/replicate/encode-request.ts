import type { ChatRequest, ImagePart } from '../chat-request.ts';
import type { EncodedRequest } from '../dialect.ts';
import { foreignFields } from '../foreign-fields.ts';
import { type JsonObject, withoutUndefined } from '../json-value.ts';
import { renderPrompt } from './render-prompt.ts';

/** Inputs of Replicate's language models that callers of OpenAI's dialect may write beside the usual fields. */
const modelInputs = ['prompt_template', 'min_tokens', 'max_new_tokens', 'length_penalty', 'repetition_penalty'];

/**
 * The body of `POST /v1/predictions` (https://replicate.com/docs/reference/http#predictions.create), where `version`
 * names an official model (`owner/name`) as well as a version (`owner/name:id`). Every model defines its own inputs; these
 * are the names that Replicate's language models share.
 */
export function encodeReplicateRequest(request: ChatRequest, target: { model: string }): EncodedRequest {
  const { sampling, extensions } = request;
  const { prompt, systemPrompt, images, unsupported } = renderPrompt(request.messages);
  const foreign = extensions['openai-chat'] ?? {};
  const input = withoutUndefined({
    ...Object.fromEntries(modelInputs.map((name) => [name, foreign[name]])),
    prompt,
    system_prompt: systemPrompt,
    image: urlOf(images[0]),
    max_tokens: request.maxOutputTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    seed: sampling.seed,
    stop_sequences: request.stop.filter(isListable).join(',') || undefined,
    ...extensions.replicate,
  });
  const body: JsonObject = { version: target.model, input };
  const missing = [...unsupported, ...unsupportedFields(request, images)];
  if (request.stream) return { body: { ...body, stream: true }, unsupported: missing };
  return { body, headers: { prefer: 'wait' }, unsupported: missing };
}

/** Stop sequences are one text with commas between them. */
function isListable(sequence: string): boolean {
  return !sequence.includes(',');
}

/** Models take one image, at a URL or inside of one. */
function urlOf(image: ImagePart | undefined): string | undefined {
  if (!image || image.source.kind === 'id') return undefined;
  const { source } = image;
  return source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
}

function unsupportedFields(request: ChatRequest, images: readonly ImagePart[]): string[] {
  const { tools, toolChoice, responseFormat, reasoning, serviceTier } = request;
  const without: Record<string, boolean> = {
    tools: tools.length > 0 && toolChoice?.type !== 'none',
    response_format: responseFormat !== undefined && responseFormat.type !== 'text',
    reasoning_effort: reasoning !== undefined,
    n: request.choices > 1,
    logprobs: request.topLogprobs !== undefined,
    image_url: images.length > 1 || images.some(({ source }) => source.kind === 'id'),
    stop: !request.stop.every(isListable),
    user: request.user !== undefined,
    metadata: request.metadata !== undefined,
    service_tier: serviceTier !== undefined && serviceTier !== 'auto' && serviceTier !== 'default',
    prompt_cache_key: request.promptCacheKey !== undefined,
  };
  const names = Object.keys(without).filter((name) => without[name]);
  return [...names, ...foreignFields(request, 'replicate', modelInputs)];
}
