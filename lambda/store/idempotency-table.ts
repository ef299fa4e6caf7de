import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { callLimit } from './call-limit.ts';
import { type DynamoItem, itemKey } from './dynamo-item.ts';
import { type Claim, type Held, keptForMs } from './idempotency-store.ts';
import { idempotencyAnswerName, idempotencyChunkName, idempotencyKind, statsTable } from './table-schema.ts';

const key = (id: string) => itemKey(idempotencyKind(id), idempotencyAnswerName);

const mayClaim = [
  'attribute_not_exists(#kind)',
  // What has expired may stay for days before DynamoDB removes it.
  `${statsTable.expiry} <= :nowSeconds`,
  '(#state = :running AND leaseUntilMs <= :nowMs)',
  '(#state = :unkept AND fingerprint = :fingerprint)',
].join(' OR ');

/** When an item of now ends, as DynamoDB's time to live takes it. */
export function expiryOf(nowMs: number): DynamoItem[string] {
  return { N: String(Math.ceil((nowMs + keptForMs) / 1000)) };
}

function claimItem({ id, fingerprint, owner, nowMs, leaseUntilMs }: Claim): Omit<PutItemCommandInput, 'TableName'> {
  return {
    Item: {
      ...key(id),
      state: { S: 'running' },
      fingerprint: { S: fingerprint },
      owner: { S: owner },
      leaseUntilMs: { N: String(leaseUntilMs) },
      [statsTable.expiry]: expiryOf(nowMs),
    },
    ConditionExpression: mayClaim,
    ExpressionAttributeNames: { '#kind': statsTable.partitionKey, '#state': 'state' },
    ExpressionAttributeValues: {
      ':nowSeconds': { N: String(Math.floor(nowMs / 1000)) },
      ':nowMs': { N: String(nowMs) },
      ':running': { S: 'running' },
      ':unkept': { S: 'unkept' },
      ':fingerprint': { S: fingerprint },
    },
    ReturnValues: 'ALL_OLD',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

/** The calls that keeping answers takes; what an owner writes after it lost its claim changes nothing. */
export function idempotencyTable(client: DynamoDBClient, tableName: string, limitMs: number) {
  const ownOnly = ({ owner }: Held, values: DynamoItem = {}) => ({
    TableName: tableName,
    ConditionExpression: '#owner = :owner AND #state = :running',
    ExpressionAttributeNames: { '#owner': 'owner', '#state': 'state' },
    ExpressionAttributeValues: { ...values, ':owner': { S: owner }, ':running': { S: 'running' } },
  });
  return {
    /** The item that was there before, whether the claim was won over it or not. */
    async putClaim(claim: Claim): Promise<{ won: boolean; found: DynamoItem | undefined }> {
      try {
        const put = new PutItemCommand({ TableName: tableName, ...claimItem(claim) });
        const { Attributes } = await client.send(put, callLimit(limitMs));
        return { won: true, found: Attributes };
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return { won: false, found: error.Item };
        throw error;
      }
    },
    async update(held: Held, expression: string, values: DynamoItem): Promise<void> {
      const command = { ...ownOnly(held, values), Key: key(held.id), UpdateExpression: expression };
      await client.send(new UpdateItemCommand(command), callLimit(limitMs)).catch(unlessLost);
    },
    async remove(held: Held): Promise<void> {
      const command = { ...ownOnly(held), Key: key(held.id) };
      await client.send(new DeleteItemCommand(command), callLimit(limitMs)).catch(unlessLost);
    },
    async putChunk({ id, owner }: Held, index: number, fields: DynamoItem): Promise<void> {
      const item = { ...itemKey(idempotencyKind(id), idempotencyChunkName(owner, index)), ...fields };
      await client.send(new PutItemCommand({ TableName: tableName, Item: item }), callLimit(limitMs));
    },
    readChunks: (held: Held) => readChunks({ client, tableName, limitMs }, held),
  };
}

type Table = { client: DynamoDBClient; tableName: string; limitMs: number };

async function readChunks({ client, tableName, limitMs }: Table, { id, owner }: Held): Promise<DynamoItem[]> {
  const items: DynamoItem[] = [];
  let start: DynamoItem | undefined;
  do {
    const page = await client.send(
      new QueryCommand({
        TableName: tableName,
        ConsistentRead: true,
        KeyConditionExpression: '#kind = :kind AND begins_with(#name, :prefix)',
        ExpressionAttributeNames: { '#kind': statsTable.partitionKey, '#name': statsTable.sortKey },
        ExpressionAttributeValues: {
          ':kind': { S: idempotencyKind(id) },
          ':prefix': { S: idempotencyChunkName(owner) },
        },
        ExclusiveStartKey: start,
      }),
      callLimit(limitMs),
    );
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start);
  return items;
}

/** Whoever lost the claim meanwhile has nothing to write any more. */
function unlessLost(error: unknown): void {
  if (!(error instanceof ConditionalCheckFailedException)) throw error;
}
