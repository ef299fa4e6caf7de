import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import { createAccessTokens } from '../../lambda/providers/access-tokens.ts';
import { createUpstream } from '../../lambda/providers/upstream.ts';
import { chatRequest, closeCores, handled } from '../support/core.ts';
import { anthropicMessagesFixture } from '../support/dialect-fixtures/anthropic-messages.ts';
import type { WireAnswer } from '../support/dialect-fixtures/dialect-fixture.ts';
import { geminiFixture } from '../support/dialect-fixtures/gemini.ts';
import {
  answer,
  completion,
  type Script,
  type ScriptedVendor,
  startScriptedVendor,
} from '../support/scripted-vendor.ts';
import { serviceAccountJson } from '../support/service-account.ts';
import { aSnapshot } from '../support/snapshots.ts';

let vertex: ScriptedVendor;
let google: ScriptedVendor;

const hello: WireAnswer = {
  text: ['hello'],
  calls: [],
  finish: 'stop',
  usage: {
    inputTokens: 5,
    outputTokens: 2,
    cacheReadInputTokens: 0,
    cacheCreationInputTokens: 0,
    reasoningOutputTokens: 0,
  },
};
const gemini = answer(200, geminiFixture.body(hello));
const claude = answer(200, anthropicMessagesFixture.body(hello));
const token: Script = (_, response) =>
  void response.end(JSON.stringify({ access_token: `token-${google.seen.length}`, expires_in: 3600 }));

beforeAll(async () => {
  [vertex, google] = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
});
beforeEach(() => {
  vertex.seen.length = 0;
  google.seen.length = 0;
  vertex.always(gemini);
  google.always(token);
});
afterEach(closeCores);
afterAll(() => Promise.all([vertex.close(), google.close()]));

function snapshot(fields: object = {}): Snapshot {
  const provider = { type: 'google-vertex-ai', baseUrl: new URL(vertex.url).origin, ...fields };
  return aSnapshot({ providers: recordByName([['vertex', provider]]) });
}

function serviceAccount(fields: object = {}): string {
  return serviceAccountJson(`${new URL(google.url).origin}/token`, fields);
}

function ask(model: string, { secret = serviceAccount(), fields = {}, body = {}, request = {} } = {}) {
  const secrets = { vertex: [secret] };
  return handled(snapshot(fields), chatRequest({ model: `vertex/${model}`, ...body }, request), {
    deps: { secrets: { get: async () => secrets, refresh: async () => secrets } },
  });
}

describe('Vertex AI', () => {
  test('is asked for Gemini with the token and in the project of the service account', async () => {
    const { head, text } = await ask('gemini-2.5-flash', { fields: { region: 'europe-west1' } });

    expect(head?.status).toBe(200);
    expect(JSON.parse(text).choices[0].message.content).toBe('hello');
    expect(vertex.seen[0]?.path).toBe(
      '/v1beta1/projects/acme-project/locations/europe-west1/publishers/google/models/gemini-2.5-flash:generateContent',
    );
    expect(vertex.seen[0]?.headers.authorization).toBe('Bearer token-1');
    expect(JSON.stringify(vertex.seen)).not.toContain('PRIVATE KEY');
  });

  test('may be asked in another project than that of the service account', async () => {
    await ask('gemini-2.5-flash', { fields: { project: 'other-project' } });

    expect(vertex.seen[0]?.path).toContain('/projects/other-project/locations/global/');
  });

  test('is asked for Claude with its version and without the model in the body', async () => {
    vertex.always(claude);

    const { text } = await ask('claude-haiku-4-5@20251001');

    expect(JSON.parse(text).choices[0].message.content).toBe('hello');
    expect(vertex.seen[0]?.path).toBe(
      '/v1/projects/acme-project/locations/global/publishers/anthropic/models/claude-haiku-4-5@20251001:rawPredict',
    );
    expect(vertex.seen[0]?.body).toMatchObject({ anthropic_version: 'vertex-2023-10-16' });
    expect(vertex.seen[0]?.body).not.toHaveProperty('model');
  });

  test("gets the bytes of Anthropic's callers but for those two members, and they get its bytes", async () => {
    vertex.always(claude);
    const text =
      '{ "max_tokens": 1e2, "model": "vertex/claude-x", "future": [1.0],\n "messages": [{"role":"user","content":"hi"}]}';

    const answered = await ask('claude-x', { request: { path: '/v1/messages', body: Buffer.from(text) } });

    expect(vertex.seen[0]?.text).toBe(
      '{"anthropic_version":"vertex-2023-10-16", "max_tokens": 1e2, "future": [1.0],\n "messages": [{"role":"user","content":"hi"}]}',
    );
    expect(answered.text).toBe(JSON.stringify(anthropicMessagesFixture.body(hello)));
  });

  test('is asked for the models of other publishers in the dialect of OpenAI', async () => {
    vertex.always(answer(200, completion('hello')));

    await ask('meta/llama-4-maas');

    expect(vertex.seen[0]?.path).toBe('/v1/projects/acme-project/locations/global/endpoints/openapi/chat/completions');
    expect(vertex.seen[0]?.body['model']).toBe('meta/llama-4-maas');
  });

  test.each([
    ['AIzaKey', { 'x-goog-api-key': 'AIzaKey' }],
    ['ya29.token', { authorization: 'Bearer ya29.token' }],
  ])('takes the plain key %s as well', async (secret, headers) => {
    await ask('gemini-2.5-flash', { secret });

    expect(vertex.seen[0]?.path).toBe('/v1beta1/publishers/google/models/gemini-2.5-flash:generateContent');
    expect(vertex.seen[0]?.headers).toMatchObject(headers);
    expect(google.seen).toEqual([]);
  });

  test('carries no ids of calls, which it refuses', async () => {
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'done' },
    ];

    await ask('gemini-2.5-flash', { body: { messages } });

    expect(vertex.seen[0]?.text).not.toContain('call_1');
    expect(vertex.seen[0]?.body['contents']).toMatchObject([
      {},
      { parts: [{ functionCall: { name: 'f' } }] },
      { parts: [{ functionResponse: { name: 'f', response: { output: 'done' } } }] },
    ]);
  });
});

describe('a token of Vertex AI', () => {
  const refused = answer(401, { error: { code: 401, message: 'old', status: 'UNAUTHENTICATED' } });

  /** Two requests to one core, so that the second finds the token of the first. */
  async function askTwice() {
    const secrets = { vertex: [serviceAccount()] };
    const upstream = createUpstream();
    let laterMs = 0;
    const now = () => Date.now() + laterMs;
    const accessTokens = createAccessTokens({ upstream, now });
    const deps = { secrets: { get: async () => secrets, refresh: async () => secrets }, accessTokens, now };
    const one = () => handled(snapshot(), chatRequest({ model: 'vertex/gemini-2.5-flash' }), { deps });
    await one();
    laterMs = 1_000;
    vertex.next(refused);
    const second = await one();
    upstream.close();
    return second;
  }

  test('that was remembered and is refused is asked for once more', async () => {
    const { head, line } = await askTwice();

    expect(head?.status).toBe(200);
    expect(google.seen.length).toBe(2);
    expect(vertex.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-1',
      'Bearer token-2',
    ]);
    expect(line.attempts).toHaveLength(1);
  });

  test('that is new and refused is not asked for again', async () => {
    vertex.always(refused);

    const { head, text } = await ask('gemini-2.5-flash');

    expect(head?.status).toBe(502);
    expect(text).toContain('The operator must check');
    expect(google.seen.length).toBe(1);
  });

  test.each<[string, Script, number, string]>([
    ['refused', answer(400, { error: 'invalid_grant' }), 502, 'unauthorized'],
    ['not to be had now', answer(503, 'canary'), 502, 'server_error'],
  ])('that is %s is a failure of its own', async (_, script, status, outcome) => {
    google.always(script);

    const { head, text, line, log } = await ask('gemini-2.5-flash');

    expect(head?.status).toBe(status);
    expect(line.attempts[0]).toMatchObject({ outcome });
    expect(text + log).not.toContain('canary');
    expect(vertex.seen).toEqual([]);
  });

  test.each([['{"type":"service_account","private_key":"canary"}'], ['{canary']])(
    'cannot be had with the key %s, and the operator is told so',
    async (secret) => {
      const { head, text, log } = await ask('gemini-2.5-flash', { secret });

      expect(head?.status).toBe(502);
      expect(text).toContain("The gateway's key for vertex cannot be used");
      expect(text + log).not.toContain('canary');
    },
  );

  test('is not waited for beyond the deadline of the request', async () => {
    google.always(() => {});

    const { head } = await ask('gemini-2.5-flash', { request: { deadlineMs: Date.now() + 60 } });

    expect(head?.status).toBe(504);
  });
});
