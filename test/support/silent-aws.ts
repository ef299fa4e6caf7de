import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** AWS as it is when it hangs: takes every connection and request, and says nothing. */
export async function startSilentAws() {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = { endpoint: url, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const dynamoDb = new DynamoDBClient(options);
  const secretsManager = new SecretsManagerClient(options);
  return {
    url,
    dynamoDb,
    secretsManager,
    stop() {
      dynamoDb.destroy();
      secretsManager.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}

export type SilentAws = Awaited<ReturnType<typeof startSilentAws>>;
