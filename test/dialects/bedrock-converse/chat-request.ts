import type { ChatRequest, Part } from '../../../lambda/dialects/chat-request.ts';

/** A request with one question, and with what a test sets besides. */
export function chatRequest(fields: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: 'm',
    messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    responseFormat: undefined,
    sampling: {},
    maxOutputTokens: undefined,
    stop: [],
    choices: 1,
    topLogprobs: undefined,
    reasoning: undefined,
    stream: false,
    includeUsage: false,
    user: undefined,
    metadata: undefined,
    serviceTier: undefined,
    promptCacheKey: undefined,
    extensions: {},
    ...fields,
  };
}

/** A request with these parts in the caller's message. */
export function askedWith(...parts: Part[]): ChatRequest {
  return chatRequest({ messages: [{ role: 'user', parts }] });
}
