import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cached } from '../../lambda/store/cached.ts';
import type { SecretStore } from '../../lambda/store/secret-store.ts';
import { secretsManagerStore } from '../../lambda/store/secrets-manager-store.ts';

const closings: (() => void)[] = [];
afterEach(() => {
  for (const close of closings.splice(0)) close();
});

describe('secrets in Secrets Manager', () => {
  test('give the keys of the vendors', async () => {
    const store = await aStore({ vendors: '{"openai":"sk-1, sk-2","grok":["x"],"groq":""}' });

    expect(await store.readVendorSecrets()).toEqual({ openai: ['sk-1', 'sk-2'], xai: ['x'] });
  });

  test('give the first caller key without the line break at its end', async () => {
    const store = await aStore({ first: 'sl-first\n' });

    expect(await store.readFirstKey()).toBe('sl-first');
  });

  test('count as empty when they do not exist', async () => {
    const store = await aStore({});

    expect(await store.readVendorSecrets()).toEqual({});
    expect(await store.readFirstKey()).toBeUndefined();
  });

  test('never show up in the message about a broken one', async () => {
    const store = await aStore({ vendors: 'sk-very-secret' });

    const failure = await store.readVendorSecrets().catch((error: Error) => error.message);

    expect(failure).toBe('The vendor secret is not valid JSON');
  });

  test('fail, and do not count as empty, when the service refuses', async () => {
    const store = await aStore({ vendors: 403 });

    await expect(store.readVendorSecrets()).rejects.toThrow('AccessDenied');
  });

  test('are used as they were, however old, while the service says nothing', async () => {
    const secrets: Secrets = { vendors: '{"openai":"sk-1"}' };
    const store = await aStore(secrets);
    const errors: unknown[] = [];
    let nowMs = 0;
    const ages = { freshForMs: 300_000, staleForMs: 900_000, now: () => nowMs };
    const cache = cached(() => store.readVendorSecrets(), { ...ages, onError: (error) => errors.push(error) });
    await cache.get();
    secrets['vendors'] = silence;
    nowMs = 86_400_000;

    expect(await cache.get()).toEqual({ openai: ['sk-1'] });
    expect(errors).toEqual([expect.objectContaining({ name: 'AbortError' })]);
  });
});

const silence = Symbol('silence');
type Secrets = Record<string, string | number | typeof silence>;

const limitMs = 500;

/** The service's wire protocol on loopback: a value, a status, nothing at all, or ResourceNotFoundException. */
async function aStore(secrets: Secrets): Promise<SecretStore> {
  const server = createServer(async (request, response) => {
    const body: Buffer[] = [];
    for await (const piece of request) body.push(piece);
    const { SecretId } = JSON.parse(Buffer.concat(body).toString());
    const value = secrets[SecretId];
    if (value === silence) return;
    const type = value === undefined ? 'ResourceNotFoundException' : 'AccessDeniedException';
    const found = typeof value === 'string';
    response.writeHead(found ? 200 : (value ?? 400), { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(found ? { SecretString: value } : { __type: type, message: 'AccessDenied' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new SecretsManagerClient({ endpoint, region: 'us-east-1', credentials });
  closings.push(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return secretsManagerStore(client, { vendorSecret: 'vendors', firstKeySecret: 'first' }, limitMs);
}
