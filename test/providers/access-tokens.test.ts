import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type AccessTokens, createAccessTokens } from '../../lambda/providers/access-tokens.ts';
import { readGoogleKey, type ServiceAccount } from '../../lambda/providers/service-account.ts';
import { createUpstream } from '../../lambda/providers/upstream.ts';
import { answer, type ScriptedVendor, startScriptedVendor } from '../support/scripted-vendor.ts';
import { serviceAccountJson } from '../support/service-account.ts';

let google: ScriptedVendor;
const upstream = createUpstream();
let nowMs: number;
let tokens: AccessTokens;

beforeAll(async () => {
  google = await startScriptedVendor();
});
beforeEach(() => {
  nowMs = 1_000_000;
  google.seen.length = 0;
  google.always((_, response) => {
    const body = { access_token: `token-${google.seen.length}`, expires_in: 3600, token_type: 'Bearer' };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  tokens = createAccessTokens({ upstream, now: () => nowMs });
});
afterAll(() => {
  upstream.close();
  return google.close();
});

function account(fields: object = {}): ServiceAccount {
  const key = readGoogleKey(serviceAccountJson(`${new URL(google.url).origin}/token`, fields));
  if (key.kind !== 'service-account') throw new Error('No service account');
  return key.account;
}

describe('a token', () => {
  test('is asked for once, however many wait for it', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => tokens.get(account())));

    expect(new Set(all.map(({ token }) => token))).toEqual(new Set(['token-1']));
    expect(google.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /token']);
  });

  test('serves until a minute before its end', async () => {
    await tokens.get(account());
    nowMs += 3_539_000;
    expect((await tokens.get(account())).token).toBe('token-1');
    nowMs += 1_000;
    expect((await Promise.all([tokens.get(account()), tokens.get(account())])).map(({ token }) => token)).toEqual([
      'token-2',
      'token-2',
    ]);
  });

  test('that was refused is forgotten, unless another has taken its place', async () => {
    const first = await tokens.get(account());
    tokens.forget(account(), first);
    const second = await tokens.get(account());
    tokens.forget(account(), first);

    expect((await tokens.get(account())).token).toBe(second.token);
    expect(second.token).toBe('token-2');
  });

  test('belongs to one key of one account', async () => {
    await tokens.get(account());

    expect((await tokens.get(account({ private_key_id: 'key-2' }))).token).toBe('token-2');
  });

  test('that is refused is asked for again the next time', async () => {
    google.next(answer(400, { error: 'invalid_grant', error_description: 'canary' }));

    await expect(tokens.get(account())).rejects.toMatchObject({
      status: 400,
      message: 'The token endpoint refused the service account: invalid_grant',
    });
    expect((await tokens.get(account())).token).toBe('token-2');
  });
});
