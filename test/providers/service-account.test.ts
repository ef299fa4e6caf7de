import { verify } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { readGoogleKey, type ServiceAccount, tokenRequestForm } from '../../lambda/providers/service-account.ts';
import { serviceAccountJson, serviceAccountPublicKey } from '../support/service-account.ts';

const google = 'https://oauth2.googleapis.com/token';

function accountOf(json: string): ServiceAccount {
  const key = readGoogleKey(json);
  if (key.kind !== 'service-account') throw new Error('No service account');
  return key.account;
}

describe('a key of Google', () => {
  test('may be a service account, an access token or an API key', () => {
    expect(accountOf(serviceAccountJson(google))).toMatchObject({
      email: 'sluice@acme-project.iam.gserviceaccount.com',
      project: 'acme-project',
    });
    expect(readGoogleKey('ya29.abc')).toEqual({ kind: 'access-token', token: 'ya29.abc' });
    expect(readGoogleKey('AIzaSyB')).toEqual({ kind: 'api-key', key: 'AIzaSyB' });
  });

  test('asks Google for tokens when its file names no endpoint', () => {
    expect(accountOf(serviceAccountJson(google, { token_uri: undefined })).tokenUrl.href).toBe(google);
  });

  test.each([
    ['https://oauth2.googleapis.com.evil.example/token'],
    ['https://evil.example/token'],
    ['http://oauth2.googleapis.com/token'],
    ['http://127.0.0.1.evil.example/token'],
    ['https://oauth2.googleapis.com@evil.example/token'],
    ['not a url'],
  ])('is not signed for a token endpoint %s', (tokenUrl) => {
    expect(() => readGoogleKey(serviceAccountJson(tokenUrl))).toThrow('The token_uri of the service account is not');
  });

  test.each([
    ['{"type":"service_account"}', 'has no client_email'],
    ['{canary', 'begins like the JSON'],
    [serviceAccountJson(google, { private_key: 'canary' }), 'is no PEM key'],
  ])('that cannot be used says why, and nothing of itself', (json, reason) => {
    expect(() => readGoogleKey(json)).toThrow(reason);
    expect(() => readGoogleKey(json)).not.toThrow('canary');
  });
});

test('a token is asked for with a signed statement of an hour', () => {
  const form = new URLSearchParams(tokenRequestForm(accountOf(serviceAccountJson(google)), 1_700_000_000_900));

  const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
  const decoded = [header, claims].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
  expect(decoded).toEqual([
    { alg: 'RS256', typ: 'JWT', kid: 'key-1' },
    {
      iss: 'sluice@acme-project.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: google,
      iat: 1_700_000_000,
      exp: 1_700_003_600,
    },
  ]);
  const signed = Buffer.from(`${header}.${claims}`);
  expect(verify('RSA-SHA256', signed, serviceAccountPublicKey, Buffer.from(signature, 'base64url'))).toBe(true);
});
