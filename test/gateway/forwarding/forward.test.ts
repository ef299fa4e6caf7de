import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ProviderConfig, recordByName } from '../../../lambda/config/snapshot.ts';
import { endpointNames } from '../../../lambda/dialects/vendor-endpoint.ts';
import { BrokenAnswerError, type GatewayRequest } from '../../../lambda/gateway/exchange.ts';
import { catalogue } from '../../../lambda/providers/catalogue.ts';
import { vendorEndpoints } from '../../../lambda/providers/catalogue-endpoints.ts';
import type { AttemptSample } from '../../../lambda/routing/attempt-sample.ts';
import { createTelemetry } from '../../../lambda/telemetry/telemetry.ts';
import { chatRequest, closeCores, collectingSink, handled, vendorSecret } from '../../support/core.ts';
import { answer, event, stream } from '../../support/scripted-vendor.ts';
import { aSnapshot } from '../../support/snapshots.ts';
import { suiteVendor } from '../../support/suite-vendor.ts';

const vendor = suiteVendor();
const list = { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.5] }] };
const embedded = { ...list, model: 'm-dated', usage: { prompt_tokens: 5, total_tokens: 5 } };

beforeEach(() => {
  vendor.always(answer(200, embedded));
});
afterEach(closeCores);

/** One provider of each type, all listening where the scripted vendor does. */
function snapshot(more: Record<string, Partial<ProviderConfig>> = {}) {
  const providers = catalogue.map(({ name }): [string, ProviderConfig] => [name, { type: name, baseUrl: vendor.url }]);
  const others = Object.entries(more).map(([name, fields]): [string, ProviderConfig] => [
    name,
    { type: 'openai-compatible', baseUrl: vendor.url, ...fields },
  ]);
  const targets = [
    { provider: 'deepseek', model: 'no-embedder', weight: 1 },
    { provider: 'openai', model: 'embedder', weight: 1 },
  ];
  return aSnapshot({
    providers: recordByName([...providers, ...others]),
    models: recordByName([['two', { targets, strategy: 'priority', fallbacks: [], timeouts: {} }]]),
  });
}

function ask(endpoint: string, body: unknown, request: Partial<GatewayRequest> = {}) {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return handled(snapshot(), chatRequest({}, { path: `/v1/${endpoint}`, body: bytes, ...request }));
}

const embeddings = (fields: object) => ask('embeddings', { input: 'hi', ...fields });

describe('a request that is no conversation', () => {
  test('is measured as such, so that nobody probes its target by one', async () => {
    const samples: AttemptSample[] = [];
    const deps = { measure: (sample: AttemptSample) => void samples.push(sample) };
    const body = Buffer.from(JSON.stringify({ model: 'openai/embedder', input: 'hi' }));

    await handled(snapshot(), chatRequest({}, { path: '/v1/embeddings', body }), { deps });
    await handled(snapshot(), chatRequest({ model: 'openai/talker' }), { deps });

    expect(samples.map(({ target, other }) => [target, other])).toEqual([
      ['openai/embedder', true],
      ['openai/talker', undefined],
    ]);
  });

  test.each(endpointNames)(
    'goes to /%s, under the model name of the target and with the key of the vendor',
    async (name) => {
      const body = '{"seed": 12345678901234567890, "model":"openai-compatible/their/model", "x":1.0}';

      const { head, text } = await ask(name, body);

      const [seen] = vendor.seen;
      expect(head?.status).toBe(200);
      expect(JSON.parse(text)).toEqual(embedded);
      expect(seen).toMatchObject({ method: 'POST', path: `/v1/${name}` });
      expect(seen?.text).toBe('{"seed": 12345678901234567890, "model":"their/model", "x":1.0}');
      expect(seen?.headers.authorization).toBe(`Bearer ${vendorSecret}`);
    },
  );

  test('is answered without /v1 too, and with the bytes of the vendor', async () => {
    const text = '{ "data":[], "n": 1.50, "usage":{"prompt_tokens":7,"total_tokens":7} }\n';
    vendor.always(answer(200, text));

    const answered = await ask('', { model: 'openai/e', input: 'hi' }, { path: '/embeddings' });

    expect(answered.text).toBe(text);
    expect(answered.line).toMatchObject({
      operation: 'embeddings',
      provider: 'openai',
      usage: { inputTokens: 7, outputTokens: 0 },
    });
  });

  test('is asked of the next target where a vendor does not offer it', async () => {
    const { head, line } = await embeddings({ model: 'two' });

    expect(head?.headers['x-sluice-provider']).toBe('openai');
    expect(line.attempts).toMatchObject([{ outcome: 'not_offered' }, { outcome: 'answered' }]);
  });

  test('is refused with the name of the vendor that does not offer it', async () => {
    const { head, text } = await embeddings({ model: 'anthropic/claude' });

    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error).toMatchObject({
      code: 'invalid_request',
      param: 'model',
      message: expect.stringMatching(/anthropic offers no embeddings with anthropic\/claude/),
    });
    expect(vendor.seen).toHaveLength(0);
  });

  test.each([
    ['unreadable JSON', '{"model"', /not a JSON object/],
    ['no body', '', /no body/],
    ['no model', { input: 'hi' }, /"model" is missing/],
    ['a model that is no string', { model: 1 }, /must be a string/],
  ])('is refused with %s', async (_, body, message) => {
    const { head, text } = await ask('embeddings', body);

    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error).toMatchObject({ code: 'invalid_request', message: expect.stringMatching(message) });
  });

  test.each([
    [400, { error: { message: 'bad words', code: 'c' } }, 400, 'c'],
    [429, { error: { message: 'bad words' } }, 429, 'rate_limit_exceeded'],
    [500, 'oops', 502, 'provider_failed'],
    [200, { error: { message: 'bad words', code: 429 } }, 429, 'rate_limit_exceeded'],
    [200, 'no JSON', 502, 'provider_failed'],
  ])('tells of %d %j as %d %s', async (...row) => {
    const [status, body, expected, code] = row;
    vendor.always(answer(status, body));

    const { head, text } = await embeddings({ model: 'openai/e' });

    expect(head?.status).toBe(expected);
    expect(JSON.parse(text).error.code).toBe(code);
  });

  test('is tried again after a hitch of the vendor', async () => {
    vendor.next(answer(500, 'oops'));

    const { head, line } = await embeddings({ model: 'openai/e' });

    expect(head?.status).toBe(200);
    expect(line.attempts).toMatchObject([{ outcome: 'server_error' }, { outcome: 'answered', retry: 'same_key' }]);
  });

  test('must be allowed to the key', async () => {
    const findCaller = async () => ({ label: 'limited', models: ['openai/allowed'] });
    const limited = (model: string) =>
      handled(
        snapshot(),
        chatRequest({}, { path: '/v1/embeddings', body: Buffer.from(JSON.stringify({ model, input: 'a' })) }),
        { deps: { findCaller } },
      );

    expect((await limited('openai/other')).head?.status).toBe(403);
    expect((await limited('openai/allowed')).head?.status).toBe(200);
  });
});

describe('paths of vendors', () => {
  test.each([
    ['azure-openai', undefined, '/v1/openai/deployments/prod-e/embeddings?api-version=2024-10-21', 'prod-e'],
    ['azure-openai', 'v1', '/v1/openai/v1/embeddings', 'prod-e'],
    ['openrouter', undefined, '/v1/embeddings', 'e'],
  ])('%s in version %s has embeddings at %s', async (type, apiVersion, path, model) => {
    const deployments = type === 'azure-openai' ? { deployments: { e: 'prod-e' } } : {};
    const provider = { type, ...deployments, ...(apiVersion ? { apiVersion } : {}) };

    await handled(
      snapshot({ mine: provider }),
      chatRequest({}, { path: '/v1/embeddings', body: Buffer.from('{"model":"mine/e","input":"hi"}') }),
    );

    expect(vendor.seen[0]?.path).toBe(path);
    expect(vendor.seen[0]?.body['model']).toBe(model);
  });

  test('belong to vendors of the catalogue', () => {
    const known = catalogue.filter(({ name }) => Object.keys(vendorEndpoints(name, undefined)).length > 0);

    expect(known.map(({ name }) => name)).toContain('openai');
    for (const { name } of known) {
      for (const offer of Object.values(vendorEndpoints(name, undefined)).flat()) {
        expect(typeof offer === 'string' ? offer : offer.path).toMatch(/^\//);
      }
    }
  });
});

describe('answers that are no JSON', () => {
  const audio = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));

  test('pass byte by byte while the vendor is still sending', async () => {
    const sink = collectingSink();
    let heard = () => {};
    const { write } = sink;
    sink.write = (bytes) => {
      heard();
      return write(bytes);
    };
    const waited = () =>
      new Promise<void>((resolve) => {
        heard = resolve;
      });
    vendor.always(async (_, response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      const first = waited();
      response.write(audio.subarray(0, 10));
      await first;
      response.end(audio.subarray(10));
    });

    const body = Buffer.from('{"model":"openai/tts","input":"hi","voice":"alloy"}');
    const { head, line } = await handled(snapshot(), chatRequest({}, { path: '/v1/audio/speech', body }), { sink });

    expect(head).toMatchObject({ status: 200, headers: { 'content-type': 'audio/mpeg' } });
    expect(sink.bytes().equals(audio)).toBe(true);
    expect(line).toMatchObject({ operation: 'audio/speech', status: 200 });
  });

  test('are broken off when the vendor breaks off, so that nobody takes them for whole', async () => {
    vendor.always(async (_, response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      await new Promise((resolve) => response.write(audio.subarray(0, 10), resolve));
      response.destroy();
    });
    const sink = collectingSink();
    const lines: string[] = [];
    const telemetry = createTelemetry({ namespace: 'Test', write: (line) => void lines.push(line), now: Date.now });
    const body = Buffer.from('{"model":"openai/tts"}');
    const receivedAtMs = Date.now() - 600_000;

    const handling = handled(snapshot(), chatRequest({}, { path: '/v1/audio/speech', body, receivedAtMs }), {
      sink,
      deps: { telemetry },
    });

    await expect(handling).rejects.toBeInstanceOf(BrokenAnswerError);
    expect(sink.ended).toBe(false);
    const told = lines.map((line) => JSON.parse(line));
    expect(told).toMatchObject([{ event: 'AnswerCutOff' }, { event: 'RequestCompleted', faultDomain: 'provider' }]);
    // As Lambda counts the failed invocation: when the request came. And no second time as a fault of the gateway.
    expect(told[0]).toMatchObject({ 'sluice.answers.cut_off': 1, _aws: { Timestamp: receivedAtMs } });
    expect(told[1]).not.toHaveProperty('sluice.errors.gateway');
  });

  test('are nothing when nothing comes', async () => {
    vendor.always((_, response) => void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end());

    const { head } = await ask('audio/speech', { model: 'openai/tts' });

    expect(head?.status).toBe(502);
  });

  test('pass as events, whose usage is read along', async () => {
    const events = [
      event({ type: 'image_generation.partial_image', b64_json: 'x'.repeat(2_000_000) }),
      event({
        type: 'image_generation.completed',
        b64_json: 'y'.repeat(2_000_000),
        usage: { input_tokens: 5, output_tokens: 9, total_tokens: 14, input_tokens_details: { text_tokens: 5 } },
      }),
    ];
    vendor.always(stream(...events));

    const { text, line, head } = await ask('images/generations', { model: 'openai/image', stream: true });

    expect(head?.headers['content-type']).toBe('text/event-stream');
    expect(text).toBe(events.join(''));
    expect(line).toMatchObject({ stream: true, usage: { inputTokens: 5, outputTokens: 9 } });
  });

  test('fail over while only an error event has come', async () => {
    vendor.always(stream(event({ type: 'image_generation.completed' })));
    vendor.next(stream(`event: error\n${event({ type: 'error', error: { message: 'no', code: 'server_error' } })}`));

    const { head, line } = await ask('images/generations', { model: 'openai/image', stream: true });

    expect(head?.status).toBe(200);
    expect(line.attempts).toMatchObject([{ outcome: 'server_error' }, { outcome: 'answered' }]);
  });

  test('end with an error event when the vendor breaks off', async () => {
    vendor.always(stream(event({ type: 'partial' }), (response) => void response.destroy()));

    const { text, line } = await ask('images/generations', { model: 'openai/image', stream: true });

    expect(text).toMatch(/^data: \{"type":"partial"\}\n\ndata: \{"error":\{.*provider_failed/);
    expect(line).toMatchObject({ errorCode: 'provider_failed' });
  });

  test('pass though they are longer than what is kept of them', async () => {
    const long = JSON.stringify({
      data: [{ b64_json: 'z'.repeat(3_000_000) }],
      usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
    });
    vendor.always(answer(200, long));

    const { text, line } = await ask('images/generations', { model: 'openai/image' });

    expect(text === long).toBe(true);
    expect(line.usage).toMatchObject({ inputTokens: 3, outputTokens: 4 });
  });
});

describe('forms', () => {
  const boundary = 'xYz';
  const file = Buffer.from([0, 255, 13, 10, 45, 45, 128]);
  const form = (model: string) =>
    Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n`),
      file,
      Buffer.from(
        `\r\n--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n--${boundary}--\r\n`,
      ),
    ]);
  const contentType = `multipart/form-data; boundary=${boundary}`;
  const headers = { authorization: 'Bearer key', 'content-type': contentType };

  test('name their model, and keep every other byte', async () => {
    vendor.always(answer(200, { text: 'hello', usage: { type: 'tokens', input_tokens: 2, output_tokens: 3 } }));

    const { text, line } = await ask('audio/transcriptions', form('openai/whisper-1'), { headers });

    expect(vendor.seen[0]?.bytes.equals(form('whisper-1'))).toBe(true);
    expect(vendor.seen[0]?.headers['content-type']).toBe(contentType);
    expect(JSON.parse(text).text).toBe('hello');
    expect(line).toMatchObject({ requestModel: 'openai/whisper-1', usage: { inputTokens: 2, outputTokens: 3 } });
  });

  test('are refused when they cannot be read', async () => {
    const { head, text } = await ask('audio/transcriptions', form('m').subarray(0, 80), { headers });

    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error.message).toMatch(/form cannot be read/);
  });

  test('have answers in plain text, too', async () => {
    vendor.always((_, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end('WEBVTT'));

    const { text, head } = await ask('audio/transcriptions', form('groq/whisper'), { headers });

    expect(text).toBe('WEBVTT');
    expect(head?.headers['content-type']).toBe('text/plain');
  });
});
