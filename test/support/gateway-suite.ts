import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { canaries, canary, canaryHeaders, canaryRequests, canaryScripts } from './canaries.ts';
import { emittedMetrics } from './emitted-metrics.ts';
import {
  answer,
  chunk,
  completion,
  done,
  event,
  role,
  type ScriptedVendor,
  silence,
  startScriptedVendor,
  stream,
  usageChunk,
} from './scripted-vendor.ts';
import type { GatewayOptions, RunningGateway } from './serve-process.ts';

const apiKey = 'sk-test-of-the-caller';
const limitedKey = 'sk-test-limited-to-some';
const secret = 'canary-vendor-secret';
const prompt = 'canary-prompt';
const said = 'canary-answer';
const messages = [{ role: 'user' as const, content: prompt }];

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function configFor(vendor: ScriptedVendor, other: ScriptedVendor): object {
  const compatible = { type: 'openai-compatible' };
  return {
    providers: {
      scripted: { ...compatible, baseUrl: vendor.url },
      other: { ...compatible, baseUrl: other.url },
      'keys-401': { ...compatible, baseUrl: vendor.url },
      'keys-429': { ...compatible, baseUrl: vendor.url },
      closed: { ...compatible, baseUrl: 'http://127.0.0.1:9/v1' },
      strict: { type: 'mistral', baseUrl: vendor.url },
    },
    models: {
      one: { targets: ['scripted/model-1'] },
      two: { targets: ['scripted/model-two', 'other/model-2'], strategy: 'priority' },
      'with-fallback': { targets: ['closed/model-1'], fallbacks: ['one'] },
      impatient: {
        targets: ['scripted/model-impatient'],
        timeouts: { firstContentMs: 300, idleMs: 300, totalMs: 2000 },
      },
    },
    keys: { [sha256(limitedKey)]: { label: 'limited', models: ['on*', 'scripted/allowed'] } },
    secrets: {
      scripted: secret,
      other: 'other-secret',
      'keys-401': ['first-of-two-secrets', 'second-of-two-secrets'],
      'keys-429': ['third-key', 'fourth-key'],
      strict: 'strict-secret',
    },
    settings: { defaultModel: 'one' },
  };
}

let freshTargets = 0;

/** A target that has never failed before: the gateway remembers those that have. */
function freshTarget(): string {
  return `scripted/fresh-${freshTargets++}`;
}

/** What every host of the gateway must do, seen through the official SDK and through plain HTTP. */
export function describeGateway(name: string, start: (options: GatewayOptions) => Promise<RunningGateway>): void {
  describe(name, () => {
    let vendor: ScriptedVendor;
    let other: ScriptedVendor;
    let gateway: RunningGateway;
    let client: OpenAI;

    beforeAll(async () => {
      [vendor, other] = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
      gateway = await start({ config: configFor(vendor, other), apiKey });
      client = new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    }, 60_000);

    afterAll(async () => {
      await gateway?.close();
      await Promise.all([vendor.close(), other.close()]);
    });

    beforeEach(() => {
      for (const one of [vendor, other]) {
        one.seen.length = 0;
        one.always(answer(200, completion(said)));
      }
    });

    const post = (body: unknown, headers: Record<string, string> = {}, path = '/v1/chat/completions') =>
      fetch(gateway.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });

    describe('buffered', () => {
      test('answers the SDK with what the vendor said and counted', async () => {
        const result = await client.chat.completions.create({ model: 'one', messages });

        expect(result.choices[0]?.message.content).toBe(said);
        expect(result.usage?.total_tokens).toBe(7);
      });

      test('sends the vendor its own key and model name, and every other byte as the caller wrote it', async () => {
        const body =
          '{"seed": 12345678901234567890, "model":"one", "messages":[{"role":"user","content":"\\u00fc"}],"x":1.0}';

        await post(body);

        expect(vendor.seen[0]?.text).toBe(
          '{"seed": 12345678901234567890, "model":"model-1", "messages":[{"role":"user","content":"\\u00fc"}],"x":1.0}',
        );
        expect(vendor.seen[0]?.path).toBe('/v1/chat/completions');
        expect(vendor.seen[0]?.headers.authorization).toBe(`Bearer ${secret}`);
        expect(JSON.stringify(vendor.seen[0]?.headers)).not.toContain(apiKey);
      });

      test('passes the body of the vendor on byte for byte', async () => {
        const text =
          '{ "choices":[{"index":0,"message":{"role":"assistant","content":"\\u00e9"},"finish_reason":"stop"}], "n": 1.50, "new_field": {} }\n';
        vendor.next(answer(200, text));

        const response = await post({ model: 'one', messages });

        expect(await response.text()).toBe(text);
        expect(response.headers.get('content-type')).toBe('application/json');
      });

      test('names request, target and configuration in the headers of the raw response', async () => {
        const { data, response } = await client.chat.completions.create({ model: 'two', messages }).withResponse();

        expect(data).toHaveProperty('_request_id', response.headers.get('x-request-id'));
        expect(response.headers.get('x-sluice-provider')).toBe('scripted');
        expect(response.headers.get('x-sluice-model')).toBe('model-two');
        expect(response.headers.get('x-sluice-attempts')).toBe('1');
        expect(Number(response.headers.get('x-sluice-config-version'))).toBeGreaterThan(0);
        expect(response.headers.get('server-timing')).toMatch(
          /^auth;dur=\d+\.\d, plan;dur=\d+\.\d, upstream;dur=\d+\.\d, translate;dur=\d+\.\d$/,
        );
      });
    });

    describe('streamed', () => {
      test('brings each chunk while the vendor is still sending', async () => {
        let proceed = () => {};
        const received: string[] = [];
        const gate = () =>
          new Promise<void>((resolve) => {
            proceed = resolve;
          });
        vendor.next(
          stream(
            role,
            chunk({ content: 'a' }),
            gate,
            chunk({ content: 'b' }),
            gate,
            chunk({ content: 'c' }),
            chunk({}, 'stop'),
            done,
          ),
        );

        for await (const part of await client.chat.completions.create({ model: 'one', messages, stream: true })) {
          const content = part.choices[0]?.delta.content;
          // The vendor goes on only when the caller has what came before.
          if (content) {
            received.push(content);
            proceed();
          }
        }

        expect(received).toEqual(['a', 'b', 'c']);
      });

      test('passes the events on byte for byte, wherever the network cuts them', async () => {
        const bytes = Buffer.from(
          `: note\n\n${role}${chunk({ content: 'zwölf ☃' })}data: {"choices":[{"index":0,"delta":{"content":"x"}}], "odd" : 1.0}\r\n\r\n${chunk({}, 'stop')}${done}`,
        );
        vendor.next(stream(...[...bytes].map((byte) => Buffer.of(byte))));

        const response = await post({ model: 'one', messages, stream: true });

        expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
        expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
      });

      test('asks the vendor for usage but withholds the usage event that the caller did not ask for', async () => {
        vendor.next(stream(role, chunk({ content: said }), chunk({}, 'stop'), usageChunk(), done));

        const response = await post({
          model: 'one',
          messages,
          stream: true,
          stream_options: { include_obfuscation: false },
        });

        expect(await response.text()).toBe(role + chunk({ content: said }) + chunk({}, 'stop') + done);
        expect(vendor.seen[0]?.body['stream_options']).toEqual({ include_obfuscation: false, include_usage: true });
      });

      test('passes the usage event on to a caller who asked for it', async () => {
        vendor.next(stream(role, chunk({ content: said }), chunk({}, 'stop'), usageChunk(), done));
        const parts = [];

        const params = { model: 'one', messages, stream: true as const, stream_options: { include_usage: true } };
        for await (const part of await client.chat.completions.create(params)) parts.push(part);

        expect(parts.at(-1)?.usage?.total_tokens).toBe(7);
      });

      test('spares a vendor that refuses them the stream options', async () => {
        vendor.next(stream(chunk({ content: said }), chunk({}, 'stop'), done));

        const response = await post({
          model: 'strict/model-1',
          messages,
          stream: true,
          stream_options: { include_usage: true },
        });

        expect(response.status).toBe(200);
        expect(vendor.seen[0]?.body).not.toHaveProperty('stream_options');
      });

      test('adds the end marker that a vendor leaves out after a finished answer', async () => {
        vendor.next(stream(chunk({ content: said }), chunk({}, 'stop')));

        const response = await post({ model: 'one', messages, stream: true });

        expect(await response.text()).toBe(chunk({ content: said }) + chunk({}, 'stop') + done);
      });

      test('carries tool calls, reasoning and refusals', async () => {
        const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
        vendor.next(
          stream(
            role,
            chunk({ reasoning_content: 'hm' }),
            chunk({ tool_calls: [call] }),
            chunk({ refusal: 'no' }),
            chunk({}, 'tool_calls'),
            done,
          ),
        );

        const final = await client.chat.completions.stream({ model: 'one', messages }).finalChatCompletion();

        expect(final.choices[0]?.message.tool_calls?.[0]).toMatchObject({
          id: 'call_1',
          function: { arguments: '{"a":1}' },
        });
        expect(final.choices[0]?.finish_reason).toBe('tool_calls');
      });

      test('survives a caller who leaves in the middle', async () => {
        vendor.next(
          stream(chunk({ content: 'a' }), (response) => new Promise((resolve) => response.once('close', resolve))),
        );
        const running = await client.chat.completions.create({ model: 'impatient', messages, stream: true });

        for await (const _ of running) running.controller.abort();

        const next = await client.chat.completions.create({ model: 'one', messages });
        expect(next.choices[0]?.message.content).toBe(said);
      });
    });

    test('serves twenty callers at once, each its own answer', async () => {
      vendor.always(({ body }, response) => {
        const [message] = body['messages'] as { content: string }[];
        return stream(
          role,
          chunk({ content: `to ${message?.content}` }),
          chunk({}, 'stop'),
          done,
        )({} as never, response);
      });

      const answers = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const params = { model: 'one', messages: [{ role: 'user' as const, content: `caller ${index}` }] };
          const final = await client.chat.completions.stream(params).finalChatCompletion();
          return final.choices[0]?.message.content;
        }),
      );

      expect(answers).toEqual(Array.from({ length: 20 }, (_, index) => `to caller ${index}`));
    }, 60_000);

    describe('names of models', () => {
      test.each([
        ['a target', 'other/vendor/model:7b', 'vendor/model:7b'],
        ['a pin of a configured model', 'two@@other', 'model-2'],
        ["a pin of the provider's own name", 'model-9@@other', 'model-9'],
      ])('understands %s', async (_, model, seen) => {
        await client.chat.completions.create({ model, messages });

        expect(other.seen[0]?.body['model']).toBe(seen);
      });

      test('uses the default model when none is named', async () => {
        const response = await post({ messages });

        expect(response.status).toBe(200);
        expect(vendor.seen[0]?.body['model']).toBe('model-1');
      });

      test('lists and describes the configured models', async () => {
        const ids = [];
        for await (const model of client.models.list()) ids.push(model.id);

        expect(ids.sort()).toEqual(['impatient', 'one', 'two', 'with-fallback']);
        expect(await client.models.retrieve('two')).toMatchObject({ id: 'two', object: 'model', owned_by: 'scripted' });
        expect((await client.models.retrieve('other/a/b')).id).toBe('other/a/b');
      });
    });

    describe('keys of callers', () => {
      const authenticated = (headers: Record<string, string>) => fetch(`${gateway.url}/v1/models`, { headers });

      test.each([
        ['no key', {}, 401],
        ['a wrong key', { authorization: 'Bearer wrong' }, 401],
        ['another scheme', { authorization: `Basic ${apiKey}` }, 401],
        ['an empty key', { authorization: 'Bearer ' }, 401],
        ['the SHA-256 of a key', { authorization: `Bearer ${sha256(apiKey)}` }, 401],
        ['a bearer key', { authorization: `Bearer ${apiKey}` }, 200],
        ['x-api-key', { 'x-api-key': apiKey }, 200],
        ['a key of the configuration', { 'x-api-key': limitedKey }, 200],
      ])('answers %s', async (_, headers: Record<string, string>, status) => {
        const response = await authenticated(headers);

        expect(response.status).toBe(status);
        if (status === 401)
          expect(await response.json()).toMatchObject({ error: { code: 'invalid_api_key', param: null } });
      });

      test('keeps a limited key to its models', async () => {
        const limited = new OpenAI({ apiKey: limitedKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
        const use = (model: string) => limited.chat.completions.create({ model, messages });

        await expect(use('two')).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
        await expect(use('scripted/model-1')).rejects.toMatchObject({ code: 'model_not_allowed' });
        await expect(use('one')).resolves.toBeDefined();
        await expect(use('allowed@@scripted')).resolves.toBeDefined();
        expect((await limited.models.list()).data.map(({ id }) => id)).toEqual(['one']);
      });
    });

    describe('bad requests', () => {
      test.each([
        ['unreadable JSON', '{"model": "one", "messages": [', 'POST', '/v1/chat/completions', 400, 'invalid_request'],
        ['a body that is no object', '[]', 'POST', '/v1/chat/completions', 400, 'invalid_request'],
        ['no body', '', 'POST', '/v1/chat/completions', 400, 'invalid_request'],
        ['no messages', '{"model":"one"}', 'POST', '/v1/chat/completions', 400, 'invalid_request'],
        ['empty messages', '{"model":"one","messages":[]}', 'POST', '/v1/chat/completions', 400, 'invalid_request'],
        [
          'a model that is no string',
          '{"model":1,"messages":[{}]}',
          'POST',
          '/v1/chat/completions',
          400,
          'invalid_request',
        ],
        [
          'an unknown model',
          '{"model":"gpt-99","messages":[{}]}',
          'POST',
          '/v1/chat/completions',
          404,
          'model_not_found',
        ],
        [
          'a model named like a built-in',
          '{"model":"__proto__","messages":[{}]}',
          'POST',
          '/v1/chat/completions',
          404,
          'model_not_found',
        ],
        [
          'an unknown provider',
          '{"model":"nobody/x","messages":[{}]}',
          'POST',
          '/v1/chat/completions',
          404,
          'model_not_found',
        ],
        [
          'a provider without a key',
          '{"model":"groq/x","messages":[{}]}',
          'POST',
          '/v1/chat/completions',
          503,
          'no_target_available',
        ],
        ['a wrong method', undefined, 'GET', '/v1/chat/completions', 405, 'method_not_allowed'],
        ['an unknown path', '{}', 'POST', '/v1/nothing', 404, 'unknown_url'],
        ['a model that does not exist', undefined, 'GET', '/v1/models/gpt-99', 404, 'model_not_found'],
      ])('answers %s in the shape of OpenAI', async (...row) => {
        const [, body, method, path, status, code] = row;
        const headers = { authorization: `Bearer ${apiKey}` };

        const response = await fetch(gateway.url + path, { method, headers, ...(body === undefined ? {} : { body }) });

        expect(response.status).toBe(status);
        const { error } = (await response.json()) as { error: Record<string, unknown> };
        expect(error).toMatchObject({ code, type: expect.any(String), message: expect.stringMatching(/\w/) });
        expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
        expect(vendor.seen).toHaveLength(0);
      });

      test('refuses a body over 6 MB and takes one just below', async () => {
        const text = (length: number) =>
          JSON.stringify({ model: 'one', messages: [{ role: 'user', content: 'x'.repeat(length) }] });

        const refused = await post(text(6 * 1024 * 1024));
        const accepted = await post(text(5 * 1024 * 1024));

        expect(refused.status).toBe(413);
        expect(await refused.json()).toMatchObject({ error: { code: 'request_too_large' } });
        expect(accepted.status).toBe(200);
      });

      test('ignores a query string and answers without /v1 too', async () => {
        const [chat, models, health] = await Promise.all([
          post({ model: 'one', messages }, {}, '/chat/completions?x=1'),
          fetch(`${gateway.url}/models?limit=5`, { headers: { 'x-api-key': apiKey } }),
          fetch(`${gateway.url}/health`),
        ]);

        expect([chat.status, models.status, health.status]).toEqual([200, 200, 200]);
        expect(await health.json()).toEqual({ status: 'ok' });
      });

      test('lets browsers in', async () => {
        const preflight = await fetch(`${gateway.url}/v1/chat/completions`, {
          method: 'OPTIONS',
          headers: {
            origin: 'https://app.example',
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization, content-type, x-stainless-os',
          },
        });
        const actual = await post({ model: 'one', messages }, { origin: 'https://app.example' });

        expect(preflight.ok).toBe(true);
        expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
        expect(preflight.headers.get('access-control-allow-headers')).toMatch(/authorization/);
        expect(preflight.headers.get('access-control-allow-headers')).toMatch(/x-stainless-os/);
        expect(actual.headers.get('access-control-allow-origin')).toBe('*');
      });
    });

    describe('failing vendors', () => {
      const openAiError = (message: string, code: string | null = null) => ({
        error: { message, type: 'some_type', param: null, code },
      });

      test.each([
        [
          '400',
          answer(400, openAiError('bad temperature', 'bad_value')),
          OpenAI.BadRequestError,
          400,
          'bad_value',
          /bad temperature/,
        ],
        [
          '401',
          answer(401, openAiError(`Incorrect key ${secret}`)),
          OpenAI.InternalServerError,
          502,
          'provider_failed',
          /refused the gateway's key/,
        ],
        [
          '404',
          answer(404, openAiError('no such model', 'model_not_found')),
          OpenAI.NotFoundError,
          404,
          'model_not_found',
          /no such model/,
        ],
        [
          '422 of another shape',
          answer(422, { detail: [{ loc: ['body', 'x'], msg: 'extra' }] }),
          OpenAI.UnprocessableEntityError,
          422,
          'invalid_request',
          /body\.x: extra/,
        ],
        [
          '429',
          answer(429, openAiError('slow down'), { 'retry-after': '30' }),
          OpenAI.RateLimitError,
          429,
          'rate_limit_exceeded',
          /slow down/,
        ],
        ['500', answer(500, openAiError('oops')), OpenAI.InternalServerError, 502, 'provider_failed', /status 500/],
        [
          '503',
          answer(503, 'busy', { 'content-type': 'text/plain' }),
          OpenAI.InternalServerError,
          503,
          'provider_overloaded',
          /overloaded/,
        ],
        [
          'HTML with status 200',
          answer(200, '<html>hello</html>', { 'content-type': 'text/html' }),
          OpenAI.InternalServerError,
          502,
          'provider_failed',
          /not an answer of its API/,
        ],
        [
          'HTML with status 502',
          answer(502, '<html>bad</html>', { 'content-type': 'text/html' }),
          OpenAI.InternalServerError,
          502,
          'provider_failed',
          /status 502/,
        ],
        [
          'an error inside a 200',
          answer(200, openAiError('gone wrong')),
          OpenAI.InternalServerError,
          502,
          'provider_failed',
          /gone wrong/,
        ],
      ])('tells the caller about %s', async (...row) => {
        const [, script, errorClass, status, code, message] = row;
        for (const streamed of [false, true]) {
          vendor.always(script);

          const failing = client.chat.completions.create({ model: freshTarget(), messages, stream: streamed });

          const error = await failing.then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          expect(error).toBeInstanceOf(errorClass);
          expect(error).toMatchObject({ status, code, message: expect.stringMatching(message) });
          expect(JSON.stringify(error)).not.toContain(secret);
        }
      });

      test('passes Retry-After on', async () => {
        vendor.always(answer(429, openAiError('slow down'), { 'retry-after': '30' }));

        const response = await post({ model: freshTarget(), messages });

        expect(response.headers.get('retry-after')).toBe('30');
        expect(vendor.seen).toHaveLength(1);
      });

      test.each([
        ['says nothing at all', silence],
        ['sends only pings and a role', stream(': ping\n\n', role, () => new Promise(() => {}))],
      ])('gives up on a vendor that %s', async (_, script) => {
        vendor.always(script);

        const failing = client.chat.completions.create({ model: 'impatient', messages, stream: true });

        await expect(failing).rejects.toMatchObject({ status: 504, code: 'provider_timeout' });
        expect(vendor.seen).toHaveLength(1);
      });

      test('gives up on a buffered answer at the total limit', async () => {
        vendor.always(silence);

        const failing = client.chat.completions.create({ model: 'impatient', messages });

        await expect(failing).rejects.toMatchObject({ status: 504, code: 'provider_timeout' });
      });

      test.each([
        ['an error event', [event({ error: { message: 'melted', code: 502 } })], 'provider_failed', /melted/],
        ['a cut', [(response: { destroy(): void }) => response.destroy()], 'provider_failed', /connection/],
        ['an end without a finish', [], 'provider_failed', /middle of the answer/],
        ['silence', [() => new Promise<void>(() => {})], 'provider_timeout', /further event/],
      ])('ends a running stream with an error event after %s', async (_, failure, code, message) => {
        vendor.always(stream(role, chunk({ content: said }), ...failure));
        const received: string[] = [];

        const reading = (async () => {
          const running = await client.chat.completions.create({ model: 'impatient', messages, stream: true });
          for await (const part of running) received.push(part.choices[0]?.delta.content ?? '');
        })();

        await expect(reading).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
        expect(received.join('')).toBe(said);
      });

      test('asks the next target when the first one fails, without the caller noticing', async () => {
        for (const script of [
          answer(503, 'no'),
          answer(404, 'no'),
          stream(role, event({ error: { message: 'x' } })),
          stream(role),
        ]) {
          vendor.always(script);
          other.always(stream(role, chunk({ content: 'rescued' }), chunk({}, 'stop'), done));

          const { data, response } = await client.chat.completions
            .create({ model: 'two', messages, stream: true })
            .withResponse();

          let text = '';
          for await (const part of data) text += part.choices[0]?.delta.content ?? '';
          expect(text).toBe('rescued');
          expect(response.headers.get('x-sluice-provider')).toBe('other');
        }
      });

      test('reaches for the fallback model when no target can be connected to', async () => {
        const { data, response } = await client.chat.completions
          .create({ model: 'with-fallback', messages })
          .withResponse();

        expect(data.choices[0]?.message.content).toBe(said);
        expect(response.headers.get('x-sluice-provider')).toBe('scripted');
      });

      test('says that a vendor cannot be connected to', async () => {
        const failing = client.chat.completions.create({ model: 'closed/model-1', messages });

        await expect(failing).rejects.toMatchObject({ status: 502, code: 'provider_failed' });
      });

      test.each([
        ['a server error once', answer(500, 'oops')],
        ['a reset connection', ((_, response) => void response.destroy()) as ReturnType<typeof answer>],
      ])('asks the same target again after %s', async (_, script) => {
        vendor.next(script);

        const result = await client.chat.completions.create({ model: 'one', messages });

        expect(result.choices[0]?.message.content).toBe(said);
        expect(vendor.seen).toHaveLength(2);
      });

      test.each([401, 429])('uses another key of the provider after %d', async (status) => {
        const refused = new Set<string | undefined>();
        vendor.always((request, response) => {
          refused.add(request.headers.authorization);
          const script = refused.size === 1 ? answer(status, openAiError('no')) : answer(200, completion(said));
          return script(request, response);
        });

        const result = await client.chat.completions.create({ model: `keys-${status}/model-1`, messages });

        expect(result.choices[0]?.message.content).toBe(said);
      });
    });

    describe('its log', () => {
      afterEach(() => expect(gateway.logs()).not.toBe(''));

      test('has a line for the request, and never a prompt, an answer or a secret', async () => {
        const { response } = await client.chat.completions.create({ model: 'one', messages }).withResponse();

        const id = response.headers.get('x-request-id') ?? 'none';
        const line = await logged(gateway, id);
        expect(JSON.parse(line)).toMatchObject({
          event: 'RequestCompleted',
          status: 200,
          requestModel: 'one',
          responseModel: 'model-1-dated',
          usage: { inputTokens: 5, outputTokens: 2, cacheReadInputTokens: 3 },
          finishReason: 'stop',
          attempts: [{ provider: 'scripted', model: 'model-1', outcome: 'answered' }],
        });
        for (const canary of [prompt, said, secret, apiKey, limitedKey]) expect(gateway.logs()).not.toContain(canary);
      });

      test.each([false, true])('holds nothing of what is said, whatever is called (streamed: %s)', async (streamed) => {
        const scripts = canaryScripts(streamed, secret);
        let count = 0;
        let last: Response | undefined;
        for (const { path, query = '', body } of canaryRequests(streamed)) {
          for (const [what, script] of Object.entries(scripts)) {
            // Those that take a second try take a pause before it; one of them is enough here.
            if (/50[03]|429/.test(what)) continue;
            vendor.always(script);
            const headers = {
              ...canaryHeaders,
              'idempotency-key': `${canaries.idempotencyKey} ${streamed} ${++count}`,
              'x-sluice-metadata': 'enabled',
              'x-sluice-on-stream-failure': 'resume',
            };
            last = await post(body, headers, `${path}?${query}`);
            const text = await last.text();
            if (what === 'success') expect(text).toContain(said);
            expect(text).not.toContain(secret);
            expect(JSON.stringify([...last.headers])).not.toContain(canary);
          }
        }

        await logged(gateway, last?.headers.get('x-request-id') ?? 'none');
        // The local stack hides secrets in what it prints; here they must not even get there.
        const found = [canary, '***', apiKey].filter((unwanted) => gateway.logs().includes(unwanted));
        expect(found).toEqual([]);
      });

      test('holds metrics that CloudWatch can read', async () => {
        const { response } = await client.chat.completions.create({ model: 'one', messages }).withResponse();

        const line = await logged(gateway, response.headers.get('x-request-id') ?? 'none');
        expect(emittedMetrics(line)).toContainEqual({
          name: 'gen_ai.usage.output_tokens',
          value: 2,
          dimensions: { provider: 'scripted', model: 'model-1' },
        });
      });
    });
  });
}

/** Waits for the line of a request; it is written after the caller has its answer. */
async function logged(gateway: RunningGateway, requestId: string): Promise<string> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const line = gateway
      .logs()
      .split('\n')
      .find((candidate) => candidate.includes(requestId) && candidate.includes('"RequestCompleted"'));
    if (line) return line.slice(line.indexOf('{'));
    if (Date.now() > deadline) throw new Error(`No line for ${requestId}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
