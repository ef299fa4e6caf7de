import { describe, expect, test } from '@jest/globals';
import { readErrorBody } from '../../lambda/dialects/provider-error.ts';

describe('readErrorBody', () => {
  test.each([
    ['OpenAI', '{"error":{"message":"m","type":"t","param":"p","code":"c"}}', 'm', 't', 'p', 'c'],
    ['Gemini', '[{"error":{"message":"m","code":400,"status":"INVALID"}}]', 'm', undefined, undefined, '400'],
    ['xAI', '{"code":"a sentence","error":"m"}', 'm', undefined, undefined, 'a sentence'],
    ['Mistral', '{"object":"error","message":"m","type":"t","param":null,"code":"1500"}', 'm', 't', undefined, '1500'],
    ["Mistral's proxy", '{"detail":"m"}', 'm', undefined, undefined, undefined],
    ['FastAPI', '{"detail":[{"loc":["body","x",0],"msg":"m"}]}', 'body.x.0: m', undefined, undefined, undefined],
    [
      'OpenRouter',
      '{"error":{"code":502,"message":"m","metadata":{}},"user_id":"u"}',
      'm',
      undefined,
      undefined,
      '502',
    ],
  ])('reads the shape of %s', (...row) => {
    const [, text, message, type, param, code] = row;

    expect(readErrorBody(text)).toEqual({ message, type, param, code });
  });

  test.each([
    '',
    '<html>',
    'null',
    '7',
    '[]',
    '[null]',
    '{}',
    '{"error":null}',
    '{"error":[]}',
    '{"detail":[]}',
    '{"detail":[7]}',
  ])('finds no words in %j', (text) => {
    expect(readErrorBody(text).message).toBeUndefined();
  });

  test.each([
    ['text/plain; charset=utf-8', ' no such model\n', 'no such model'],
    ['text/plain', '', undefined],
    ['text/html', '<html>', undefined],
    ['application/json', 'no such model', undefined],
  ])('tells text that is called %s: %j', (contentType, text, message) => {
    expect(readErrorBody(text, contentType).message).toBe(message);
  });

  test('copes with lists nested deeper than any call stack', () => {
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);

    expect(readErrorBody(`{"detail":[{"loc":["body",${deep}],"msg":${deep}}]}`).message).toMatch(/^body/);
  });
});
