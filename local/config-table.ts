import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { RawItem } from '../lambda/config/raw-item.ts';
import type { ConfigStatus } from '../lambda/store/config-store.ts';
import { compiledKinds, configTable, statusName } from '../lambda/store/table-schema.ts';
import { type DynamoDbCall, DynamoDbError } from './dynamodb-call.ts';
import type { StartConfig } from './start-config.ts';

type Item = Parameters<typeof unmarshall>[0];

/** Writes what a start brings, item by item, as a person would. */
export async function writeConfig(
  call: DynamoDbCall,
  tableName: string,
  { items, defaults }: Pick<StartConfig, 'items' | 'defaults'>,
): Promise<void> {
  for (const item of items) await call('PutItem', { TableName: tableName, Item: toItem(item) });
  for (const item of defaults) await putIfAbsent(call, tableName, item);
}

/** What the compiler said about the last edit; undefined before the first. */
export async function readStatus(call: DynamoDbCall, tableName: string): Promise<ConfigStatus | undefined> {
  const Key = { [configTable.partitionKey]: { S: compiledKinds.status }, [configTable.sortKey]: { S: statusName } };
  const { Item } = await call<{ Item?: Item }>('GetItem', { TableName: tableName, Key, ConsistentRead: true });
  return Item && (unmarshall(Item) as ConfigStatus);
}

async function putIfAbsent(call: DynamoDbCall, tableName: string, item: RawItem): Promise<void> {
  try {
    await call('PutItem', {
      TableName: tableName,
      Item: toItem(item),
      ConditionExpression: 'attribute_not_exists(#key)',
      ExpressionAttributeNames: { '#key': configTable.partitionKey },
    });
  } catch (error) {
    if (!(error instanceof DynamoDbError) || error.code !== 'ConditionalCheckFailedException') throw error;
  }
}

function toItem(item: RawItem): Item {
  return marshall(item, { removeUndefinedValues: true });
}
