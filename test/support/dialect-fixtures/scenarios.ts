import type { ChatRequest, Tool } from '../../../lambda/dialects/chat-request.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { aChatRequest, aUserMessage } from '../chat-requests.ts';
import type { Lack, WireAnswer, WireCall } from './dialect-fixture.ts';

const usage = {
  ...{ inputTokens: 20, outputTokens: 9, cacheReadInputTokens: 8 },
  ...{ cacheCreationInputTokens: 0, reasoningOutputTokens: 0 },
};
const plain: WireAnswer = { text: [], calls: [], finish: 'stop', usage };
const thoughts = { pieces: ['Let me ', 'see.'], signature: 'c2lnbmF0dXJlLTE=' };
const thoughtfulUsage = { ...usage, reasoningOutputTokens: 4 };
const paris: WireCall = { id: 'call_paris', name: 'weather', arguments: '{"city":"Paris"}' };
const zurich: WireCall = { id: 'call_zurich', name: 'weather', arguments: '{"city":"Zürich \\"ZH\\""}' };
const noArguments: WireCall = { id: 'call_now', name: 'now', arguments: undefined };

/** An answer, and what a vendor must be able to say for it to be one of its own. */
export type AnswerScenario = { name: string; answer: WireAnswer; needs: readonly Lack[] };

/** The answers that every vendor's dialect must understand, buffered and streamed. */
export const answerScenarios: readonly AnswerScenario[] = [
  { name: 'text', answer: { ...plain, text: ['Hello, ', ' wörld 🌍', ' "x"\n\ny'] }, needs: [] },
  { name: 'tools', answer: { ...plain, calls: [paris], finish: 'tool_calls' }, needs: ['tools'] },
  {
    name: 'a tool without arguments',
    answer: { ...plain, calls: [noArguments], finish: 'tool_calls' },
    needs: ['tools'],
  },
  {
    name: 'text and parallel tools',
    answer: { ...plain, text: ['I will look.'], calls: [paris, zurich, noArguments], finish: 'tool_calls' },
    needs: ['tools'],
  },
  {
    name: 'reasoning',
    answer: { ...plain, reasoning: thoughts, text: ['Done', '.'], usage: thoughtfulUsage },
    needs: ['reasoning'],
  },
  {
    name: 'reasoning before tools',
    answer: { ...plain, reasoning: thoughts, calls: [paris, zurich], finish: 'tool_calls', usage: thoughtfulUsage },
    needs: ['reasoning', 'tools'],
  },
  { name: 'text after a JSON Schema', answer: { ...plain, text: ['{"name":', '"Ann"}'] }, needs: [] },
  {
    name: 'a stop for length',
    answer: { ...plain, text: ['Once upon'], finish: 'length' },
    needs: ['length stop'],
  },
  {
    name: 'a content filter',
    answer: { ...plain, text: ['It is'], finish: 'content_filter' },
    needs: ['content filter'],
  },
];

const schema: JsonObject = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const weather: Tool = { name: 'weather', description: 'Tells the weather', parameters: schema };

/** The requests that every vendor's dialect must write, or refuse by name. */
export const requestScenarios: Readonly<Record<'tools' | 'toolResult' | 'image' | 'jsonSchema', ChatRequest>> = {
  tools: aChatRequest({ tools: [weather], toolChoice: { type: 'tool', name: 'weather' } }),
  toolResult: aChatRequest({
    tools: [weather],
    messages: [
      aUserMessage('Weather in Paris?'),
      {
        role: 'assistant',
        parts: [{ type: 'tool-call', id: 'call_paris', name: 'weather', arguments: '{"city":"Paris"}' }],
      },
      {
        role: 'user',
        parts: [
          { type: 'tool-result', callId: 'call_paris', name: 'weather', content: [{ type: 'text', text: '18 °C' }] },
        ],
      },
    ],
  }),
  image: aChatRequest({
    messages: [
      {
        role: 'user',
        parts: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'iVBORw0KGgo=' } },
        ],
      },
    ],
  }),
  jsonSchema: aChatRequest({ responseFormat: { type: 'json-schema', name: 'place', schema, strict: true } }),
};

/** The tool of the scenarios as OpenAI writes it, and others after it. */
export const openAiTool: JsonObject = {
  type: 'function',
  function: { name: 'weather', description: 'Tells the weather', parameters: schema },
};

/** The schema of the scenarios. */
export const placeSchema = schema;
