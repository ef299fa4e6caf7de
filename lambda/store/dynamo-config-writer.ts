import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { ConfigWriter } from './config-store.ts';
import { dynamoConfigReader, pointerOf } from './dynamo-config-reader.ts';
import { type DynamoItem, itemKey, rawItem } from './dynamo-item.ts';
import type { EncodedSnapshot } from './snapshot-encoding.ts';
import {
  compiledKinds,
  configTable,
  keptVersions,
  pointerName,
  snapshotChunkName,
  snapshotNamePrefix,
  statusName,
} from './table-schema.ts';

const compiledFromKinds = ['provider', 'model', 'settings'] as const;

/** The compiler's view of the config table. */
export function dynamoConfigWriter(client: DynamoDBClient, tableName: string): ConfigWriter {
  const table = tableAccess(client, tableName);
  return {
    ...dynamoConfigReader(client, tableName),
    async listItems() {
      const pages = await Promise.all(compiledFromKinds.map((kind) => table.query(kind)));
      return pages.flat().map(rawItem);
    },
    async publish(snapshot, expectedVersion) {
      await putChunks(table, snapshot);
      const published = await putPointer(table, snapshot, expectedVersion);
      // What is left behind by a failure here, the next publication removes.
      if (published) await removeOldVersions(table, snapshot.version).catch(() => undefined);
      return published;
    },
    async writeStatus(status) {
      await table.put({ ...itemKey(compiledKinds.status, statusName), ...marshall(status) });
    },
  };
}

type TableAccess = ReturnType<typeof tableAccess>;

function tableAccess(client: DynamoDBClient, tableName: string) {
  async function query(kind: string, belowName?: string): Promise<DynamoItem[]> {
    const input: QueryCommandInput = {
      TableName: tableName,
      ConsistentRead: true,
      KeyConditionExpression: belowName === undefined ? '#kind = :kind' : '#kind = :kind AND #name < :name',
      ExpressionAttributeNames: {
        '#kind': configTable.partitionKey,
        ...(belowName !== undefined && { '#name': configTable.sortKey }),
      },
      ExpressionAttributeValues: {
        ':kind': { S: kind },
        ...(belowName !== undefined && { ':name': { S: belowName } }),
      },
      ...(belowName !== undefined && { ProjectionExpression: '#kind, #name' }),
    };
    const items: DynamoItem[] = [];
    let page: { LastEvaluatedKey?: DynamoItem | undefined } = {};
    do {
      const result = await client.send(new QueryCommand({ ...input, ExclusiveStartKey: page.LastEvaluatedKey }));
      items.push(...(result.Items ?? []));
      page = result;
    } while (page.LastEvaluatedKey);
    return items;
  }

  return {
    query,
    put: (item: DynamoItem, condition: Partial<PutItemCommand['input']> = {}) =>
      client.send(new PutItemCommand({ TableName: tableName, Item: item, ...condition })),
    remove: (kind: string, name: string) =>
      client.send(new DeleteItemCommand({ TableName: tableName, Key: itemKey(kind, name) })),
  };
}

/** One after the other: all of them lie in one partition, which takes 1000 KB a second. */
async function putChunks(table: TableAccess, snapshot: EncodedSnapshot): Promise<void> {
  const { version, compiledAt, sha256, chunks } = snapshot;
  for (const [index, data] of chunks.entries()) {
    const name = snapshotChunkName(snapshot, index);
    const facts = marshall({ version, chunks: chunks.length, sha256, publishedAt: compiledAt });
    await table.put({ ...itemKey(compiledKinds.snapshot, name), ...facts, data: { B: data } });
  }
}

async function putPointer(table: TableAccess, snapshot: EncodedSnapshot, expectedVersion: number): Promise<boolean> {
  const { version, compiledAt, sha256, chunks } = snapshot;
  const pointer = marshall({ version, chunks: chunks.length, sha256, publishedAt: compiledAt });
  const condition = {
    ExpressionAttributeNames: { '#version': 'version' },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ...(expectedVersion === 0
      ? { ConditionExpression: 'attribute_not_exists(#version)' }
      : {
          ConditionExpression: '#version = :expected',
          ExpressionAttributeValues: { ':expected': { N: String(expectedVersion) } },
        }),
  } as const;
  try {
    await table.put({ ...itemKey(compiledKinds.pointer, pointerName), ...pointer }, condition);
    return true;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return await settleLostRace(table, snapshot, error.Item);
  }
}

/**
 * The condition also fails when our own write succeeded and its answer was lost on the way, for the SDK then tries
 * again. So it is the pointer that says who won; only chunks that no pointer can name are removed.
 */
async function settleLostRace(table: TableAccess, snapshot: EncodedSnapshot, inForce?: DynamoItem): Promise<boolean> {
  const pointer = inForce && pointerOf(inForce);
  if (pointer?.version !== snapshot.version) return false;
  if (pointer.sha256 === snapshot.sha256) return true;
  for (const index of snapshot.chunks.keys()) {
    await table.remove(compiledKinds.snapshot, snapshotChunkName(snapshot, index));
  }
  return false;
}

async function removeOldVersions(table: TableAccess, version: number): Promise<void> {
  const oldestKept = snapshotNamePrefix(version - keptVersions + 1);
  for (const item of await table.query(compiledKinds.snapshot, oldestKept)) {
    await table.remove(compiledKinds.snapshot, item[configTable.sortKey]?.S ?? '');
  }
}
