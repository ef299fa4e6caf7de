import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { replicateVendor } from '../../../lambda/dialects/replicate/replicate.ts';
import type { DialectFixture, WireAnswer } from './dialect-fixture.ts';

function body({ text, usage }: WireAnswer): JsonObject {
  return {
    id: 'p1',
    model: 'meta/meta-llama-3-8b-instruct',
    status: 'succeeded',
    output: text,
    error: null,
    created_at: '2024-10-04T18:07:37.245Z',
    metrics: { predict_time: 0.1, input_token_count: usage.inputTokens, output_token_count: usage.outputTokens },
    urls: { get: 'https://api.replicate.com/v1/predictions/p1' },
  };
}

function event(name: string, data: string): Uint8Array {
  const lines = data.split('\n').map((line) => `data: ${line}\n`);
  return Buffer.from(`event: ${name}\nid: 1:0\n${lines.join('')}\n`);
}

/** Replicate's predictions; the stream is that of the second call. */
export const replicateFixture: DialectFixture = {
  dialect: replicateVendor,
  target: { model: 'meta/meta-llama-3-8b-instruct' },
  lacks: [
    ...(['tools', 'reasoning', 'signatures', 'reasoning tokens', 'cached tokens'] as const),
    ...(['length stop', 'content filter', 'usage of streams'] as const),
  ],
  body,
  stream: ({ text }) => [...text.map((piece) => event('output', piece)), event('done', '{}')],
  noise: [Buffer.from(': hi\n\n'), event('logs', 'Loading …'), Buffer.from(':408: 408 Request Timeout\n\n')],
  failure: (message) => event('error', JSON.stringify({ detail: message })),
  errors: [
    {
      name: 'a wrong key',
      status: 401,
      text: '{"title":"Unauthenticated","detail":"invalid token","status":401}',
      message: 'invalid token',
      code: '401',
    },
    {
      name: 'a wrong input',
      status: 422,
      text: '{"title":"Input validation failed","detail":"- input: text is required\\n","status":422,"invalid_fields":[]}',
      message: '- input: text is required',
    },
  ],
  requests: {
    tools: { unsupported: 'tools' },
    toolResult: { unsupported: 'tools' },
    image: { body: { input: { prompt: 'What is this?', image: 'data:image/png;base64,iVBORw0KGgo=' } } },
    jsonSchema: { unsupported: 'response_format' },
  },
};
