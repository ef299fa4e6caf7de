import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI, { toFile } from 'openai';
import { answer, event, type ScriptedVendor, startScriptedVendor, stream } from './scripted-vendor.ts';
import type { GatewayOptions, RunningGateway } from './serve-process.ts';

const apiKey = 'sk-test-of-the-caller';
const prompt = 'canary-prompt';
const secret = 'canary-vendor-secret';

function configFor({ url }: ScriptedVendor): object {
  const types = ['openai', 'cohere', 'anthropic', 'groq', 'openai-compatible'];
  const providers = Object.fromEntries(types.map((type) => [type, { type, baseUrl: url }]));
  const studio = { type: 'google-ai-studio', baseUrl: url.replace('/v1', '/v1beta') };
  const models = {
    embedder: ['cohere/embed-v4.0'],
    image: ['deepseek/x', 'openai/gpt-image-1'],
    claude: ['anthropic/claude-x'],
  };
  return {
    providers: { ...providers, 'google-ai-studio': studio },
    models: Object.fromEntries(
      Object.entries(models).map(([name, targets]) => [name, { targets, strategy: 'priority' }]),
    ),
    secrets: Object.fromEntries([...types, 'google-ai-studio', 'deepseek'].map((type) => [type, secret])),
  };
}

/** What every host must do with what is no conversation, seen through the official SDKs. */
export function describeEndpoints(name: string, start: (options: GatewayOptions) => Promise<RunningGateway>): void {
  describe(`${name}, beside conversations`, () => {
    let vendor: ScriptedVendor;
    let gateway: RunningGateway;
    let openai: OpenAI;
    let anthropic: Anthropic;

    beforeAll(async () => {
      vendor = await startScriptedVendor();
      gateway = await start({ config: configFor(vendor), apiKey });
      openai = new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
      anthropic = new Anthropic({ apiKey, baseURL: gateway.url, maxRetries: 0 });
    }, 60_000);

    afterAll(async () => {
      await gateway?.close();
      await vendor.close();
    });

    beforeEach(() => {
      vendor.seen.length = 0;
    });

    describe("OpenAI's SDK", () => {
      test('has embeddings, of a vendor with a form of its own too', async () => {
        vendor.always(answer(200, { embeddings: { float: [[0.5, -1]] }, meta: { billed_units: { input_tokens: 3 } } }));

        const { data, usage } = await openai.embeddings.create({ model: 'embedder', input: prompt });

        expect(data[0]?.embedding).toEqual([0.5, -1]);
        expect(usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
        expect(vendor.seen[0]).toMatchObject({ path: '/v1/embed', body: { texts: [prompt] } });
      });

      test('has pictures, of the target that offers them, and edits them in a form with a file', async () => {
        vendor.always(answer(200, { created: 1, data: [{ b64_json: 'eA==' }] }));
        const picture = Buffer.from([137, 80, 78, 71, 13, 10, 0, 255]);

        const made = await openai.images.generate({ model: 'image', prompt });
        const image = await toFile(picture, 'a.png', { type: 'image/png' });
        const edited = await openai.images.edit({ model: 'image', image, prompt });

        expect([made, edited].map(({ data }) => data?.[0]?.b64_json)).toEqual(['eA==', 'eA==']);
        expect(vendor.seen[0]).toMatchObject({ path: '/v1/images/generations', body: { model: 'gpt-image-1' } });
        expect(vendor.seen[1]?.bytes.includes(picture)).toBe(true);
        expect(vendor.seen[1]?.text).toContain('\r\n\r\ngpt-image-1\r\n');
      });

      test('has pictures that come as events, while the vendor is still sending', async () => {
        let proceed = () => {};
        const gate = () =>
          new Promise<void>((resolve) => {
            proceed = resolve;
          });
        const partial = { type: 'image_generation.partial_image', partial_image_index: 0, b64_json: 'eA==' };
        const usage = { input_tokens: 1, output_tokens: 2, total_tokens: 3 };
        vendor.always(
          stream(event(partial), gate, event({ type: 'image_generation.completed', b64_json: 'eQ==', usage })),
        );
        const types: string[] = [];

        const events = await openai.images.generate({ model: 'image', prompt, stream: true, partial_images: 1 });
        for await (const one of events) {
          types.push(one.type);
          proceed();
        }

        expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed']);
      });

      test('has transcriptions of a file', async () => {
        const sound = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256));
        vendor.always(answer(200, { text: 'hello', usage: { type: 'duration', seconds: 3 } }));

        const file = await toFile(sound, 'a.wav', { type: 'audio/wav' });
        const { text } = await openai.audio.transcriptions.create({ model: 'groq/whisper-large-v3', file });

        expect(text).toBe('hello');
        expect(vendor.seen[0]?.path).toBe('/v1/audio/transcriptions');
        expect(vendor.seen[0]?.bytes.includes(sound)).toBe(true);
        expect(vendor.seen[0]?.text).toContain('\r\n\r\nwhisper-large-v3\r\n');
        expect(vendor.seen[0]?.headers.authorization).toBe(`Bearer ${secret}`);
      });

      test('has speech, byte by byte', async () => {
        const sound = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 256));
        vendor.always((_, response) => void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(sound));

        const speech = await openai.audio.speech.create({ model: 'openai/tts-1', input: prompt, voice: 'alloy' });

        expect(speech.headers.get('content-type')).toBe('audio/mpeg');
        expect(Buffer.from(await speech.arrayBuffer()).equals(sound)).toBe(true);
      });

      test('hears when speech breaks off', async () => {
        vendor.always(async (_, response) => {
          response.writeHead(200, { 'content-type': 'audio/mpeg' });
          await new Promise((resolve) => response.write(Buffer.alloc(1000), resolve));
          response.destroy();
        });

        const speech = await openai.audio.speech.create({ model: 'openai/tts-1', input: prompt, voice: 'alloy' });

        await expect(speech.arrayBuffer()).rejects.toThrow();
      });

      test('has moderations, and true errors', async () => {
        vendor.next(answer(400, { error: { message: 'bad words', type: 't', param: 'input', code: 'c' } }));
        const ask = () => openai.moderations.create({ model: 'openai/omni-moderation-latest', input: prompt });

        await expect(ask()).rejects.toMatchObject({ status: 400, code: 'c', param: 'input' });
        vendor.always(answer(200, { id: 'm', model: 'omni', results: [{ flagged: false }] }));
        expect((await ask()).results[0]?.flagged).toBe(false);
        await expect(openai.moderations.create({ model: 'groq/x', input: prompt })).rejects.toMatchObject({
          status: 400,
          message: expect.stringContaining('groq offers no moderations'),
        });
      });

      test("reaches a vendor's own API under the name of the provider", async () => {
        vendor.always(answer(200, { object: 'list', data: [{ id: 'file-1', object: 'file' }], has_more: false }));
        const own = new OpenAI({ apiKey, baseURL: `${gateway.url}/openai/v1`, maxRetries: 0 });

        const files = await own.files.list();
        const deleted = own.files.delete('file-1');

        expect(files.data[0]?.id).toBe('file-1');
        await deleted;
        expect(vendor.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
          'GET /v1/files',
          'DELETE /v1/files/file-1',
        ]);
        expect(JSON.stringify(vendor.seen[0]?.headers)).not.toContain(apiKey);
      });
    });

    describe("Anthropic's SDK", () => {
      test('lists and describes models', async () => {
        const ids: string[] = [];
        for await (const model of anthropic.models.list({ limit: 2 })) ids.push(model.id);

        expect(ids.sort()).toEqual(['claude', 'embedder', 'image']);
        expect(await anthropic.models.retrieve('claude')).toMatchObject({ id: 'claude', type: 'model' });
        await expect(anthropic.models.retrieve('none')).rejects.toBeInstanceOf(Anthropic.NotFoundError);
      });

      test('counts tokens', async () => {
        vendor.always(answer(200, { input_tokens: 14 }));
        const messages = [{ role: 'user' as const, content: prompt }];

        const counted = await anthropic.messages.countTokens({ model: 'claude', messages });
        const estimated = await anthropic.messages.countTokens({ model: 'groq/llama', messages }).withResponse();

        expect(counted.input_tokens).toBe(14);
        expect(estimated.data.input_tokens).toBeGreaterThan(0);
        expect(estimated.response.headers.get('x-sluice-estimated')).toBe('true');
      });

      test("reaches the vendor's own API, and hears its errors", async () => {
        const own = new Anthropic({ apiKey, baseURL: `${gateway.url}/anthropic`, maxRetries: 0 });
        vendor.always(answer(529, { type: 'error', error: { type: 'overloaded_error', message: 'busy' } }));

        const failing = own.messages.batches.list();

        await expect(failing).rejects.toMatchObject({ status: 529, message: expect.stringContaining('busy') });
        expect(vendor.seen[0]).toMatchObject({ method: 'GET', path: '/v1/messages/batches' });
      });
    });

    test("Google's SDK lists models, and embeds by the vendor's own API", async () => {
      vendor.always(answer(200, { embeddings: [{ values: [0.25] }] }));
      const talk = JSON.stringify({ url: gateway.url, apiKey, model: 'gemini-embedding-001' });

      const { stdout } = await promisify(execFile)(process.execPath, ['test/support/gemini-reader.ts', talk]);

      const { names, one, vector } = JSON.parse(stdout);
      expect(names.sort()).toEqual(['models/claude', 'models/embedder', 'models/image']);
      expect(one).toMatch(/^models\//);
      expect(vector).toEqual([0.25]);
      expect(vendor.seen[0]?.path).toBe('/v1beta/models/gemini-embedding-001:batchEmbedContents');
      expect(vendor.seen[0]?.headers['x-goog-api-key']).toBe(secret);
    });

    test("a vendor's own API streams live, with its status and headers", async () => {
      let proceed = () => {};
      const gate = () =>
        new Promise<void>((resolve) => {
          proceed = resolve;
        });
      vendor.always(async (_, response) => {
        response.writeHead(202, { 'content-type': 'text/plain', 'x-own': 'kept', 'set-cookie': 'a=b' });
        response.write('first');
        await gate();
        response.end('second');
      });

      const response = await fetch(`${gateway.url}/openai-compatible/runs?key=x&a=b`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${apiKey}` },
        body: 'body',
      });
      const pieces: string[] = [];
      for await (const piece of response.body ?? []) {
        pieces.push(Buffer.from(piece).toString());
        proceed();
      }

      expect(pieces).toEqual(['first', 'second']);
      expect(response.status).toBe(202);
      expect(response.headers.get('x-own')).toBe('kept');
      expect(response.headers.get('set-cookie')).toBeNull();
      expect(vendor.seen[0]).toMatchObject({ method: 'PUT', path: '/v1/runs?a=b', text: 'body' });
    });

    test('HEAD is answered where GET is', async () => {
      const answers = await Promise.all(
        ['/health', '/v1/models', '/v1/models/claude'].map((path) =>
          fetch(gateway.url + path, { method: 'HEAD', headers: { 'x-api-key': apiKey } }),
        ),
      );

      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(await answers[1]?.text()).toBe('');
    });

    test('its log holds neither prompts nor keys', () => {
      expect(gateway.logs()).toContain('"operation":"audio/speech"');
      for (const canary of [prompt, secret, apiKey]) expect(gateway.logs()).not.toContain(canary);
    });
  });
}
