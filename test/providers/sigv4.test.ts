import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { roleCredentials } from '../../lambda/providers/role-credentials.ts';
import { type SignableRequest, type SigningScope, signRequest } from '../../lambda/providers/sigv4.ts';

/** The credentials and the moment of AWS's published test suite. */
const suite: SigningScope = {
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  region: 'us-east-1',
  service: 'service',
  nowMs: Date.UTC(2015, 7, 30, 12, 36, 0),
};

function signatureOf(headers: Record<string, string>): string {
  return headers['authorization']?.split('Signature=')[1] ?? '';
}

class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Uint8Array);
  }
  update(data: string | Uint8Array) {
    this.#hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
  reset() {}
}

describe('signRequest', () => {
  const host = 'example.amazonaws.com';
  test.each<[string, SignableRequest, string]>([
    [
      'get-vanilla',
      { method: 'GET', path: '/', headers: { Host: host }, body: '' },
      '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    ],
    [
      'get-vanilla-query-order-key-case',
      { method: 'GET', path: '/?Param2=value2&Param1=value1', headers: { Host: host }, body: '' },
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    [
      'get-slashes',
      { method: 'GET', path: '//example//', headers: { Host: host }, body: '' },
      '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84',
    ],
    [
      'get-relative-relative',
      { method: 'GET', path: '/example1/example2/../..', headers: { Host: host }, body: '' },
      '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    ],
    [
      'post-vanilla',
      { method: 'POST', path: '/', headers: { Host: host }, body: '' },
      '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    ],
    [
      'post-header-key-sort',
      { method: 'POST', path: '/', headers: { Host: host, 'My-Header1': 'value1' }, body: '' },
      'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
    ],
    [
      'post-x-www-form-urlencoded',
      {
        method: 'POST',
        path: '/',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', Host: host },
        body: 'Param1=value1',
      },
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
  ])('signs %s as the published test suite does', (_, request, signature) => {
    expect(signatureOf(signRequest(request, suite))).toBe(signature);
  });

  test('signs the example of the IAM user guide', () => {
    const request = {
      method: 'GET',
      path: '/?Action=ListUsers&Version=2010-05-08',
      headers: { host: 'iam.amazonaws.com', 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: '',
    };

    const headers = signRequest(request, { ...suite, service: 'iam' });

    expect(headers['authorization']).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    );
    expect(headers['x-amz-date']).toBe('20150830T123600Z');
  });

  test('signs and sends the token of temporary credentials', () => {
    const request = { method: 'POST', path: '/', headers: { host }, body: '' };
    const credentials = { ...suite.credentials, sessionToken: 'the-token' };

    const headers = signRequest(request, { ...suite, credentials });

    expect(headers['x-amz-security-token']).toBe('the-token');
    expect(headers['authorization']).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token,');
  });

  const segment = fc
    .array(fc.constantFrom('a', 'Z', '0', '-', '.x', '_', '~', ':', ' ', 'ü', '%', "'", '(', '!', '*', '/'), {
      minLength: 1,
      maxLength: 12,
    })
    .map((characters) => encodeURIComponent(characters.join('')));
  const requests = fc.record({
    path: fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
    query: fc.dictionary(
      fc.stringMatching(/^[a-zA-Z][a-z ü:/+-]{0,5}$/),
      fc.string({ maxLength: 8, unit: 'grapheme' }),
    ),
    body: fc.string({ unit: 'binary' }),
    sessionToken: fc.option(fc.constant('token/with+signs=='), { nil: undefined }),
    nowMs: fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2040, 0) }),
  });

  test('signs whatever it is given as the SDK of AWS does', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async ({ path, query, body, sessionToken, nowMs }) => {
        const credentials = { ...suite.credentials, ...(sessionToken ? { sessionToken } : {}) };
        const host = 'bedrock-runtime.eu-central-1.amazonaws.com';
        const headers = { host, 'content-type': 'application/json' };
        const theirs = new SignatureV4({
          service: 'bedrock',
          region: 'eu-central-1',
          credentials,
          sha256: Sha256,
          applyChecksum: false,
        });
        const signed = await theirs.sign(
          { method: 'POST', protocol: 'https:', hostname: host, path, query, headers: { ...headers }, body },
          { signingDate: new Date(nowMs) },
        );

        const search = Object.entries(query).map((pair) => pair.map(encodeURIComponent).join('='));
        const ours = signRequest(
          { method: 'POST', path: search.length > 0 ? `${path}?${search.join('&')}` : path, headers, body },
          { credentials, region: 'eu-central-1', service: 'bedrock', nowMs },
        );

        expect({ ...headers, ...ours }).toEqual(signed.headers);
      }),
    );
  });

  test('encodes the encoded name of a model once more', async () => {
    const path = '/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse-stream';
    const headers = { host: 'bedrock-runtime.us-east-1.amazonaws.com', 'content-type': 'application/json' };
    const body = '{"messages":[{"role":"user","content":[{"text":"Grüße"}]}]}';
    const canonical = [
      'POST',
      '/model/anthropic.claude-3-5-sonnet-20241022-v2%253A0/converse-stream',
      '',
      'content-type:application/json',
      'host:bedrock-runtime.us-east-1.amazonaws.com',
      'x-amz-date:20150830T123600Z',
      '',
      'content-type;host;x-amz-date',
      createHash('sha256').update(body).digest('hex'),
    ].join('\n');
    const hashed = createHash('sha256').update(canonical).digest('hex');
    const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
    const key = ['20150830', 'us-east-1', 'bedrock', 'aws4_request'].reduce<string | Buffer>(
      hmac,
      `AWS4${suite.credentials.secretAccessKey}`,
    );
    const toSign = `AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/bedrock/aws4_request\n${hashed}`;

    const signed = signRequest({ method: 'POST', path, headers, body }, { ...suite, service: 'bedrock' });

    expect(signatureOf(signed)).toBe(hmac(key, toSign).toString('hex'));
  });
});

describe('roleCredentials', () => {
  test('reads what Lambda puts into the environment', () => {
    const environment = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' };

    expect(roleCredentials(environment)).toEqual({
      accessKeyId: 'id',
      secretAccessKey: 'secret',
      sessionToken: 'token',
    });
  });

  test('needs no token for keys that do not expire', () => {
    const environment = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: '' };

    expect(roleCredentials(environment)).toEqual({ accessKeyId: 'id', secretAccessKey: 'secret' });
  });

  test('gives nothing when a key is missing', () => {
    expect(roleCredentials({ AWS_ACCESS_KEY_ID: 'id' })).toBeUndefined();
    expect(roleCredentials({})).toBeUndefined();
  });
});
