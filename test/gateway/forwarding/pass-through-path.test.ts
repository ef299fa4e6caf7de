import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { answeredHeaders, passedHeaders } from '../../../lambda/gateway/forwarding/pass-through-headers.ts';
import { passThroughPath, passThroughQuery } from '../../../lambda/gateway/forwarding/pass-through-path.ts';

const base = '/openai/v1';

/** How far a vendor, and all that stands before it, may decode a path. */
function readings(path: string): string[] {
  const all = [path];
  for (let times = 0; times < 6; times++) {
    try {
      all.push(decodeURIComponent(all.at(-1) ?? ''));
    } catch {
      break;
    }
  }
  return all;
}

const piece = fc.oneof(
  fc.constantFrom('..', '.', '/', '//', '\\', '%2e', '%2E%2e', '%2f', '%5c', '%252e', '%25', ';', '?', '#', '@', ':'),
  fc.constantFrom('http://evil.example', 'models', 'v1', 'openai', '\r\n', '\0', '%00', '%0d%0a', '%c0%ae', 'ü'),
  fc.string({ maxLength: 4 }),
);
const anyPath = fc.array(piece, { maxLength: 10 }).map((pieces) => `/${pieces.join('')}`);

describe("a path of a vendor's own API", () => {
  test('never leads outside of the base URL, however often it is decoded', () => {
    let kept = 0;
    fc.assert(
      fc.property(anyPath, (rest) => {
        const path = passThroughPath(base, rest);
        if (path === undefined) return;
        kept++;
        for (const reading of readings(path)) {
          const url = new URL(`https://vendor.example${reading.split(/[?#]/)[0]}`);
          expect(url.origin).toBe('https://vendor.example');
          expect(`${url.pathname}/`.startsWith(`${base}/`)).toBe(true);
          expect(reading.startsWith(base)).toBe(true);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
          expect(reading).not.toMatch(/[\u0000-\u001f\\]|\/\//);
        }
      }),
      { numRuns: 5_000 },
    );
    expect(kept).toBeGreaterThan(100);
  });

  test('never leaves the host where the base URL has no path', () => {
    fc.assert(
      fc.property(anyPath, (rest) => {
        const path = passThroughPath('', rest);
        if (path !== undefined) expect(new URL(path, 'https://vendor.example').host).toBe('vendor.example');
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['/models', '/openai/v1/models'],
    ['/v1/models', '/openai/v1/models'],
    ['/openai/v1/models', '/openai/v1/models'],
    ['/v1beta/models', '/openai/v1/v1beta/models'],
    ['/files/', '/openai/v1/files/'],
    ['/model/arn%3Aaws%3Abedrock%2Fx:0/converse', '/openai/v1/model/arn%3Aaws%3Abedrock%2Fx:0/converse'],
    ['/@cf/meta/llama~1', '/openai/v1/@cf/meta/llama~1'],
  ])('%s goes to %s', (rest, path) => {
    expect(passThroughPath(base, rest)).toBe(path);
  });

  test('may name a version that the one of the base URL contains', () => {
    expect(passThroughPath('/v1beta', '/v1/models', ['v1'])).toBe('/v1beta/models');
    expect(passThroughPath('/v1beta', '/v1beta/models', ['v1'])).toBe('/v1beta/models');
    expect(passThroughPath('/v1beta', '/v1x/models', ['v1'])).toBe('/v1beta/v1x/models');
    expect(passThroughPath('/v1beta', '/v1/../x', ['v1'])).toBeUndefined();
    expect(passThroughPath('/v1beta', '/v1', ['v1'])).toBe('/v1beta');
  });

  test.each([
    ...[
      '/../x',
      '/a/../../x',
      '/a/..',
      '/.',
      '/%2e%2e/x',
      '/%2E./x',
      '/a%2f..%2fx',
      '/..;/x',
      '/..;a=b/x',
      '//evil.example',
    ],
    ...[
      '/a//b',
      '/a\\b',
      '/a%5c..%5cb',
      '/%252e%252e/x',
      '/%00',
      '/a%0d%0ab',
      '/%zz',
      '/ü',
      '/a b',
      '/a?b',
      '/a#b',
      'a',
    ],
  ])('%s is refused', (rest) => {
    expect(passThroughPath(base, rest)).toBeUndefined();
  });
});

describe('a query', () => {
  test.each([
    ['alt=sse&key=secret', 'alt=sse'],
    ['key=secret', ''],
    ['k%65y=secret&pageToken=a%20b&x', 'pageToken=a%20b&x'],
    ['KEY=a&api_key=b&access_token=c&keys=d', 'keys=d'],
  ])('%s loses its credentials and nothing else: %s', (query, passed) => {
    expect(passThroughQuery(query)).toBe(passed);
  });

  test('never carries what the gateway takes for a key', () => {
    fc.assert(
      fc.property(fc.webQueryParameters(), fc.constantFrom('key', 'k%65y', '%6bey'), (query, name) => {
        const passed = passThroughQuery(`${query}&${name}=secret`);
        if (passed !== undefined) expect(new URLSearchParams(passed).has('key')).toBe(false);
      }),
    );
  });
});

describe('headers', () => {
  test('of the caller pass but for credentials, this connection, and what Connection names', () => {
    const passed = passedHeaders({
      ...{ authorization: 'a', 'x-api-key': 'b', 'x-goog-api-key': 'c', 'api-key': 'd', cookie: 'e', host: 'f' },
      ...{ connection: 'close, X-Hop', 'x-hop': 'g', te: 'h', 'transfer-encoding': 'chunked', upgrade: 'i' },
      ...{ 'x-forwarded-for': 'j', 'x-amzn-trace-id': 'k', 'x-amz-security-token': 'l', 'openai-organization': 'm' },
      ...{ 'x-sluice-provider-key': '1', 'content-length': '5', 'proxy-authorization': 'n', 'cf-connecting-ip': 'o' },
      ...{ 'content-type': 'text/plain', 'anthropic-beta': 'p', 'x-custom': 'q', 'x-amzn-bedrock-accept': 'r' },
    });

    expect(passed).toEqual({
      'content-type': 'text/plain',
      'anthropic-beta': 'p',
      'x-custom': 'q',
      'x-amzn-bedrock-accept': 'r',
    });
  });

  test('of the vendor pass but for cookies, its own connection and host, and what Connection names', () => {
    const answered = answeredHeaders({
      ...{
        'set-cookie': ['a=b'],
        connection: 'x-hop',
        'x-hop': 'c',
        'keep-alive': 'd',
        'transfer-encoding': 'chunked',
      },
      ...{ 'alt-svc': 'e', 'strict-transport-security': 'f', 'access-control-allow-origin': '*', 'x-sluice-x': 'g' },
      ...{ 'content-type': 'text/plain', 'x-request-id': 'h', 'retry-after': '7' },
    });

    expect(answered).toEqual({ 'content-type': 'text/plain', 'x-request-id': 'h', 'retry-after': '7' });
  });
});
