import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** Calls of DynamoDB, and the kinds of item that they may touch; `*` at the end of a kind stands for anything. */
export type KindsAccess = { actions: readonly string[]; kinds: readonly string[] };

/** Allows the calls on the items of these kinds of a table, and on no others. */
export function grantKinds(table: TableV2, grantee: IGrantable, { actions, kinds }: KindsAccess): void {
  const compare = kinds.some((kind) => kind.includes('*')) ? 'ForAllValues:StringLike' : 'ForAllValues:StringEquals';
  grantee.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({
      actions: actions.map((action) => `dynamodb:${action}`),
      resources: [table.tableArn],
      conditions: {
        [compare]: { 'dynamodb:LeadingKeys': [...kinds] },
        // ForAllValues holds when the request names no key at all, so a missing key is refused here.
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
        Null: { 'dynamodb:LeadingKeys': 'false' },
      },
    }),
  );
}
