import { bedrockConverseVendor } from '../../../lambda/dialects/bedrock-converse/bedrock-converse.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import type { Usage } from '../../../lambda/dialects/usage.ts';
import { awsEvent, awsException } from '../aws-frames.ts';
import { type DialectFixture, streamedPieces, type WireAnswer } from './dialect-fixture.ts';
import { placeSchema } from './scenarios.ts';

const stopReasons = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'guardrail_intervened',
} as const;

function usageOf({ inputTokens, outputTokens, cacheReadInputTokens }: Usage): JsonObject {
  const uncached = inputTokens - cacheReadInputTokens;
  const cached = { cacheReadInputTokens, cacheReadInputTokenCount: cacheReadInputTokens, cacheWriteInputTokens: 0 };
  return { inputTokens: uncached, outputTokens, totalTokens: inputTokens + outputTokens, ...cached };
}

function body({ reasoning, text, calls, finish, usage }: WireAnswer): JsonObject {
  const reasoningText = { text: reasoning?.pieces.join(''), signature: reasoning?.signature };
  const content = [
    ...(reasoning ? [{ reasoningContent: { reasoningText } }] : []),
    ...(text.length > 0 ? [{ text: text.join('') }] : []),
    ...calls.map(({ id, name, arguments: written }) => ({
      toolUse: { toolUseId: id, name, input: JSON.parse(written ?? '{}') as JsonObject },
    })),
  ];
  return {
    metrics: { latencyMs: 12 },
    output: { message: { role: 'assistant', content } },
    stopReason: stopReasons[finish],
    usage: usageOf(usage),
  };
}

/** Blocks of text and of thoughts begin with their first delta. */
function block(contentBlockIndex: number, deltas: readonly JsonObject[], start?: JsonObject): Uint8Array[] {
  return [
    ...(start ? [awsEvent('contentBlockStart', { contentBlockIndex, start })] : []),
    ...deltas.map((delta) => awsEvent('contentBlockDelta', { contentBlockIndex, delta })),
    awsEvent('contentBlockStop', { contentBlockIndex }),
  ];
}

function stream({ reasoning, text, calls, finish, usage }: WireAnswer): Uint8Array[] {
  const thoughts = reasoning && [
    ...reasoning.pieces.map((piece) => ({ text: piece })),
    { signature: reasoning.signature },
  ];
  const blocks: { deltas: JsonObject[]; start?: JsonObject }[] = [
    ...(thoughts ? [{ deltas: thoughts.map((piece) => ({ reasoningContent: piece })) }] : []),
    ...(text.length > 0 ? [{ deltas: text.map((piece) => ({ text: piece })) }] : []),
    ...calls.map(({ id, name, arguments: written }) => ({
      start: { toolUse: { toolUseId: id, name } },
      deltas: streamedPieces(written ?? '').map((input) => ({ toolUse: { input } })),
    })),
  ];
  return [
    awsEvent('messageStart', { role: 'assistant' }),
    ...blocks.flatMap(({ deltas, start }, index) => block(index, deltas, start)),
    awsEvent('messageStop', { stopReason: stopReasons[finish] }),
    awsEvent('metadata', { metrics: { latencyMs: 12 }, usage: usageOf(usage) }),
  ];
}

/** Amazon Bedrock's Converse and ConverseStream. */
export const bedrockConverseFixture: DialectFixture = {
  dialect: bedrockConverseVendor,
  target: { model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' },
  lacks: ['reasoning tokens'],
  body,
  stream,
  noise: [awsEvent('somethingNew', { text: 'Hi' })],
  failure: (message) => awsException('modelStreamErrorException', { message, originalStatusCode: 424 }),
  errors: [
    {
      name: 'an expired token',
      status: 403,
      headers: {
        'x-amzn-errortype': 'ExpiredTokenException:http://internal.amazon.com/coral/com.amazon.coral.service/',
      },
      text: '{"message":"The security token included in the request is expired"}',
      message: 'The security token included in the request is expired',
      code: 'ExpiredTokenException',
    },
    {
      name: 'a rate limit',
      status: 429,
      headers: { 'x-amzn-errortype': 'ThrottlingException' },
      text: '{"message":"Too many requests"}',
      message: 'Too many requests',
      code: 'rate_limit_exceeded',
    },
  ],
  requests: {
    tools: {
      body: {
        toolConfig: {
          tools: [
            { toolSpec: { name: 'weather', description: 'Tells the weather', inputSchema: { json: placeSchema } } },
          ],
          toolChoice: { tool: { name: 'weather' } },
        },
      },
    },
    toolResult: {
      body: {
        messages: [
          { role: 'user', content: [{ text: 'Weather in Paris?' }] },
          {
            role: 'assistant',
            content: [{ toolUse: { toolUseId: 'call_paris', name: 'weather', input: { city: 'Paris' } } }],
          },
          { role: 'user', content: [{ toolResult: { toolUseId: 'call_paris', content: [{ text: '18 °C' }] } }] },
        ],
      },
    },
    image: {
      body: {
        messages: [
          {
            role: 'user',
            content: [{ text: 'What is this?' }, { image: { format: 'png', source: { bytes: 'iVBORw0KGgo=' } } }],
          },
        ],
      },
    },
    jsonSchema: {
      body: {
        outputConfig: {
          textFormat: {
            type: 'json_schema',
            structure: { jsonSchema: { name: 'place', schema: JSON.stringify(placeSchema) } },
          },
        },
      },
    },
  },
};
