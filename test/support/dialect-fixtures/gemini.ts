import { geminiVendor } from '../../../lambda/dialects/gemini/gemini.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import type { Usage } from '../../../lambda/dialects/usage.ts';
import type { DialectFixture, WireAnswer } from './dialect-fixture.ts';
import { placeSchema } from './scenarios.ts';

const finishReasons = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  tool_calls: 'STOP',
  content_filter: 'SAFETY',
} as const;

function usageOf({ inputTokens, outputTokens, cacheReadInputTokens, reasoningOutputTokens }: Usage): JsonObject {
  return {
    promptTokenCount: inputTokens,
    cachedContentTokenCount: cacheReadInputTokens,
    candidatesTokenCount: outputTokens - reasoningOutputTokens,
    ...(reasoningOutputTokens > 0 ? { thoughtsTokenCount: reasoningOutputTokens } : {}),
    totalTokenCount: inputTokens + outputTokens,
  };
}

function response(parts: readonly JsonObject[], usage: Usage, finishReason?: string): JsonObject {
  const content = { parts, role: 'model' };
  return {
    candidates: [{ content, index: 0, ...(finishReason ? { finishReason } : {}) }],
    usageMetadata: usageOf(usage),
    modelVersion: 'gemini-2.5-pro',
    responseId: 'r1',
  };
}

/** The signature of a thought sits on the first call that came of it, or on the last part of the text. */
function partsOf({ reasoning, text, calls }: WireAnswer): JsonObject[] {
  const signed = reasoning ? { thoughtSignature: reasoning.signature } : {};
  return [
    ...(reasoning?.pieces ?? []).map((piece) => ({ text: piece, thought: true })),
    ...text.map((piece, index) => ({
      text: piece,
      ...(calls.length === 0 && index === text.length - 1 ? signed : {}),
    })),
    ...calls.map(({ id, name, arguments: written }, index) => ({
      functionCall: { id, name, ...(written === undefined ? {} : { args: JSON.parse(written) as JsonObject }) },
      ...(index === 0 ? signed : {}),
    })),
  ];
}

function event(data: JsonObject): Uint8Array {
  return Buffer.from(`data: ${JSON.stringify(data)}\r\n\r\n`);
}

function stream(answer: WireAnswer): Uint8Array[] {
  const { usage, finish } = answer;
  const parts = partsOf(answer);
  const earlier = { ...usage, outputTokens: usage.reasoningOutputTokens + 1 };
  return parts.map((part, index) =>
    event(index < parts.length - 1 ? response([part], earlier) : response([part], usage, finishReasons[finish])),
  );
}

function errorText(code: number, status: string, message: string, details: JsonObject[] = []): string {
  return JSON.stringify({ error: { code, message, status, details } });
}

/** Gemini, at Google AI Studio and Vertex AI. */
export const geminiFixture: DialectFixture = {
  dialect: geminiVendor,
  target: { model: 'gemini-2.5-pro' },
  lacks: [],
  body: (answer) => response(partsOf(answer), answer.usage, finishReasons[answer.finish]),
  stream,
  noise: [Buffer.from(': ping\r\n\r\n'), event({ somethingNew: 'Hi' })],
  failure: (message) => event({ error: { code: 503, message, status: 'UNAVAILABLE' } }),
  errors: [
    {
      name: 'a wrong key',
      status: 400,
      text: errorText(400, 'INVALID_ARGUMENT', 'API key not valid', [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
      ]),
      message: 'API key not valid',
      code: 'API_KEY_INVALID',
    },
    {
      name: 'a quota',
      status: 429,
      text: `[${errorText(429, 'RESOURCE_EXHAUSTED', 'quota exceeded')}]`,
      message: 'quota exceeded',
    },
  ],
  requests: {
    tools: {
      body: {
        tools: [
          {
            functionDeclarations: [
              { name: 'weather', description: 'Tells the weather', parametersJsonSchema: placeSchema },
            ],
          },
        ],
        toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather'] } },
      },
    },
    toolResult: {
      body: {
        contents: [
          { role: 'user', parts: [{ text: 'Weather in Paris?' }] },
          { role: 'model', parts: [{ functionCall: { name: 'weather', args: { city: 'Paris' } } }] },
          { role: 'user', parts: [{ functionResponse: { name: 'weather', response: { output: '18 °C' } } }] },
        ],
      },
    },
    image: {
      body: {
        contents: [
          {
            role: 'user',
            parts: [{ text: 'What is this?' }, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }],
          },
        ],
      },
    },
    jsonSchema: {
      body: { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: placeSchema } },
    },
  },
};
