import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FunctionUrlCors } from '../../local/function-url-cors.ts';
import type { FunctionUrlEvent } from '../../local/function-url-event.ts';
import { aFunction } from './fixtures/definitions.ts';
import { type Harness, send, startHarness } from './function-harness.ts';

const cors: FunctionUrlCors = {
  AllowOrigins: ['https://app.example', 'https://*.example.org'],
  AllowMethods: ['POST'],
  AllowHeaders: ['authorization'],
  ExposeHeaders: ['x-custom'],
  MaxAge: 60,
  AllowCredentials: true,
};

describe('the request that a function URL hands to its function', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await startHarness(aFunction('streaming'), {
      cors,
    });
    await harness.target.prewarm();
  });
  afterAll(() => harness.close());

  async function eventOf(path: string, request: Parameters<typeof send>[1] = {}): Promise<FunctionUrlEvent> {
    const { text } = await send(`${harness.url.url}${path}`, request);
    return JSON.parse(text) as FunctionUrlEvent;
  }

  test('is a version 2.0 event', async () => {
    const event = await eventOf('/echo/a%20b?x=1&x=2&y=%20z', { headers: { 'user-agent': 'test' } });

    expect(event).toMatchObject({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/echo/a%20b',
      rawQueryString: 'x=1&x=2&y=%20z',
      queryStringParameters: { x: '1,2', y: ' z' },
      isBase64Encoded: false,
      requestContext: {
        accountId: 'anonymous',
        apiId: 'gatewayurl',
        domainName: 'gatewayurl.lambda-url.us-east-1.on.aws',
        stage: '$default',
        http: { method: 'GET', path: '/echo/a%20b', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      },
    });
    expect(event.requestContext.time).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
    expect(event.body).toBeUndefined();
    expect(event.headers['x-forwarded-for']).toBe('127.0.0.1');
  });

  test('has lower-case header names, joined values and its cookies apart', async () => {
    const event = await eventOf('/echo', {
      headers: { 'X-Many': ['a', 'b'], Cookie: 'a=1; b=2', Connection: 'close' },
    });

    expect(event.headers['x-many']).toBe('a,b');
    expect(event.cookies).toEqual(['a=1', 'b=2']);
    expect(event.headers['cookie']).toBeUndefined();
    expect(event.headers['connection']).toBeUndefined();
  });

  test.each([
    ['application/json', false],
    ['application/json; charset=utf-8', false],
    ['application/vnd.api+json', false],
    ['text/plain', false],
    ['application/x-www-form-urlencoded', true],
    ['multipart/form-data; boundary=x', true],
    ['image/png', true],
  ])('carries a body of type %s with isBase64Encoded %s', async (contentType, isBase64Encoded) => {
    const event = await eventOf('/echo', { method: 'POST', headers: { 'content-type': contentType }, body: 'grüß' });

    expect(event.isBase64Encoded).toBe(isBase64Encoded);
    expect(Buffer.from(event.body!, isBase64Encoded ? 'base64' : 'utf8').toString()).toBe('grüß');
  });

  test('carries a compressed body as base64 whatever its type', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const event = await eventOf('/echo', { method: 'POST', headers, body: Buffer.from([0x1f, 0x8b, 0xff]) });

    expect(event).toMatchObject({ isBase64Encoded: true, body: 'H4v/' });
  });

  test('may have a body of 6 MB', async () => {
    const body = 'x'.repeat(6 * 1024 * 1024);
    const event = await eventOf('/echo', { method: 'POST', headers: { 'content-type': 'text/plain' }, body });

    expect(event.body?.length).toBe(body.length);
  });

  test.each([
    ['https://app.example', 'https://app.example'],
    ['https://deep.example.org', 'https://deep.example.org'],
    ['https://elsewhere.example', undefined],
  ])('from %s gets the allowed origin %s on the answer', async (origin, allowed) => {
    const seen = await send(`${harness.url.url}/echo`, { headers: { origin } });

    expect(seen.status).toBe(200);
    expect(seen.headers['access-control-allow-origin']).toBe(allowed);
    expect(seen.headers['access-control-expose-headers']).toBe(allowed && 'x-custom');
  });

  test('tells the function its deadline, limits and names', async () => {
    const { text } = await send(`${harness.url.url}/context`);
    const context = JSON.parse(text);

    expect(context.remainingMs).toBeGreaterThan(4_000);
    expect(context.remainingMs).toBeLessThanOrEqual(5_000);
    expect(context.memoryLimitInMB).toBe('256');
    expect(context.invokedFunctionArn).toBe(aFunction('streaming').arn);
    expect(context.execArgv).toContain('--max-old-space-size=231');
    expect(context.environment).toMatchObject({ AWS_LAMBDA_FUNCTION_NAME: 'test-gateway', TZ: ':UTC' });
  });
});

describe('what never reaches the function', () => {
  let harness: Harness;

  // The handler cannot be loaded: whatever did reach it would be answered 502.
  beforeAll(async () => {
    harness = await startHarness(aFunction('broken-init'), { cors });
  });
  afterAll(() => harness.close());

  test('a body of more than 6 MB gets 413 in the form of OpenAI', async () => {
    const seen = await send(harness.url.url, { method: 'POST', body: 'x'.repeat(6 * 1024 * 1024 + 1) });

    expect(seen.status).toBe(413);
    expect(JSON.parse(seen.text)).toMatchObject({
      error: { type: 'invalid_request_error', param: null, code: 'request_too_large' },
    });
  });

  test('a preflight is answered by the URL itself', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const seen = await send(harness.url.url, { method: 'OPTIONS', headers });

    expect(seen.status).toBe(200);
    expect(seen.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '60',
    });
  });
});
