import { describe, expect, test } from '@jest/globals';
import { parseVendorSecrets } from '../../lambda/config/vendor-secrets.ts';

describe('the vendor secret', () => {
  test.each([
    ['one key', '"sk-1"', ['sk-1']],
    ['a comma list', '" sk-1, sk-2 ,,"', ['sk-1', 'sk-2']],
    ['an array', '["sk-1", " sk-2 ", ""]', ['sk-1', 'sk-2']],
    ['an array as text', JSON.stringify('["sk-1","sk-2"]'), ['sk-1', 'sk-2']],
    ['a key that looks like a number', '"0012345678901234567890"', ['0012345678901234567890']],
    ['the same key twice', '"sk-1,sk-1"', ['sk-1']],
  ])('holds %s', (_, value, keys) => {
    expect(parseVendorSecrets(`{"openai":${value}}`)).toEqual({ openai: keys });
  });

  const account = { type: 'service_account', private_key: 'a,b', client_email: 'x@y' };
  test.each<[string, unknown]>([
    ['as an object', account],
    ['as the text of its file', JSON.stringify(account, undefined, 2)],
    ['in a list', [account]],
  ])('holds a service account %s as one key', (_, value) => {
    const secrets = parseVendorSecrets(JSON.stringify({ 'vertex-ai': value }));

    expect(secrets).toEqual({ 'google-vertex-ai': [JSON.stringify(account)] });
  });

  test('leaves out providers without a key', () => {
    expect(parseVendorSecrets('{"openai":"","groq":[],"xai":" , "}')).toEqual({});
  });

  test('gives the keys of all names of a provider under one', () => {
    expect(parseVendorSecrets('{"grok":"a","xai":"b"}')).toEqual({ xai: ['a', 'b'] });
  });

  test('knows no keys of a provider called like an object method', () => {
    expect(parseVendorSecrets('{}')['constructor']).toBeUndefined();
  });

  test.each([
    ['is not JSON', 'openai=sk-secret', 'The vendor secret is not valid JSON'],
    ['is a list', '["sk-secret"]', 'The vendor secret must be a JSON object'],
    ['holds a map for a provider', '{"openai":{"key":"sk-secret"}}', 'The keys of "openai" must be a string'],
    ['holds a number, which JSON may have rounded', '{"openai":123}', 'The keys of "openai" must be a string'],
  ])('that %s is refused without showing it', (_, text, message) => {
    const parse = () => parseVendorSecrets(text);

    expect(parse).toThrow(message);
    expect(parse).not.toThrow('sk-secret');
  });
});
