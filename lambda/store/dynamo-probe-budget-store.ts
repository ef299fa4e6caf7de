import { ConditionalCheckFailedException, type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { callLimit, longestCallMs } from './call-limit.ts';
import { itemKey } from './dynamo-item.ts';
import { budgetDay, type ProbeBudgetStore } from './probe-budget-store.ts';
import { probesKind, statsTable } from './table-schema.ts';

const keptMs = 2 * 86_400_000;

/** The budgets in the stats table, one item for each target and day. */
export function dynamoProbeBudgetStore(
  client: DynamoDBClient,
  tableName: string,
  limitMs = longestCallMs,
): ProbeBudgetStore {
  const add = (target: string, tokens: number, nowMs: number, mostBefore?: number) =>
    client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: itemKey(probesKind, `${budgetDay(nowMs)}#${target}`),
        UpdateExpression: 'ADD spent :tokens SET #expiry = :expiry',
        ...(mostBefore !== undefined && { ConditionExpression: 'attribute_not_exists(spent) OR spent <= :most' }),
        ExpressionAttributeNames: { '#expiry': statsTable.expiry },
        ExpressionAttributeValues: {
          ':tokens': { N: String(tokens) },
          ':expiry': { N: String(Math.ceil((nowMs + keptMs) / 1000)) },
          ...(mostBefore !== undefined && { ':most': { N: String(mostBefore) } }),
        },
      }),
      callLimit(limitMs),
    );
  return {
    async reserve(target, { tokens, dailyTokens, nowMs }) {
      if (tokens > dailyTokens) return false;
      try {
        await add(target, tokens, nowMs, dailyTokens - tokens);
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
    settle: async (target, { tokens, nowMs }) => void (await add(target, tokens, nowMs)),
  };
}
