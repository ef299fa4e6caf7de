import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { recordByName } from '../../../lambda/config/snapshot.ts';
import type { GatewayRequest } from '../../../lambda/gateway/exchange.ts';
import { chatRequest, closeCores, handled } from '../../support/core.ts';
import { aSnapshot } from '../../support/snapshots.ts';

afterEach(closeCores);
afterAll(closeCores);

const names = ['a', 'b', 'c', 'd', 'secret-one'];
const model = { targets: [{ provider: 'openai', model: 'm', weight: 1 }], strategy: 'priority' as const };
const snapshot = aSnapshot({
  models: recordByName(names.map((name) => [name, { ...model, fallbacks: [], timeouts: {} }])),
});

async function get(path: string, query = '', headers: Record<string, string> = {}, more: Partial<GatewayRequest> = {}) {
  const findCaller = async () => ({ label: 'limited', models: ['?', 'a', 'b', 'c', 'd', 'openai/*'] });
  const request = { method: 'GET', path, query, headers: { 'x-api-key': 'k', ...headers }, ...more };
  const { head, text } = await handled(snapshot, chatRequest({}, request), { deps: { findCaller } });
  return { status: head?.status, body: text === '' ? undefined : JSON.parse(text) };
}

const claude = { 'anthropic-version': '2023-06-01' };

describe('models in the manner of Anthropic', () => {
  const list = async (query: string) => {
    const { body } = await get('/v1/models', query, claude);
    return { ...body, data: body.data.map(({ id }: { id: string }) => id) };
  };

  test('come to callers who send its version', async () => {
    const { body } = await get('/v1/models', '', claude);

    expect(body).toEqual({
      data: ['a', 'b', 'c', 'd'].map((id) => ({
        type: 'model',
        id,
        display_name: id,
        created_at: snapshot.compiledAt,
      })),
      has_more: false,
      first_id: 'a',
      last_id: 'd',
    });
    expect((await get('/v1/models')).body.object).toBe('list');
  });

  test.each([
    ['limit=2', ['a', 'b'], true],
    ['limit=2&after_id=b', ['c', 'd'], false],
    ['limit=3&after_id=a', ['b', 'c', 'd'], false],
    ['limit=2&before_id=d', ['b', 'c'], true],
    ['limit=2&before_id=c', ['a', 'b'], false],
    ['after_id=d', [], false],
  ])('come in pages: %s', async (query, data, hasMore) => {
    expect(await list(query)).toEqual({
      data,
      has_more: hasMore,
      first_id: data[0] ?? null,
      last_id: data.at(-1) ?? null,
    });
  });

  test.each(['limit=0', 'limit=x', 'limit=1001', 'after_id=secret-one', 'before_id=zzz'])(
    'are refused with %s',
    async (query) => {
      const { status, body } = await get('/v1/models', query, claude);

      expect(status).toBe(400);
      expect(body).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    },
  );

  test('are described one by one, under any name that a request may carry', async () => {
    expect((await get('/v1/models/b', '', claude)).body).toMatchObject({ type: 'model', id: 'b' });
    expect((await get('/v1/models/openai%2Fgpt', '', claude)).body).toMatchObject({ id: 'openai/gpt' });
    expect((await get('/v1/models/secret-one', '', claude)).status).toBe(403);
    expect((await get('/v1/models/none', '', claude)).body).toMatchObject({ type: 'error' });
  });
});

describe('models in the manner of Google', () => {
  test('come in pages, each named after its collection', async () => {
    const first = await get('/v1beta/models', 'pageSize=3');
    const second = await get('/v1beta/models', `pageSize=3&pageToken=${first.body.nextPageToken}`);

    expect(first.body.models.map(({ name }: { name: string }) => name)).toEqual(['models/a', 'models/b', 'models/c']);
    expect(second.body).toEqual({
      models: [
        {
          name: 'models/d',
          version: '',
          displayName: 'd',
          supportedGenerationMethods: ['generateContent', 'streamGenerateContent'],
        },
      ],
    });
  });

  test('are described one by one', async () => {
    expect((await get('/v1beta/models/b')).body.name).toBe('models/b');
    expect((await get('/v1beta/models/openai/gpt')).body.name).toBe('models/openai/gpt');
  });

  test.each(['x-goog-api-key', 'x-goog-api-client'])('come to callers who send %s', async (name) => {
    expect((await get('/v1/models', 'pageSize=1', { [name]: 'k' })).body.models).toHaveLength(1);
  });

  test.each(['pageSize=0', 'pageToken=zzz'])('are refused with %s, in its words', async (query) => {
    const { status, body } = await get('/v1beta/models', query);

    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' });
  });
});

test.each(['/health', '/v1/models', '/v1/models/a', '/v1beta/models', '/v1beta/models/a'])(
  'HEAD %s has the head of GET, and no body',
  async (path) => {
    const { status, body } = await get(path, '', {}, { method: 'HEAD' });

    expect([status, body]).toEqual([200, undefined]);
  },
);

test('models are only read', async () => {
  expect((await get('/v1beta/models', '', {}, { method: 'POST' })).status).toBe(405);
});
