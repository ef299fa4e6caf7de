import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ProviderConfig, recordByName } from '../../lambda/config/snapshot.ts';
import { signRequest } from '../../lambda/providers/sigv4.ts';
import { chatRequest, closeCores, handled } from '../support/core.ts';
import { bedrockConverseFixture } from '../support/dialect-fixtures/bedrock-converse.ts';
import { answer, completion, type ScriptedVendor, startScriptedVendor } from '../support/scripted-vendor.ts';
import { aSnapshot } from '../support/snapshots.ts';

let cloudflare: ScriptedVendor;

beforeAll(async () => {
  cloudflare = await startScriptedVendor();
});
beforeEach(() => {
  cloudflare.seen.length = 0;
  cloudflare.always(answer(200, completion('hello')));
});
afterEach(closeCores);
afterAll(() => cloudflare.close());

type Options = { config?: object; secrets?: Record<string, string[]>; headers?: Record<string, string>; deps?: object };

function ask(model: string, { config = {}, secrets = {}, headers = {}, deps = {} }: Options = {}) {
  const url = `${new URL(cloudflare.url).origin}/v1/acc/gw`;
  const provider: ProviderConfig = { type: 'groq', cloudflareGateway: { url }, ...config };
  const direct: ProviderConfig = { type: 'groq', baseUrl: cloudflare.url };
  const snapshot = aSnapshot({
    providers: recordByName([
      ['it', provider],
      ['direct', direct],
    ]),
  });
  const request = chatRequest({ model }, { headers: { authorization: 'Bearer key', ...headers } });
  return handled(snapshot, request, {
    deps: { secrets: { get: async () => secrets, refresh: async () => secrets }, ...deps },
  });
}

const aigHeaders = {
  'cf-aig-cache-ttl': '60',
  'cf-aig-max-attempts': '2',
  'cf-aig-authorization': 'canary',
  'cf-aig-collect-log': 'false',
  'cf-aig-cache-key': 'canary',
};

describe("a provider behind Cloudflare's gateway", () => {
  test("is called with its own key and the gateway's token", async () => {
    const { head, text } = await ask('it/m', { secrets: { it: ['vendor-key'], 'cloudflare-ai-gateway': ['token'] } });

    expect(head?.status).toBe(200);
    expect(JSON.parse(text)).toEqual(completion('hello'));
    expect(cloudflare.seen[0]?.path).toBe('/v1/acc/gw/groq/chat/completions');
    expect(cloudflare.seen[0]?.headers).toMatchObject({
      authorization: 'Bearer vendor-key',
      'cf-aig-authorization': 'Bearer token',
    });
  });

  test('may leave its key to the gateway, and have a token of its own', async () => {
    const url = `${new URL(cloudflare.url).origin}/v1/acc/gw`;
    const config = { cloudflareGateway: { url, secret: 'other' } };

    await ask('it/m', { config, secrets: { other: ['its-own'], 'cloudflare-ai-gateway': ['token'] } });

    expect(cloudflare.seen[0]?.headers['cf-aig-authorization']).toBe('Bearer its-own');
    expect(cloudflare.seen[0]?.headers).not.toHaveProperty('authorization');
  });

  test('hears of caching and retries from the caller, of nothing that would touch its log or the cache of others', async () => {
    await ask('it/m', { secrets: { 'cloudflare-ai-gateway': ['token'] }, headers: aigHeaders });

    expect(cloudflare.seen[0]?.headers).toMatchObject({
      'cf-aig-cache-ttl': '60',
      'cf-aig-max-attempts': '2',
      'cf-aig-authorization': 'Bearer token',
    });
    expect(JSON.stringify(cloudflare.seen[0]?.headers)).not.toMatch(/canary|collect-log/);
  });

  test('is the only one that hears it', async () => {
    await ask('direct/m', { secrets: { direct: ['k'], 'cloudflare-ai-gateway': ['token'] }, headers: aigHeaders });

    expect(JSON.stringify(cloudflare.seen[0]?.headers)).not.toContain('cf-aig');
  });

  test('is signed for as AWS knows it', async () => {
    const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
    cloudflare.always(
      answer(
        200,
        bedrockConverseFixture.body({
          text: ['hi'],
          calls: [],
          finish: 'stop',
          usage: {
            inputTokens: 1,
            outputTokens: 1,
            cacheReadInputTokens: 0,
            cacheCreationInputTokens: 0,
            reasoningOutputTokens: 0,
          },
        }),
      ),
    );
    const nowMs = Date.now();

    await ask('it/amazon.nova-lite-v1:0', {
      config: { type: 'aws-bedrock', region: 'us-east-1' },
      deps: { awsCredentials: () => credentials, now: () => nowMs },
    });

    const [seen] = cloudflare.seen;
    expect(seen?.path).toBe('/v1/acc/gw/aws-bedrock/bedrock-runtime/us-east-1/model/amazon.nova-lite-v1%3A0/converse');
    const expected = signRequest(
      {
        method: 'POST',
        path: '/model/amazon.nova-lite-v1%3A0/converse',
        headers: { host: 'bedrock-runtime.us-east-1.amazonaws.com', 'content-type': 'application/json' },
        body: seen?.text ?? '',
      },
      { credentials, region: 'us-east-1', service: 'bedrock', nowMs },
    );
    expect(seen?.headers['authorization']).toBe(expected['authorization']);
  });

  test('may be the gateway itself, which calls models by provider and name', async () => {
    const config = { type: 'cloudflare-ai-gateway', baseUrl: `${cloudflare.url}/acc/gw`, cloudflareGateway: undefined };

    await ask('it/openai/gpt-5', { config, secrets: { it: ['token'] }, headers: aigHeaders });

    expect(cloudflare.seen[0]?.path).toBe('/v1/acc/gw/compat/chat/completions');
    expect(cloudflare.seen[0]?.body['model']).toBe('openai/gpt-5');
    expect(cloudflare.seen[0]?.headers).toMatchObject({
      'cf-aig-authorization': 'Bearer token',
      'cf-aig-cache-ttl': '60',
    });
    expect(cloudflare.seen[0]?.headers).not.toHaveProperty('authorization');
  });
});

describe('the universal endpoint', () => {
  const config = (type: string, more: object = {}) => {
    const url = `${new URL(cloudflare.url).origin}/v1/acc/gw`;
    return { type, cloudflareGateway: { url, universal: true }, ...more };
  };
  const secrets = { it: ['key-a', 'key-b', 'key-c'], 'cloudflare-ai-gateway': ['token'] };

  test('is sent one step for each key, and its answer is the answer', async () => {
    const { head, text, line } = await ask('it/m', { config: config('groq'), secrets, headers: aigHeaders });

    const [seen] = cloudflare.seen;
    const steps = JSON.parse(seen?.text ?? '');
    expect(head?.status).toBe(200);
    expect(JSON.parse(text)).toEqual(completion('hello'));
    expect(line.usage).toMatchObject({ inputTokens: 5, outputTokens: 2 });
    expect(seen?.path).toBe('/v1/acc/gw');
    expect(seen?.headers).toMatchObject({ 'cf-aig-authorization': 'Bearer token', 'cf-aig-cache-ttl': '60' });
    expect(seen?.headers).not.toHaveProperty('authorization');
    // The second of three is the one that 0.5 draws.
    expect(steps).toMatchObject(
      ['key-b', 'key-a', 'key-c'].map((key) => ({
        provider: 'groq',
        endpoint: 'chat/completions',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        query: { model: 'm', messages: [{ role: 'user', content: 'canary-prompt' }] },
      })),
    );
    expect(JSON.stringify(steps)).not.toMatch(/cf-aig|content-length/);
  });

  test('is sent the body as it stands, to the place that the vendor has there', async () => {
    const { url } = { url: `${new URL(cloudflare.url).origin}/v1/acc/gw` };
    const azure = {
      baseUrl: 'https://acme.openai.azure.com',
      cloudflareGateway: { url, universal: true },
      deployments: recordByName([['m', 'prod']]),
    };

    await ask('it/m', { config: config('azure-openai', azure), secrets: { it: ['k'] } });

    expect(JSON.parse(cloudflare.seen[0]?.text ?? '')).toMatchObject([
      {
        provider: 'azure-openai',
        endpoint: 'acme/prod/chat/completions?api-version=2024-10-21',
        headers: { 'api-key': 'k' },
        query: { model: 'prod' },
      },
    ]);
  });

  test('is sent one step where a call is signed', async () => {
    await ask('it/amazon.nova-lite-v1:0', {
      config: config('aws-bedrock', { region: 'us-east-1' }),
      deps: { awsCredentials: () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret' }) },
    });

    const [step, ...others] = JSON.parse(cloudflare.seen[0]?.text ?? '');
    expect(others).toEqual([]);
    expect(step).toMatchObject({
      provider: 'aws-bedrock',
      endpoint: 'bedrock-runtime/us-east-1/model/amazon.nova-lite-v1%3A0/converse',
    });
    expect(step.headers.authorization).toContain('AWS4-HMAC-SHA256');
  });

  test('lets no key and no token be quoted by whoever refuses it', async () => {
    cloudflare.always(answer(400, { error: { message: 'wrong: key-a, key-b, key-c, token' } }));

    const { text, log } = await ask('it/m', { config: config('groq'), secrets });

    expect(JSON.parse(text).error.message).toBe('wrong: ***, ***, ***, ***');
    expect(log).not.toMatch(/key-[abc]/);
  });

  test('fails as the vendor of its last step did', async () => {
    cloudflare.always(answer(429, { error: { message: 'slow down' } }, { 'retry-after': '7' }));

    const { head, line } = await ask('it/m', { config: config('groq'), secrets });

    expect(head).toMatchObject({ status: 429, headers: { 'retry-after': '7' } });
    expect(line.attempts[0].outcome).toBe('rate_limited');
  });
});

test("the gateway's token goes to no host that an answer names", async () => {
  const prediction = { id: 'p', status: 'starting', urls: { get: 'https://api.replicate.com/v1/predictions/p' } };
  cloudflare.always(answer(201, prediction));
  const called: Record<string, string>[] = [];
  const { createUpstream } = await import('../../lambda/providers/upstream.ts');
  const upstream = createUpstream();
  const get = ({ headers }: { headers: Record<string, string> }) => {
    called.push(headers);
    return { response: Promise.reject(Object.assign(new Error('no'), { code: 'ECONNRESET' })), abort: () => {} };
  };

  await ask('it/a/b', {
    config: { type: 'replicate' },
    secrets: { it: ['replicate-key'], 'cloudflare-ai-gateway': ['token'] },
    deps: { upstream: { ...upstream, get } },
  });
  upstream.close();

  expect(called[0]).toMatchObject({ authorization: 'Bearer replicate-key' });
  expect(JSON.stringify(called)).not.toContain('cf-aig');
});

test('callers may send steps of their own to the gateway, which opens with its token alone', async () => {
  const url = `${cloudflare.url}/acc/gw`;
  const provider: ProviderConfig = { type: 'cloudflare-ai-gateway', baseUrl: url };
  const snapshot = aSnapshot({ providers: recordByName([['cloudflare-ai-gateway', provider]]) });
  const steps = [
    { provider: 'workers-ai', endpoint: '@cf/meta/llama', headers: {}, query: { prompt: 'hi' } },
    { provider: 'openai', endpoint: 'chat/completions', headers: {}, query: { model: 'gpt-5', messages: [] } },
  ];
  const body = Buffer.from(JSON.stringify(steps));
  const secrets = { 'cloudflare-ai-gateway': ['token'] };

  const { head, text, line } = await handled(
    snapshot,
    chatRequest(
      {},
      {
        path: '/cloudflare-ai-gateway/',
        headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
        body,
      },
    ),
    { deps: { secrets: { get: async () => secrets, refresh: async () => secrets } } },
  );

  expect(head?.status).toBe(200);
  expect(JSON.parse(text)).toEqual(completion('hello'));
  expect(cloudflare.seen[0]?.path).toBe('/v1/acc/gw/');
  expect(cloudflare.seen[0]?.text).toBe(body.toString());
  expect(cloudflare.seen[0]?.headers['cf-aig-authorization']).toBe('Bearer token');
  expect(line.usage).toMatchObject({ inputTokens: 5, outputTokens: 2 });
});
