import { type IntrinsicScope, noValue, resolveIntrinsics } from './intrinsics.ts';
import { accountId, type PhysicalIdentity, physicalIdentity, type Resource, region } from './physical-names.ts';

/** A CloudFormation template as `cdk synth` writes it. */
export type Template = {
  Resources?: Record<string, { Type: string; Properties?: Record<string, unknown>; Condition?: string }>;
  Parameters?: Record<string, { Default?: unknown }>;
  Conditions?: Record<string, unknown>;
  Mappings?: Record<string, Record<string, Record<string, unknown>>>;
};

/** A resource with its name, its ARN and its properties, all resolved. */
export type ResolvedResource = Resource & { identity: PhysicalIdentity };

const pseudoParameters: Record<string, unknown> = {
  'AWS::Region': region,
  'AWS::AccountId': accountId,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::NotificationARNs': [],
  'AWS::NoValue': noValue,
};

/** Resolves every resource of a template; those whose condition is false are left out. */
export function resolveTemplate(template: Template, stackName: string): ResolvedResource[] {
  const { Resources = {}, Parameters = {}, Conditions = {}, Mappings = {} } = template;
  const resolved = new Map<string, ResolvedResource>();
  const inProgress = new Set<string>();

  const scope: IntrinsicScope = {
    conditions: Conditions,
    mappings: Mappings,
    ref(name) {
      if (name === 'AWS::StackName') return stackName;
      if (name === 'AWS::StackId') return `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/local`;
      if (name in pseudoParameters) return pseudoParameters[name];
      if (name in Parameters) return Parameters[name]?.Default;
      return resource(name)?.identity.ref;
    },
    getAtt: (logicalId, attribute) =>
      resource(logicalId)?.identity.attributes[attribute] ?? `${stackName}-${logicalId}.${attribute}`,
  };

  function resource(logicalId: string): ResolvedResource | undefined {
    const known = resolved.get(logicalId);
    const source = Resources[logicalId];
    if (known || !source) return known;
    if (inProgress.has(logicalId)) throw new Error(`The template's resource ${logicalId} refers to itself`);
    inProgress.add(logicalId);
    const properties = resolveIntrinsics(source.Properties ?? {}, scope) as Record<string, unknown>;
    const plain = { type: source.Type, logicalId, properties };
    const complete = { ...plain, identity: physicalIdentity(plain, stackName) };
    resolved.set(logicalId, complete);
    return complete;
  }

  return Object.entries(Resources)
    .filter(([, { Condition }]) => !Condition || resolveIntrinsics({ Condition }, scope) === true)
    .map(([logicalId]) => resource(logicalId) as ResolvedResource);
}
