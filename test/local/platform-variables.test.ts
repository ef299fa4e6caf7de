import { describe, expect, test } from '@jest/globals';
import { platformVariables } from '../../local/platform-variables.ts';

describe('the variables of the platform', () => {
  const endpoints = { dynamodb: 'http://127.0.0.1:8000', aws: 'http://127.0.0.1:9000' };

  test('lead every AWS client to this machine', () => {
    const variables = platformVariables(endpoints, {});

    expect(variables).toMatchObject({
      AWS_ENDPOINT_URL: endpoints.aws,
      AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.aws,
      AWS_ENDPOINT_URL_EVENTBRIDGE: endpoints.aws,
      AWS_EC2_METADATA_DISABLED: 'true',
    });
  });

  test('keep profiles, credentials and vendor keys of this machine out', () => {
    const mine = { AWS_PROFILE: 'prod', AWS_ACCESS_KEY_ID: 'AKIA', OPENAI_API_KEY: 'sk', PATH: '/bin', HOME: '/root' };
    const variables = platformVariables(endpoints, mine);

    expect(variables['AWS_ACCESS_KEY_ID']).toBe('local');
    expect(variables['PATH']).toBe('/bin');
    expect(variables).not.toHaveProperty('AWS_PROFILE');
    expect(variables).not.toHaveProperty('OPENAI_API_KEY');
    expect(variables).not.toHaveProperty('HOME');
    expect(variables['AWS_CONFIG_FILE']).toBe(variables['AWS_SHARED_CREDENTIALS_FILE']);
    expect(variables['AWS_CONFIG_FILE']).toMatch(/nul/i);
  });
});
