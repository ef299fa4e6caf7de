import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { aFunction } from './fixtures/definitions.ts';
import { type Harness, send, startHarness } from './function-harness.ts';

describe('a function URL with BUFFERED', () => {
  let harness: Harness;
  const get = (path: string) => send(`${harness.url.url}${path}`);

  beforeAll(async () => {
    harness = await startHarness(aFunction('buffered'), { invokeMode: 'BUFFERED' });
  });
  afterAll(() => harness.close());

  test('sends status, headers, cookies and body of a structured answer', async () => {
    const seen = await get('/structured');

    expect(seen).toMatchObject({ status: 201, text: 'made' });
    expect(seen.headers['x-custom']).toBe('yes');
    expect(seen.headers['set-cookie']).toEqual(['a=1']);
    expect(seen.headers['content-type']).toBe('application/json');
  });

  test('decodes a base64 body', async () => {
    const seen = await get('/base64');

    expect(seen.headers['content-type']).toBe('image/png');
    expect(seen.text).toContain('PNG');
  });

  test.each([
    ['/plain-object', '{"message":"hello"}'],
    ['/plain-string', '"hello"'],
  ])('takes the value of %s without a status as the JSON body of a 200', async (path, text) => {
    expect(await get(path)).toMatchObject({ status: 200, text, headers: { 'content-type': 'application/json' } });
  });

  test.each(['/bad-status', '/big', '/throw'])('answers 502 on %s', async (path) => {
    expect(await get(path)).toMatchObject({ status: 502, text: 'Internal Server Error' });
  });
});
