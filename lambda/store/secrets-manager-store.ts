import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { parseVendorSecrets } from '../config/vendor-secrets.ts';
import { callLimit, longestCallMs } from './call-limit.ts';
import type { SecretStore } from './secret-store.ts';

/** Names or ARNs of the two secrets. */
export type SecretNames = { vendorSecret: string; firstKeySecret: string };

/** Secrets in AWS Secrets Manager; one that does not exist or has no value yet counts as empty. */
export function secretsManagerStore(
  client: SecretsManagerClient,
  names: SecretNames,
  limitMs = longestCallMs,
): SecretStore {
  async function read(secretId: string): Promise<string> {
    try {
      const { SecretString = '' } = await client.send(
        new GetSecretValueCommand({ SecretId: secretId }),
        callLimit(limitMs),
      );
      return SecretString.trim();
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return '';
      throw error;
    }
  }
  return {
    readVendorSecrets: async () => parseVendorSecrets((await read(names.vendorSecret)) || '{}'),
    readFirstKey: async () => (await read(names.firstKeySecret)) || undefined,
  };
}
