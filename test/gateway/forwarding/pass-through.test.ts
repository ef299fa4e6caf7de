import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ProviderConfig, recordByName } from '../../../lambda/config/snapshot.ts';
import { BrokenAnswerError, type GatewayRequest } from '../../../lambda/gateway/exchange.ts';
import type { GatewayDeps } from '../../../lambda/gateway/gateway-deps.ts';
import { catalogue } from '../../../lambda/providers/catalogue.ts';
import type { CatalogueEntry } from '../../../lambda/providers/catalogue-entry.ts';
import { chatRequest, closeCores, collectingSink, handled, vendorSecret } from '../../support/core.ts';
import { keyHeader } from '../../support/key-header.ts';
import { answer, event, type SeenRequest, stream } from '../../support/scripted-vendor.ts';
import { serviceAccountJson } from '../../support/service-account.ts';
import { aSnapshot } from '../../support/snapshots.ts';
import { suiteVendor } from '../../support/suite-vendor.ts';

const vendor = suiteVendor();
let origin: string;
const callerKey = 'canary-caller-key';

beforeAll(async () => {
  origin = new URL(vendor.url).origin;
});
beforeEach(() => {
  vendor.always(answer(200, { fine: true }));
});
afterEach(closeCores);

function providers(): Record<string, ProviderConfig> {
  const baseUrl = vendor.url;
  return {
    mine: { type: 'openai-compatible', baseUrl },
    openai: { type: 'openai', baseUrl },
    anthropic: { type: 'anthropic', baseUrl },
    'google-ai-studio': { type: 'google-ai-studio', baseUrl: `${origin}/v1beta` },
    'google-vertex-ai': { type: 'google-vertex-ai', baseUrl: origin, project: 'p' },
    'aws-bedrock': { type: 'aws-bedrock', baseUrl: origin, region: 'eu-central-1' },
    cloudflare: { type: 'cloudflare-ai-gateway', baseUrl },
    azure: { type: 'azure-openai', baseUrl: origin, deployments: { 'gpt-4o': 'prod-4o' } },
    own: { type: 'anthropic', baseUrl, headers: { 'x-team': 'platform' } },
  };
}

type Fields = Partial<GatewayRequest> & {
  deps?: Partial<GatewayDeps>;
  settings?: object;
  sink?: ReturnType<typeof collectingSink>;
};

function ask(path: string, { deps = {}, settings = {}, sink = collectingSink(), body, ...request }: Fields = {}) {
  const snapshot = aSnapshot({ providers: recordByName(Object.entries(providers())), settings });
  const headers = { authorization: `Bearer ${callerKey}` };
  return handled(
    snapshot,
    chatRequest({}, { path, method: 'POST', headers, body: body ?? Buffer.from('{"model":"m"}'), ...request }),
    { deps, sink },
  );
}

function secretsOf(secrets: Record<string, string[]>): Partial<GatewayDeps> {
  return { secrets: { get: async () => secrets, refresh: async () => secrets } };
}

describe("a request for a vendor's own API", () => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])(
    'passes with %s, its bytes and its query as they are',
    async (method) => {
      const body = Buffer.from([0, 255, 123, 34]);

      const { head } = await ask('/mine/files/a%20b', { method, body, query: 'limit=1.0&order=&key=x' });

      expect(head?.status).toBe(200);
      expect(vendor.seen[0]).toMatchObject({ method, path: '/v1/files/a%20b?limit=1.0&order=' });
      expect(vendor.seen[0]?.bytes.equals(body)).toBe(true);
    },
  );

  test('has the key of the vendor in place of the one of the caller', async () => {
    const keyed: [string, string, string][] = [
      ['/mine/x', 'authorization', `Bearer ${vendorSecret}`],
      ['/anthropic/v1/messages', 'x-api-key', vendorSecret],
      ['/gemini/v1beta/models', 'x-goog-api-key', vendorSecret],
      ['/azure/openai/files', 'api-key', vendorSecret],
    ];
    for (const [path, name, value] of keyed) {
      vendor.seen.length = 0;
      await ask(path, { headers: { 'x-goog-api-key': callerKey, 'x-custom': 'kept', cookie: 'a=b' } });

      const { headers, path: asked } = vendor.seen[0] as SeenRequest;
      expect(headers[name]).toBe(value);
      expect(JSON.stringify(headers)).not.toContain(callerKey);
      expect(headers).toMatchObject({ 'x-custom': 'kept' });
      expect(headers).not.toHaveProperty('cookie');
      expect(asked).not.toMatch(/v1\/v1/);
    }
  });

  test.each(catalogue.map((entry): [string, CatalogueEntry] => [entry.name, entry]))(
    'has the key where %s wants it',
    async (name, entry) => {
      const configured = { type: name, baseUrl: `${origin}/base`, ...(entry.regions ? { region: 'us-east-1' } : {}) };
      const headers = { 'x-api-key': callerKey };

      const { head } = await handled(
        aSnapshot({ providers: recordByName([['theirs', configured]]) }),
        chatRequest({}, { method: 'GET', path: '/theirs/own/thing', headers, body: Buffer.alloc(0) }),
      );

      expect(head?.status).toBe(200);
      expect(vendor.seen[0]).toMatchObject({ method: 'GET', path: '/base/own/thing', headers: keyHeader(entry) });
      expect(JSON.stringify(vendor.seen[0]?.headers)).not.toContain(callerKey);
    },
  );

  test("tells a gateway of Cloudflare's what the caller tells it, and no vendor", async () => {
    const headers = { 'x-api-key': callerKey, 'cf-aig-cache-ttl': '60', 'cf-aig-authorization': 'a' };
    await ask('/mine/x', { headers });
    await ask('/cloudflare/x', { headers, deps: secretsOf({ cloudflare: [vendorSecret] }) });

    expect(vendor.seen.map((seen) => seen.headers['cf-aig-cache-ttl'])).toEqual([undefined, '60']);
    expect(vendor.seen[0]?.headers).not.toHaveProperty('cf-aig-authorization');
    expect(vendor.seen[1]?.headers['cf-aig-authorization']).toBe(`Bearer ${vendorSecret}`);
  });

  test("has the API's version where the caller says none, and the operator's own headers", async () => {
    await ask('/own/messages');
    await ask('/own/messages', { headers: { 'x-api-key': callerKey, 'anthropic-version': '2099-01-01' } });

    expect(vendor.seen.map(({ headers }) => headers['anthropic-version'])).toEqual(['2023-06-01', '2099-01-01']);
    expect(vendor.seen[0]?.headers).toMatchObject({ 'x-team': 'platform', 'x-api-key': vendorSecret });
  });

  test('is signed with the role of the function at AWS', async () => {
    await ask('/bedrock/model/m/converse', {
      headers: {
        authorization: `Bearer ${callerKey}`,
        'content-type': 'application/json',
        'x-amzn-bedrock-accept': 'a',
      },
      deps: {
        ...secretsOf({}),
        awsCredentials: () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token' }),
      },
    });

    const { headers, path } = vendor.seen[0] ?? { headers: {}, path: '' };
    expect(path).toBe('/model/m/converse');
    expect(headers['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amzn-bedrock-accept, /,
    );
  });

  test('has a token at Vertex AI, and another one when that is refused', async () => {
    const tokens = ['old', 'new'];
    vendor.always(
      ({ headers }, response) => void response.writeHead(headers.authorization === 'Bearer new' ? 200 : 401).end(),
    );

    const { head } = await ask(
      '/google-vertex-ai/v1/projects/p/locations/l/publishers/google/models/m:generateContent',
      {
        deps: {
          ...secretsOf({ 'google-vertex-ai': [serviceAccountJson('http://127.0.0.1:9/token')] }),
          accessTokens: {
            get: async () => ({ token: tokens[0] ?? '', issuedAtMs: 0 }) as never,
            forget: () => void tokens.shift(),
          },
        },
      },
    );

    expect(head?.status).toBe(200);
    expect(vendor.seen).toHaveLength(2);
  });

  test('is refused when its path may lead elsewhere', async () => {
    for (const path of ['/mine/../admin', '/mine/%2e%2e/admin', '/mine//evil.example', '/mine/a%5c..%5c..']) {
      const { head, text } = await ask(path);

      expect(head?.status).toBe(400);
      expect(JSON.parse(text).error.code).toBe('invalid_request');
    }
    expect(vendor.seen).toHaveLength(0);
  });

  test.each([
    ['an unknown provider', '/nobody/x', {}, 404],
    ['a path of the gateway itself', '/v1/nothing/here', {}, 404],
    ['a gateway that has closed them', '/mine/x', { settings: { passThrough: false } }, 404],
    ['no key of the vendor', '/mine/x', { deps: secretsOf({ mine: [] }), settings: {} }, 200],
    ['no key where one is needed', '/openai/x', { deps: secretsOf({}) }, 503],
    ['a caller without a key', '/mine/x', { headers: {} }, 401],
  ])('finds %s', async (_, path, fields: Fields, status) => {
    expect((await ask(path, fields)).head?.status).toBe(status);
  });
});

describe("an answer of a vendor's own API", () => {
  test('passes with its status, headers and bytes', async () => {
    vendor.always((_, response) => {
      response.writeHead(201, {
        ...{ 'content-type': 'application/x-own', 'x-request-id': 'theirs', 'x-own': 'kept' },
        ...{ 'set-cookie': 'a=b', connection: 'close, x-hop', 'x-hop': 'gone' },
      });
      response.end(Buffer.from([1, 2, 255]));
    });
    const sink = collectingSink();

    const { head, line } = await ask('/mine/x', { sink });

    expect(head).toMatchObject({
      status: 201,
      headers: { 'content-type': 'application/x-own', 'x-own': 'kept', 'x-request-id': 'theirs' },
    });
    expect(head?.headers).toMatchObject({ 'x-sluice-provider': 'mine', 'x-sluice-request-id': 'request-1' });
    for (const name of ['set-cookie', 'x-hop', 'connection']) expect(head?.headers).not.toHaveProperty(name);
    expect(sink.bytes()).toEqual(Buffer.from([1, 2, 255]));
    expect(line).toMatchObject({ operation: 'pass-through', provider: 'mine', status: 201 });
  });

  test('passes live, at the pace of the caller, and its usage is read along', async () => {
    const events = [
      event({ type: 'message_start', message: { model: 'claude', usage: { input_tokens: 11, output_tokens: 1 } } }),
      event({ type: 'content_block_delta', delta: { text: 'canary-answer' } }),
      event({ type: 'message_delta', usage: { output_tokens: 5 } }),
    ];
    let heard = () => {};
    const gate = () =>
      new Promise<void>((resolve) => {
        heard = resolve;
      });
    vendor.always(stream(events[0] ?? '', gate, events[1] ?? '', gate, events[2] ?? ''));
    const sink = collectingSink();
    const { write } = sink;
    let writing = 0;
    sink.write = async (bytes) => {
      expect(++writing).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      writing--;
      await write(bytes);
      heard();
    };

    const { text, line, log } = await ask('/anthropic/v1/messages', { sink });

    expect(text).toBe(events.join(''));
    expect(line).toMatchObject({
      stream: true,
      responseModel: 'claude',
      usage: { inputTokens: 11, outputTokens: 5 },
      attempts: [{ provider: 'anthropic', outcome: 'answered' }],
    });
    expect(log).not.toContain('canary-answer');
  });

  test('passes however long it is', async () => {
    const long = `{"data":"${'x'.repeat(8_000_000)}","usage":{"prompt_tokens":3,"completion_tokens":4}}`;
    vendor.always(answer(200, long));

    const { text, line } = await ask('/mine/chat/completions');

    expect(text === long).toBe(true);
    expect(line.usage).toMatchObject({ inputTokens: 3, outputTokens: 4 });
  });

  test('passes as an error unchanged, but for a key in it', async () => {
    vendor.always(answer(418, `{"odd" : 1.0, "key":"${vendorSecret}"}\n`, { 'retry-after': '7' }));

    const { text, head, line } = await ask('/mine/x');

    expect(head).toMatchObject({ status: 418, headers: { 'retry-after': '7' } });
    expect(text).toBe('{"odd" : 1.0, "key":"***"}\n');
    expect(line).toMatchObject({ status: 418, faultDomain: 'caller' });
  });

  test('is broken off when the vendor breaks off', async () => {
    vendor.always(stream('data: 1\n\n', (response) => void response.destroy()));
    const sink = collectingSink();

    await expect(ask('/mine/x', { sink })).rejects.toBeInstanceOf(BrokenAnswerError);

    expect(sink.text()).toBe('data: 1\n\n');
    expect(sink.ended).toBe(false);
  });

  test('is an error in the dialect of the vendor when there is none', async () => {
    vendor.always((_, response) => void response.destroy());

    const [anthropic, google, other] = await Promise.all([
      ask('/own/messages'),
      ask('/gemini/models'),
      ask('/mine/models'),
    ]);

    expect(anthropic.head?.status).toBe(502);
    expect(JSON.parse(anthropic.text)).toMatchObject({ type: 'error', error: { type: expect.any(String) } });
    expect(JSON.parse(google.text)).toMatchObject({ error: { code: 502, status: expect.any(String) } });
    expect(JSON.parse(other.text)).toMatchObject({ error: { code: 'provider_failed' } });
    // Nobody knows what a second try would do.
    expect(vendor.seen).toHaveLength(3);
  });

  test.each([401, 403, 429])(
    'that refuses a key with %d is asked for with another, and told when none is left',
    async (status) => {
      const deps = secretsOf({ mine: ['first', 'second'] });
      vendor.next(answer(status, 'no'));

      const taken = await ask('/mine/x', { deps });
      vendor.always(answer(status, 'no'));
      const refused = await ask('/mine/x', { deps });

      expect([taken.head?.status, refused.head?.status]).toEqual([200, status]);
      expect(new Set(vendor.seen.slice(0, 2).map(({ headers }) => headers.authorization)).size).toBe(2);
      expect(vendor.seen).toHaveLength(4);
      expect(taken.line.attempts).toHaveLength(2);
    },
  );
});

describe('a key that is limited to some models', () => {
  const findCaller = async () => ({ label: 'limited', models: ['*/allowed', 'azure/gpt-4o'] });
  const limited = async (path: string, body: string | Buffer = '', more: Fields = {}) => {
    const { head } = await ask(path, { body: Buffer.from(body as string), deps: { findCaller }, ...more });
    return head?.status;
  };
  const json = (fields: object) => JSON.stringify(fields);

  test.each([
    ['/mine/chat/completions', json({ model: 'allowed' })],
    ['/anthropic/v1/messages', json({ model: 'allowed' })],
    ['/gemini/v1beta/models/allowed:generateContent', '{}'],
    ['/gemini/v1beta/models/allowed:batchEmbedContents', json({ requests: [{ model: 'models/allowed' }] })],
    ['/bedrock/model/allowed/converse', '{}'],
    ['/azure/openai/deployments/prod-4o/chat/completions', '{}'],
  ])('may use %s with %s', async (path, body) => {
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };

    expect(await limited(path, body, { deps: { findCaller, awsCredentials: () => credentials } })).toBe(200);
  });

  const duplicate = '{"model":"other","model":"allowed"}';
  test.each([
    ['another model', '/mine/chat/completions', json({ model: 'other' })],
    ['no model', '/mine/chat/completions', '{}'],
    ['no body', '/mine/models', ''],
    ['a model twice', '/mine/chat/completions', duplicate],
    ['a model in capitals', '/mine/chat/completions', '{"Model":"other","model":"allowed"}'],
    ['a fallback', '/mine/chat/completions', json({ model: 'allowed', models: ['other'] })],
    ['a tool with a model', '/mine/responses', json({ model: 'allowed', tools: [{ type: 'x', model: 'other' }] })],
    ['a model in a place that nobody looks at', '/mine/moderations', json({ metadata: { model: 'allowed' } })],
    ['an allowed model on a path that needs none', '/mine/batches', json({ model: 'allowed', input_file_id: 'f' })],
    ['another model in the path', '/gemini/v1beta/models/other:generateContent', json({ model: 'allowed' })],
    ['an encoded model in the path', '/gemini/v1beta/models/%6fther:generateContent', json({ model: 'allowed' })],
    ['another deployment', '/azure/openai/deployments/other/chat/completions', json({ model: 'allowed' })],
    ['an endpoint of its own', '/google-vertex-ai/v1/endpoints/7/chat/completions', json({ model: 'allowed' })],
    ['what is no JSON', '/mine/chat/completions', '{"model":"allowed"'],
    ['lines of JSON', '/mine/files', '{"model":"other"}\n{}'],
  ])('may not use %s', async (_, path, body) => {
    expect(await limited(path, body)).toBe(403);
    expect(vendor.seen).toHaveLength(0);
  });

  test('may not hide a model in a form, or in a query', async () => {
    const form = (...models: string[]) =>
      `${models.map((model) => `--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n`).join('')}--b--\r\n`;
    const headers = { authorization: 'Bearer k', 'content-type': 'multipart/form-data; boundary=b' };
    const path = '/mine/audio/transcriptions';

    expect(await limited(path, form('allowed'), { headers })).toBe(200);
    expect(await limited(path, form('other', 'allowed'), { headers })).toBe(403);
    expect(await limited(path, `x${form('allowed')}`, { headers })).toBe(403);
    expect(await limited('/mine/chat/completions', '{"model":"allowed"}', { query: 'model=other' })).toBe(403);
    expect(await limited('/mine/moderations', '{}', { query: 'model=allowed' })).toBe(403);
  });
});
