import type { ResolvedResource } from './template.ts';

/** A table of the template: the request that creates it, and the attribute that expires its items. */
export type TableDefinition = {
  name: string;
  createRequest: Record<string, unknown>;
  timeToLiveAttribute: string | undefined;
};

/** Turns an `AWS::DynamoDB::Table` or `GlobalTable` into what `CreateTable` takes, on demand whatever its billing is. */
export function toTableDefinition({ identity, properties }: ResolvedResource): TableDefinition {
  const stream = properties['StreamSpecification'] as { StreamViewType?: string } | undefined;
  const timeToLive = properties['TimeToLiveSpecification'] as { Enabled?: boolean; AttributeName?: string } | undefined;
  return {
    name: identity.name,
    createRequest: {
      TableName: identity.name,
      AttributeDefinitions: properties['AttributeDefinitions'],
      KeySchema: properties['KeySchema'],
      BillingMode: 'PAY_PER_REQUEST',
      ...indexes('GlobalSecondaryIndexes', properties),
      ...indexes('LocalSecondaryIndexes', properties),
      ...(stream ? { StreamSpecification: { StreamEnabled: true, StreamViewType: stream.StreamViewType } } : {}),
    },
    timeToLiveAttribute: timeToLive?.Enabled ? timeToLive.AttributeName : undefined,
  };
}

/** Templates put throughput settings on indexes that `CreateTable` spells otherwise; on demand needs none. */
function indexes(name: string, properties: Record<string, unknown>): Record<string, unknown> {
  const list = properties[name] as Record<string, unknown>[] | undefined;
  if (!list?.length) return {};
  return { [name]: list.map(({ IndexName, KeySchema, Projection }) => ({ IndexName, KeySchema, Projection })) };
}
