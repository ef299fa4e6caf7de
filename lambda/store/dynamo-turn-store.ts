import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { callLimit, longestCallMs } from './call-limit.ts';
import { itemKey } from './dynamo-item.ts';
import { statsTable, turnKind } from './table-schema.ts';
import type { TurnStore } from './turn-store.ts';

/** A counter that nobody has used for so long begins anew. */
const keptMs = 7 * 86_400_000;

/** The counters in the stats table, where all gateways count on the same ones. */
export function dynamoTurnStore(
  client: DynamoDBClient,
  tableName: string,
  now: () => number,
  limitMs = longestCallMs,
): TurnStore {
  return {
    async take(name, count) {
      const result = await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: itemKey(turnKind, name),
          UpdateExpression: 'ADD taken :count SET #expiry = :expiry',
          ExpressionAttributeNames: { '#expiry': statsTable.expiry },
          ExpressionAttributeValues: {
            ':count': { N: String(count) },
            ':expiry': { N: String(Math.ceil((now() + keptMs) / 1000)) },
          },
          ReturnValues: 'UPDATED_NEW',
        }),
        callLimit(limitMs),
      );
      return Number(result.Attributes?.['taken']?.N ?? count) - count;
    },
  };
}
