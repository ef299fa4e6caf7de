import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import {
  foldKind,
  idempotencyKind,
  liveKind,
  outcomesKind,
  probesKind,
  samplesPrefix,
  statsTable,
  turnKind,
} from '../lambda/store/table-schema.ts';
import { grantKinds, type KindsAccess } from './grant-kinds.ts';

const samplesKinds = `${samplesPrefix}*`;

/** What is known of the targets at the moment. All of it was written by machines, expires, and is learnt again. */
export class Measurement extends Construct {
  readonly table: TableV2;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.table = new TableV2(this, 'Table', {
      tableName: `${Stack.of(this).stackName}-Stats`,
      partitionKey: { name: statsTable.partitionKey, type: AttributeType.STRING },
      sortKey: { name: statsTable.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: statsTable.expiry,
      // A fuse, far above what a thousand environments do: each reads every 2 seconds and writes every 3.
      billing: Billing.onDemand({ maxReadRequestUnits: 8_000, maxWriteRequestUnits: 4_000 }),
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  grantKinds(grantee: IGrantable, access: KindsAccess): void {
    grantKinds(this.table, grantee, access);
  }

  /** Writing samples, and folding everybody's into the scores. */
  grantFold(grantee: IGrantable): void {
    this.grantKinds(grantee, { actions: ['Query'], kinds: [liveKind, samplesKinds] });
    this.grantKinds(grantee, { actions: ['GetItem'], kinds: [foldKind] });
    this.grantKinds(grantee, { actions: ['PutItem'], kinds: [liveKind, foldKind, samplesKinds] });
  }

  /** Opening, leasing and closing breakers, and counting towards them. */
  grantBreakers(grantee: IGrantable): void {
    this.grantKinds(grantee, { actions: ['UpdateItem', 'DeleteItem'], kinds: [liveKind] });
    this.grantKinds(grantee, { actions: ['UpdateItem'], kinds: [outcomesKind] });
  }

  /** Counting on the counters of the fleet. */
  grantTurns(grantee: IGrantable): void {
    this.grantKinds(grantee, { actions: ['UpdateItem'], kinds: [turnKind] });
  }

  /** Keeping to the budgets of probes. */
  grantProbes(grantee: IGrantable): void {
    this.grantKinds(grantee, { actions: ['UpdateItem'], kinds: [probesKind] });
  }

  /** Keeping answers, to replay them. */
  grantIdempotency(grantee: IGrantable): void {
    const actions = ['Query', 'PutItem', 'UpdateItem', 'DeleteItem'];
    this.grantKinds(grantee, { actions, kinds: [idempotencyKind('*')] });
  }
}
