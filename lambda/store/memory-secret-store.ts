import type { VendorSecrets } from '../config/vendor-secrets.ts';
import type { SecretStore } from './secret-store.ts';

/** Secrets that the process was started with. */
export function memorySecretStore(vendorSecrets: VendorSecrets, firstKey?: string): SecretStore {
  return {
    readVendorSecrets: async () => vendorSecrets,
    readFirstKey: async () => firstKey,
  };
}
