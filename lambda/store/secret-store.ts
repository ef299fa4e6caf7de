import type { VendorSecrets } from '../config/vendor-secrets.ts';

/** Where secrets come from: Secrets Manager on AWS, the environment or the config file elsewhere. */
export type SecretStore = {
  /** The vendors' keys: provider name → keys, at least one each. Providers without a key are absent. */
  readVendorSecrets(): Promise<VendorSecrets>;
  /** The first caller key, or undefined when there is none. */
  readFirstKey(): Promise<string | undefined>;
};
