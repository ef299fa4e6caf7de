import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ProviderConfig, recordByName } from '../../lambda/config/snapshot.ts';
import { catalogue } from '../../lambda/providers/catalogue.ts';
import type { CatalogueEntry } from '../../lambda/providers/catalogue-entry.ts';
import { chatRequest, closeCores, handled } from '../support/core.ts';
import { keyHeader } from '../support/key-header.ts';
import { answer, chunk, completion, done, event, role, stream, usageChunk } from '../support/scripted-vendor.ts';
import { aSnapshot } from '../support/snapshots.ts';
import { suiteVendor } from '../support/suite-vendor.ts';

const vendor = suiteVendor();

beforeEach(() => {
  vendor.always(answer(200, completion('hello')));
});
afterEach(closeCores);

/** The entry, listening where the scripted vendor does. */
function snapshotWith(entry: CatalogueEntry) {
  const inItsPlace: ProviderConfig = { type: entry.name, baseUrl: `${new URL(vendor.url).origin}/prefix/v1` };
  return aSnapshot({ providers: recordByName([[entry.name, inItsPlace]]) });
}

/** The path that the entry's documentation gives, behind the base URL. */
function expectedPath(entry: CatalogueEntry): string {
  const path = String(entry.paths['openai-chat'])
    .replace('{deployment}', 'their%2Fmodel-1')
    .replace('{location}', '')
    .replace('{apiVersion}', entry.apiVersion ?? '');
  return `/prefix/v1${path}`;
}

describe.each(catalogue.filter(({ paths }) => paths['openai-chat']))('$name, speaking openai-chat', (entry) => {
  const ask = (fields: object = {}, headers: Record<string, string> = {}) =>
    handled(
      snapshotWith(entry),
      chatRequest(
        { model: `${entry.name}/their/model-1`, ...fields },
        { headers: { authorization: 'Bearer canary-caller-key', ...headers } },
      ),
    );

  test('is called on its path, with its key where it wants it, and under its own name of the model', async () => {
    const { head, text } = await ask({ seed: 7 });

    const [seen] = vendor.seen;
    expect(head?.status).toBe(200);
    expect(JSON.parse(text)).toEqual(completion('hello'));
    expect(`${seen?.method} ${seen?.path}`).toBe(`POST ${expectedPath(entry)}`);
    expect(seen?.body).toMatchObject({ model: 'their/model-1', seed: 7 });
    expect(seen?.headers).toMatchObject(keyHeader(entry));
  });

  test('sees no header of the caller but those with a meaning for vendors', async () => {
    await ask(
      {},
      { cookie: 'canary-cookie', 'x-api-key': 'canary-x', 'openai-organization': 'canary-o', 'openai-beta': 'b' },
    );

    expect(JSON.stringify(vendor.seen[0]?.headers)).not.toContain('canary-c');
    expect(JSON.stringify(vendor.seen[0]?.headers)).not.toMatch(/canary-[xo]/);
    expect(vendor.seen[0]?.headers['openai-beta']).toBe('b');
  });

  test('reports the usage of a stream, whether or not it can be asked for it', async () => {
    const last = chunk({}, 'stop', { usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } });
    vendor.always(
      entry.refusesStreamOptions
        ? stream(role, chunk({ content: 'a' }), last, done)
        : stream(role, chunk({ content: 'a' }), chunk({}, 'stop'), usageChunk(), done),
    );

    const { text, line } = await ask({ stream: true });

    expect(line).toMatchObject({ status: 200, finishReason: 'stop', usage: { inputTokens: 5, outputTokens: 2 } });
    expect(text).not.toContain(usageChunk());
    expect(vendor.seen[0]?.body['stream_options']).toEqual(
      entry.refusesStreamOptions ? undefined : { include_usage: true },
    );
  });

  test.each<[number, object | string, number, string]>([
    [400, { error: { message: 'bad words', type: 't', param: 'p', code: 'c' } }, 400, 'c'],
    [400, [{ error: { message: 'bad words', code: 400, status: 'INVALID_ARGUMENT' } }], 400, '400'],
    [400, { code: 'a sentence', error: 'bad words' }, 400, 'a sentence'],
    [401, { detail: 'bad words' }, 502, 'provider_failed'],
    [403, { error: { message: 'bad words' } }, 502, 'provider_failed'],
    [404, { error: { message: 'bad words' } }, 404, 'model_not_found'],
    [422, { detail: [{ loc: ['body'], msg: 'bad words' }] }, 422, 'invalid_request'],
    [429, { message: 'bad words' }, 429, 'rate_limit_exceeded'],
    [500, '<html>bad words</html>', 502, 'provider_failed'],
    [503, '', 503, 'provider_overloaded'],
    [200, { error: { message: 'bad words', code: 429 } }, 429, 'rate_limit_exceeded'],
  ])('%d %j becomes %d %s, streamed or not', async (...row) => {
    const [status, body, expected, code] = row;
    vendor.always(answer(status, body));

    for (const streamed of [false, true]) {
      const { head, text } = await ask({ stream: streamed });

      const { error } = JSON.parse(text);
      expect(head).toMatchObject({ status: expected, headers: { 'content-type': 'application/json' } });
      expect(error.code).toBe(code);
      expect(text.includes('bad words')).toBe(![401, 403, 500, 503].includes(status));
    }
  });

  test.each<[string, ReturnType<typeof stream>]>([
    ['breaks off', stream(role, chunk({ content: 'a' }), (response) => void response.destroy())],
    ['ends in the middle', stream(role, chunk({ content: 'a' }))],
    ['reports an error', stream(role, chunk({ content: 'a' }), event({ error: { message: 'melted' } }))],
  ])('says so when its stream %s', async (_, script) => {
    vendor.always(script);

    const { text, line, sink } = await ask({ stream: true });

    expect(text.startsWith(role + chunk({ content: 'a' }))).toBe(true);
    const last = JSON.parse(text.trimEnd().split('\n\n').at(-1)?.slice('data: '.length) ?? '');
    expect(last.error).toMatchObject({ code: 'provider_failed', type: 'server_error' });
    expect(text).not.toContain('[DONE]');
    expect(line).toMatchObject({ errorCode: 'provider_failed', faultDomain: 'provider' });
    expect(sink.ended).toBe(true);
  });

  test('brings the same bytes wherever its stream is cut', async () => {
    const bytes = Buffer.from(`: hi\n\n${chunk({ content: 'ü☃' })}${chunk({}, 'stop')}${done}`);
    const texts = new Set<string>();

    for (let cut = 1; cut < bytes.length; cut += 7) {
      vendor.always(stream(bytes.subarray(0, cut), bytes.subarray(cut)));
      texts.add((await ask({ stream: true })).text);
    }

    expect([...texts]).toEqual([bytes.toString()]);
  });
});

describe('the catalogue', () => {
  test('has every name and alias once', () => {
    const names = catalogue.flatMap(({ name, aliases = [] }) => [name, ...aliases]);

    expect(new Set(names).size).toBe(names.length);
  });

  test('speaks TLS to every address that is not on this machine', () => {
    for (const { baseUrl } of catalogue) {
      const { protocol, hostname } = new URL(baseUrl ?? 'https://none.example');
      expect(protocol === 'https:' || hostname === 'localhost').toBe(true);
    }
  });
});
