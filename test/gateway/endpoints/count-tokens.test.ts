import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ProviderConfig, recordByName } from '../../../lambda/config/snapshot.ts';
import type { AttemptSample } from '../../../lambda/routing/attempt-sample.ts';
import { chatRequest, closeCores, handled } from '../../support/core.ts';
import { answer } from '../../support/scripted-vendor.ts';
import { aSnapshot } from '../../support/snapshots.ts';
import { suiteVendor } from '../../support/suite-vendor.ts';

const vendor = suiteVendor();
const samples: AttemptSample[] = [];

beforeEach(() => {
  samples.length = 0;
});
afterEach(closeCores);

const target = (provider: string) => ({ provider, model: 'm', weight: 1 });

function snapshot() {
  const types: Record<string, Partial<ProviderConfig>> = {
    ...{ anthropic: {}, openai: {}, groq: {}, cohere: {}, 'google-ai-studio': {} },
    ...{ 'aws-bedrock': { region: 'eu-central-1' }, 'google-vertex-ai': { region: 'us', project: 'p' } },
    'azure-openai': {},
  };
  const providers = Object.entries(types).map(([type, fields]): [string, ProviderConfig] => [
    type,
    { type, baseUrl: vendor.url, ...fields },
  ]);
  const targets = ['groq', 'anthropic'].map(target);
  return aSnapshot({
    providers: recordByName(providers),
    models: recordByName([['mixed', { targets, strategy: 'priority', fallbacks: [], timeouts: {} }]]),
  });
}

const messages = [{ role: 'user', content: 'How warm is it?' }];
const tools = [{ name: 'look', description: 'Looks.', input_schema: { type: 'object', properties: {} } }];

async function count(model: string, fields: object = {}) {
  const body = Buffer.from(JSON.stringify({ model, system: 'Be brief.', messages, tools, ...fields }));
  const { head, text, line } = await handled(
    snapshot(),
    chatRequest({}, { path: '/v1/messages/count_tokens', body, headers: { 'x-api-key': 'k' } }),
    { deps: { measure: (sample) => void samples.push(sample) } },
  );
  return { status: head?.status, headers: head?.headers, body: JSON.parse(text), line };
}

describe('the tokens of a request', () => {
  test.each([
    ['anthropic/claude-x', '/v1/messages/count_tokens', { input_tokens: 21 }],
    ['azure-openai/claude-x', '/v1/anthropic/v1/messages/count_tokens', { input_tokens: 21 }],
    ['google-ai-studio/gemini-x', '/v1/models/gemini-x:countTokens', { totalTokens: 21 }],
    ['openai/gpt-x', '/v1/responses/input_tokens', { object: 'response.input_tokens', input_tokens: 21 }],
    ['aws-bedrock/anthropic.claude-x', '/v1/model/anthropic.claude-x/count-tokens', { inputTokens: 21 }],
    [
      'google-vertex-ai/gemini-x',
      '/v1/v1beta1/projects/p/locations/us/publishers/google/models/gemini-x:countTokens',
      { totalTokens: 21 },
    ],
    [
      'google-vertex-ai/claude-x',
      '/v1/v1/projects/p/locations/us/publishers/anthropic/models/count-tokens:rawPredict',
      { input_tokens: 21 },
    ],
  ])('are counted by the vendor of %s', async (model, path, answered) => {
    vendor.always(answer(200, answered));

    const { status, headers, body } = await count(model);

    expect(status).toBe(200);
    expect(body).toEqual({ input_tokens: 21 });
    expect(headers).not.toHaveProperty('x-sluice-estimated');
    expect(vendor.seen[0]).toMatchObject({ method: 'POST', path });
    expect(vendor.seen[0]?.text).toContain('How warm is it?');
    expect(vendor.seen[0]?.text).toContain('Be brief.');
    expect(vendor.seen[0]?.text).not.toMatch(/max_?(output_?)?tokens/i);
    // It would be taken for the pace of the model.
    expect(samples).toEqual([]);
  });

  test('are asked for in words of the caller where the vendor speaks its dialect', async () => {
    vendor.always(answer(200, { input_tokens: 3 }));

    await count('anthropic/claude-x', { future_field: { a: 1.5 } });

    expect(vendor.seen[0]?.body).toEqual({
      model: 'claude-x',
      system: 'Be brief.',
      messages,
      tools,
      future_field: { a: 1.5 },
    });
  });

  test('are counted by the next target that can', async () => {
    vendor.always(answer(200, { input_tokens: 7 }));

    const { body, headers } = await count('mixed');

    expect(body).toEqual({ input_tokens: 7 });
    expect(headers?.['x-sluice-provider']).toBe('anthropic');
  });

  test.each([
    ['a vendor that cannot count', 'groq/llama', 500],
    ['a vendor that fails', 'anthropic/claude-x', 500],
    ['a model that the vendor does not count for', 'aws-bedrock/anthropic.claude-x', 404],
  ])('are estimated for %s, and the answer says so', async (_, model, status) => {
    vendor.always(answer(status, 'no'));

    const { status: answered, headers, body, line } = await count(model);

    expect(answered).toBe(200);
    expect(headers).toMatchObject({ 'x-sluice-estimated': 'true' });
    expect(body.input_tokens).toBeGreaterThan(10);
    expect(body.input_tokens).toBeLessThan(60);
    expect(line.usageEstimated).toBe(true);
  });

  test('are estimated with something for each picture', async () => {
    const source = { type: 'base64', media_type: 'image/png', data: 'A'.repeat(100_000) };
    const content = [
      { type: 'text', text: 'look' },
      { type: 'image', source },
    ];

    const { body } = await count('groq/llama', { messages: [{ role: 'user', content }] });

    expect(body.input_tokens).toBeGreaterThan(1_500);
    expect(body.input_tokens).toBeLessThan(1_700);
  });

  test.each([
    ['what the vendor refuses', 'anthropic/claude-x', {}, 400],
    ['no messages', 'anthropic/claude-x', { messages: undefined }, 400],
    ['an unknown model', 'gpt-99', {}, 404],
  ])('are an error in the dialect of Anthropic for %s', async (_, model, fields, expected) => {
    vendor.always(answer(400, { type: 'error', error: { type: 'invalid_request_error', message: 'bad words' } }));

    const { status, body } = await count(model, fields);

    expect(status).toBe(expected);
    expect(body).toMatchObject({ type: 'error', error: { message: expect.any(String) } });
  });
});
