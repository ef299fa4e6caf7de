import type { DialectName } from './chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined } from './json-value.ts';

export type TokenCounterName = 'messages' | 'vertex-messages' | 'gemini' | 'vertex-gemini' | 'converse' | 'responses';

/** How a vendor is asked to count the input tokens of a request that is written in its dialect. */
export type TokenCounter = {
  dialect: DialectName;
  /** From the request as it would be sent to be answered. */
  question(request: JsonObject, model: string): JsonObject;
  /** The count, when the answer is one. */
  count(answer: JsonObject): unknown;
};

function pick(request: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(request).filter(([name]) => names.includes(name)));
}

/** https://platform.claude.com/docs/en/api/messages/count_tokens */
const messages: TokenCounter = {
  dialect: 'anthropic-messages',
  question: (request, model) => ({
    ...pick(request, ['messages', 'system', 'tools', 'tool_choice', 'thinking', 'output_config', 'mcp_servers']),
    model,
  }),
  count: (answer) => answer['input_tokens'],
};

const geminiFields = ['contents', 'systemInstruction', 'tools'];

export const tokenCounters: Readonly<Record<TokenCounterName, TokenCounter>> = {
  messages,
  'vertex-messages': {
    ...messages,
    question: (request, model) => ({ ...messages.question(request, model), anthropic_version: 'vertex-2023-10-16' }),
  },
  // https://ai.google.dev/api/tokens: contents alone, or a whole request under the model's full name
  gemini: {
    dialect: 'gemini',
    question: (request, model) => ({
      generateContentRequest: { model: `models/${model}`, ...pick(request, [...geminiFields, 'toolConfig']) },
    }),
    count: (answer) => answer['totalTokens'],
  },
  'vertex-gemini': {
    dialect: 'gemini',
    question: (request) => pick(request, geminiFields),
    count: (answer) => answer['totalTokens'],
  },
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
  converse: {
    dialect: 'bedrock-converse',
    question: (request) => ({ input: { converse: pick(request, ['messages', 'system', 'toolConfig']) } }),
    count: (answer) => answer['inputTokens'],
  },
  // https://platform.openai.com/docs/api-reference/responses/input-tokens
  responses: {
    dialect: 'openai-responses',
    question: (request, model) => ({
      ...pick(request, ['input', 'instructions', 'tools', 'tool_choice', 'parallel_tool_calls', 'reasoning', 'text']),
      model,
    }),
    count: (answer) => answer['input_tokens'],
  },
};

/** All texts of a request in Anthropic's form, and how many pictures and documents stand between them. */
export function countableParts(body: JsonObject): { text: string; media: number } {
  const texts: string[] = [];
  let media = 0;
  const open: unknown[] = [body['system'], body['messages'], body['tools']];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') texts.push(value);
    else if (isObject(value) && isObject(value['source']) && stringOrUndefined(value['source']['type']) !== 'text')
      media++;
    else if (typeof value === 'object' && value !== null) {
      // The names of a tool's parameters are read by the model, too.
      if (!Array.isArray(value)) texts.push(...Object.keys(value));
      open.push(...Object.values(value));
    }
  }
  return { text: texts.join(' '), media };
}
