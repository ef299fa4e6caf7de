import type { ChatRequest, Message } from '../../lambda/dialects/chat-request.ts';

/** A request that says nothing but "Hi", with these changes. */
export function aChatRequest(changes: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: 'asked-for',
    messages: [aUserMessage('Hi')],
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
    ...changes,
  };
}

export function aUserMessage(text: string): Message {
  return { role: 'user', parts: [{ type: 'text', text }] };
}
