import { describe, expect, test } from '@jest/globals';
import { compileSnapshot } from '../../lambda/config/compile.ts';
import { configFromEnvironment } from '../../lambda/config/environment-config.ts';
import { catalogue } from '../../lambda/providers/catalogue.ts';

describe('the configuration in the environment', () => {
  test('is empty without keys', () => {
    expect(configFromEnvironment({ PATH: '/bin' })).toEqual({ items: [], secrets: {} });
  });

  test.each(catalogue.flatMap(({ name, environmentKeys }) => environmentKeys.map((variable) => ({ name, variable }))))(
    'finds the key of $name in $variable',
    ({ name, variable }) => {
      expect(configFromEnvironment({ [variable]: 'a, b' }).secrets).toEqual({ [name]: ['a', 'b'] });
    },
  );

  test('prefers the first variable of a vendor that is not empty', () => {
    const environment = { XAI_API_KEY: ' ', GROK_API_KEY: 'second' };

    expect(configFromEnvironment(environment).secrets).toEqual({ xai: ['second'] });
  });

  test('keeps a key that looks like a number, and reads an array', () => {
    const environment = { OPENAI_API_KEY: '00123', GROQ_API_KEY: '["a","b"]' };

    expect(configFromEnvironment(environment).secrets).toEqual({ openai: ['00123'], groq: ['a', 'b'] });
  });

  test('fills the account into the address of a vendor that needs one', () => {
    const { items } = configFromEnvironment({ CLOUDFLARE_API_TOKEN: 'a', CLOUDFLARE_ACCOUNT_ID: '12$&/3' });

    expect(items).toEqual([
      {
        kind: 'provider',
        name: 'workers-ai',
        baseUrl: 'https://api.cloudflare.com/client/v4/accounts/12%24%26%2F3/ai/v1',
      },
    ]);
    expect(compileSnapshot(items, { version: 1, compiledAt: '' })).not.toHaveProperty('errors');
  });

  test('names region and project of a vendor that has them', () => {
    const { items } = configFromEnvironment({ GOOGLE_CLOUD_LOCATION: 'eu', GOOGLE_CLOUD_PROJECT: 'acme' });

    expect(items).toEqual([{ kind: 'provider', name: 'google-vertex-ai', region: 'eu', project: 'acme' }]);
    expect(compileSnapshot(items, { version: 1, compiledAt: '' })).not.toHaveProperty('errors');
  });

  test('has no item for such a vendor without its account', () => {
    expect(configFromEnvironment({ CLOUDFLARE_API_TOKEN: 'a' }).items).toEqual([]);
  });
});
