import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, Billing, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { configTable } from '../lambda/store/table-schema.ts';
import { grantKinds } from './grant-kinds.ts';

/** What people configured and what the compiler made of it. The one part of the stack that cannot be rebuilt. */
export class ConfigState extends Construct {
  readonly table: TableV2;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.table = new TableV2(this, 'Table', {
      tableName: `${Stack.of(this).stackName}-Config`,
      partitionKey: { name: configTable.partitionKey, type: AttributeType.STRING },
      sortKey: { name: configTable.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: 'expiresAtSeconds',
      // The only view type with which a table can get replicas in other regions later.
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
      // A fuse, far above what a full fleet reads: guessing keys at full speed costs some dollars an hour at most.
      billing: Billing.onDemand({ maxReadRequestUnits: 10_000, maxWriteRequestUnits: 1_000 }),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // Written by people, by hand: neither a deleted stack nor a slip at the console may take it along.
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  /** Allows `actions` on the items of these kinds, and on no others. */
  grantKinds(grantee: IGrantable, actions: readonly string[], kinds: readonly string[]): void {
    grantKinds(this.table, grantee, { actions, kinds });
  }
}
