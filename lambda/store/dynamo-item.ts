import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { RawItem } from '../config/raw-item.ts';
import { configTable } from './table-schema.ts';

/** An item or a key as DynamoDB sends and takes it. */
export type DynamoItem = Record<string, AttributeValue>;

/** Primary key of an item of the config table. */
export function itemKey(kind: string, name: string): DynamoItem {
  return { [configTable.partitionKey]: { S: kind }, [configTable.sortKey]: { S: name } };
}

/** Reads an item that a person wrote; sets become `Set`. */
export function rawItem(item: DynamoItem): RawItem {
  // By default a number that JavaScript would round throws, and one odd item would block all others.
  return unmarshall(item, { wrapNumbers: losslessNumber }) as RawItem;
}

/** A number that JavaScript would round stays text, and fails validation with the name of its field. */
function losslessNumber(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value)) ? value : text;
}
