import type { ChatRequest } from '../chat-request.ts';
import type { AnswerContext } from '../dialect.ts';
import { type JsonObject, withoutUndefined } from '../json-value.ts';
import { encodeFormat } from './encode-request.ts';

/** Who answers, as the vendor or the gateway named it. */
export type ResponseIdentity = { id: string; model: string; createdSeconds: number };

/**
 * The fields of a response that repeat the request, in OpenAI's form: defaults filled in, so that its SDKs find
 * whatever their types promise.
 */
export function responseObject(identity: ResponseIdentity, { request }: AnswerContext): JsonObject {
  const own = request.extensions['openai-responses'] ?? {};
  return {
    id: identity.id,
    object: 'response',
    created_at: identity.createdSeconds,
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    instructions: instructionsOf(request),
    max_output_tokens: request.maxOutputTokens ?? null,
    model: identity.model,
    output: [],
    parallel_tool_calls: request.parallelToolCalls ?? true,
    previous_response_id: null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: request.reasoning?.summary ?? null },
    service_tier: request.serviceTier ?? null,
    store: false,
    temperature: request.sampling.temperature ?? null,
    text: withoutUndefined({
      format: encodeFormat(request.responseFormat ?? { type: 'text' }),
      verbosity: own['text.verbosity'],
    }),
    tool_choice: toolChoiceOf(request),
    tools: request.tools.map(({ name, description, parameters, strict }) => ({
      type: 'function',
      name,
      description: description ?? null,
      parameters: parameters ?? null,
      strict: strict ?? null,
    })),
    top_p: request.sampling.topP ?? null,
    truncation: 'disabled',
    usage: null,
    user: request.user ?? null,
    metadata: request.metadata ?? {},
  };
}

function instructionsOf({ messages: [first] }: ChatRequest): string | null {
  const [only] = first?.parts ?? [];
  return first?.role === 'system' && only?.type === 'text' ? only.text : null;
}

function toolChoiceOf({ toolChoice }: ChatRequest): unknown {
  if (toolChoice?.type === 'tool') return { type: 'function', name: toolChoice.name };
  return toolChoice?.type ?? 'auto';
}
