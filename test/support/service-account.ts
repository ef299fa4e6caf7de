import { generateKeyPairSync } from 'node:crypto';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** The key that proves what the account below has signed. */
export const serviceAccountPublicKey = publicKey;

/** The JSON of a service account as Google hands it out, with a token endpoint on this machine. */
export function serviceAccountJson(tokenUrl: string, fields: object = {}): string {
  return JSON.stringify({
    type: 'service_account',
    project_id: 'acme-project',
    private_key_id: 'key-1',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'sluice@acme-project.iam.gserviceaccount.com',
    token_uri: tokenUrl,
    ...fields,
  });
}
