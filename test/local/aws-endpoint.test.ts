import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AwsEndpoint, type PutEvent, startAwsEndpoint } from '../../local/aws-endpoint.ts';

describe('the local AWS endpoint, through the SDK', () => {
  const arn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:keys-Local0';
  const events: PutEvent[] = [];
  let endpoint: AwsEndpoint;
  let secretsManager: SecretsManagerClient;
  let eventBridge: EventBridgeClient;

  beforeAll(async () => {
    endpoint = await startAwsEndpoint({
      secrets: [{ name: 'keys', arn, value: '{"openai":["sk-1"]}' }],
      onEvent: (event) => events.push(event),
    });
    const client = {
      endpoint: endpoint.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    };
    secretsManager = new SecretsManagerClient(client);
    eventBridge = new EventBridgeClient(client);
  });
  afterAll(async () => {
    secretsManager.destroy();
    eventBridge.destroy();
    await endpoint.close();
  });

  test.each(['keys', arn])('gives a secret by %s', async (SecretId) => {
    const secret = await secretsManager.send(new GetSecretValueCommand({ SecretId }));

    expect(secret).toMatchObject({ ARN: arn, Name: 'keys', SecretString: '{"openai":["sk-1"]}' });
  });

  test('answers ResourceNotFoundException for a secret that is not there', async () => {
    const answer = secretsManager.send(new GetSecretValueCommand({ SecretId: 'other' }));

    await expect(answer).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  test('takes events and hands them on', async () => {
    const entry = { Source: 'sluice', DetailType: 'ConfigPublished', Detail: '{"version":1}', EventBusName: 'bus' };
    const { FailedEntryCount, Entries } = await eventBridge.send(new PutEventsCommand({ Entries: [entry] }));

    expect(FailedEntryCount).toBe(0);
    expect(Entries?.[0]?.EventId).toBeDefined();
    expect(events).toEqual([{ source: 'sluice', detailType: 'ConfigPublished', detail: '{"version":1}', bus: 'bus' }]);
  });

  test('refuses what it does not serve', async () => {
    await expect(secretsManager.send(new ListSecretsCommand({}))).rejects.toThrow('does not serve');
  });
});
