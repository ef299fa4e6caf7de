import { afterEach, describe, expect, test } from '@jest/globals';
import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import type { FailureKind } from '../../lambda/routing/failure.ts';
import { chatRequest, closeCores, handled } from '../support/core.ts';
import { answer, stream } from '../support/scripted-vendor.ts';
import { aSnapshot } from '../support/snapshots.ts';
import { suiteVendor } from '../support/suite-vendor.ts';

const vendor = suiteVendor();

afterEach(closeCores);

function snapshot(type: string): Snapshot {
  const region = type === 'aws-bedrock' ? { region: 'eu-central-1' } : {};
  return aSnapshot({ providers: recordByName([['it', { type, baseUrl: vendor.url, ...region }]]) });
}

const ask = (type: string, fields: object = {}) => handled(snapshot(type), chatRequest({ model: 'it/m', ...fields }));

function google(status: string, ...details: object[]): object {
  return { error: { code: 0, message: 'said', status, details } };
}
const badKey = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'g' };

/** Errors as the vendors' documentation and recordings have them, where status or code alone would mislead. */
const errors: [string, number, object, FailureKind, number][] = [
  ['google-ai-studio', 400, google('INVALID_ARGUMENT', badKey), 'unauthorized', 502],
  ['google-ai-studio', 400, google('INVALID_ARGUMENT'), 'rejected', 400],
  ['google-ai-studio', 503, google('UNAVAILABLE'), 'overloaded', 503],
  ['xai', 400, { code: 'invalid-argument', error: 'Incorrect API key provided. Get one.' }, 'unauthorized', 502],
  ['xai', 400, { code: 'invalid-argument', error: 'No such parameter.' }, 'rejected', 400],
  ['openrouter', 403, { error: { code: 403, message: 'said', metadata: { reasons: ['x'] } } }, 'content_policy', 403],
  ['openrouter', 403, { error: { code: 403, message: 'Key limit exceeded' } }, 'unauthorized', 502],
  ['groq', 400, { error: { message: 'said', code: 'tool_use_failed' } }, 'generation_failed', 400],
  ['groq', 498, { error: { message: 'said' } }, 'overloaded', 503],
  ['cohere', 498, { message: 'said' }, 'unauthorized', 502],
  ['cohere', 400, { message: 'said', error_type: 'TOO_MANY_TOKENS' }, 'context_length', 400],
  ['perplexity', 400, { error: { message: 'said', type: 'too_many_prompt_tokens', code: 400 } }, 'context_length', 400],
  ['anthropic', 529, { type: 'error', error: { type: 'overloaded_error', message: 'said' } }, 'overloaded', 503],
  [
    'anthropic',
    400,
    { type: 'error', error: { type: 'invalid_request_error', message: 'Your credit balance is too low to …' } },
    'rate_limited',
    429,
  ],
  [
    'anthropic',
    400,
    { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long: 2 tokens > 1' } },
    'context_length',
    400,
  ],
  ['azure-openai', 400, { error: { message: 'said', code: 'content_filter', status: 400 } }, 'content_policy', 400],
  ['azure-openai', 404, { error: { code: 'DeploymentNotFound', message: 'said' } }, 'not_found', 404],
  ['deepseek', 402, { error: { message: 'said', code: 'invalid_request_error' } }, 'rate_limited', 429],
  ['aws-bedrock', 429, { __type: 'ModelNotReadyException', message: 'said' }, 'overloaded', 503],
  ['aws-bedrock', 429, { __type: 'ThrottlingException', message: 'said' }, 'rate_limited', 429],
  ['aws-bedrock', 400, { __type: 'ServiceQuotaExceededException', message: 'said' }, 'rate_limited', 429],
  ['aws-bedrock', 400, { __type: 'ValidationException', message: 'said' }, 'rejected', 400],
  ['aws-bedrock', 403, { __type: 'AccessDeniedException', message: 'said' }, 'unauthorized', 502],
  ['aws-bedrock', 408, { __type: 'ModelTimeoutException', message: 'said' }, 'timeout', 504],
  ['aws-bedrock', 424, { __type: 'ModelErrorException', message: 'said' }, 'server_error', 502],
];

describe('an error of a vendor', () => {
  test.each(errors)('of %s with status %d and %j is judged as %s', async (...row) => {
    const [type, status, body, outcome, told] = row;
    vendor.always(answer(status, body));

    const { head, line } = await ask(type);

    expect(line.attempts[0]).toMatchObject({ outcome, status });
    expect(head?.status).toBe(told);
  });

  test("that says how long to wait in Google's body says so to the caller", async () => {
    vendor.always(
      answer(
        429,
        google('RESOURCE_EXHAUSTED', { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.4s' }),
      ),
    );

    expect((await ask('google-ai-studio')).head?.headers['retry-after']).toBe('35');
  });

  test.each<[string, FailureKind]>([
    ['overloaded_error', 'overloaded'],
    ['rate_limit_error', 'rate_limited'],
    ['invalid_request_error', 'rejected'],
    ['api_error', 'server_error'],
    ['a_type_of_tomorrow', 'server_error'],
  ])('of the type %s inside a stream of Anthropic is judged as %s', async (type, outcome) => {
    vendor.always(stream(`event: error\ndata: {"type":"error","error":{"type":"${type}","message":"said"}}\n\n`));

    const { line } = await ask('anthropic', { stream: true });

    expect(line.attempts[0].outcome).toBe(outcome);
  });

  test('that only the model is to blame for leads to another target, and to its own words when there is none', async () => {
    const failed = answer(400, { error: { message: 'Tool choice is required', type: 't', code: 'tool_use_failed' } });
    const two = snapshot('groq');
    two.providers['other'] = { type: 'openai-compatible', baseUrl: vendor.url };
    const targets = ['it', 'other'].map((provider) => ({ provider, model: 'm', weight: 1 }));
    two.models['two'] = { targets, strategy: 'priority', fallbacks: [], timeouts: {} };
    vendor.always(failed);

    const { head, text, line } = await handled(two, chatRequest({ model: 'two' }));

    expect(line.attempts.map(({ provider }: { provider: string }) => provider)).toEqual(['it', 'other']);
    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error).toMatchObject({ code: 'tool_use_failed', message: 'Tool choice is required' });
    expect(line.faultDomain).toBe('provider');
  });
});
