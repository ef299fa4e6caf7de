/** The region and account that everything local pretends to live in. */
export const region = 'us-east-1';
export const accountId = '000000000000';

/** A resource of a template whose properties are resolved. */
export type Resource = { type: string; logicalId: string; properties: Record<string, unknown> };

type Identity = {
  /** Property that names the resource; without a value it is called after the stack and its logical id. */
  nameProperty?: string;
  ref?: (identity: { name: string; arn: string; properties: Record<string, unknown> }) => string;
  arn?: (name: string, properties: Record<string, unknown>) => string;
  attributes?: (identity: { name: string; arn: string; properties: Record<string, unknown> }) => Record<string, string>;
};

const arnOf = (service: string, resource: string): string => `arn:aws:${service}:${region}:${accountId}:${resource}`;

const table: Identity = {
  nameProperty: 'TableName',
  arn: (name) => arnOf('dynamodb', `table/${name}`),
  // The engine names streams itself; the poller asks it by the table's name.
  attributes: ({ arn }) => ({ StreamArn: `${arn}/stream/local` }),
};

const identities: Record<string, Identity> = {
  'AWS::DynamoDB::GlobalTable': table,
  'AWS::DynamoDB::Table': table,
  'AWS::Lambda::Function': {
    nameProperty: 'FunctionName',
    arn: (name) => arnOf('lambda', `function:${name}`),
  },
  'AWS::Lambda::Version': {
    ref: ({ properties }) => `${functionArn(properties)}:1`,
    attributes: ({ properties }) => ({ Version: '1', FunctionArn: `${functionArn(properties)}:1` }),
  },
  'AWS::Lambda::Alias': {
    nameProperty: 'Name',
    ref: ({ name, properties }) => `${functionArn(properties)}:${name}`,
    attributes: ({ name, properties }) => ({ AliasArn: `${functionArn(properties)}:${name}` }),
  },
  'AWS::Lambda::Url': {
    ref: ({ properties }) => String(properties['TargetFunctionArn']),
    attributes: ({ name, properties }) => ({
      FunctionArn: String(properties['TargetFunctionArn']),
      FunctionUrl: `https://${name.toLowerCase()}.lambda-url.${region}.on.aws/`,
    }),
  },
  'AWS::SecretsManager::Secret': {
    nameProperty: 'Name',
    // Secrets Manager appends six random characters.
    arn: (name) => arnOf('secretsmanager', `secret:${name}-Local0`),
    ref: ({ arn }) => arn,
    attributes: ({ arn }) => ({ Id: arn }),
  },
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    arn: (name) => arnOf('sqs', name),
    ref: ({ name }) => `https://sqs.${region}.amazonaws.com/${accountId}/${name}`,
    attributes: ({ name }) => ({
      QueueName: name,
      QueueUrl: `https://sqs.${region}.amazonaws.com/${accountId}/${name}`,
    }),
  },
  'AWS::Events::EventBus': { nameProperty: 'Name', arn: (name) => arnOf('events', `event-bus/${name}`) },
  'AWS::Logs::LogGroup': { nameProperty: 'LogGroupName', arn: (name) => arnOf('logs', `log-group:${name}:*`) },
  'AWS::IAM::Role': { nameProperty: 'RoleName', arn: (name) => `arn:aws:iam::${accountId}:role/${name}` },
};

/** What a resource is called here and what `Ref` and `Fn::GetAtt` answer for it. */
export type PhysicalIdentity = { name: string; arn: string; ref: string; attributes: Record<string, string> };

/** Names a resource as AWS would; of a type it does not know, it makes up something harmless. */
export function physicalIdentity({ type, logicalId, properties }: Resource, stackName: string): PhysicalIdentity {
  const identity = identities[type] ?? {};
  const given = identity.nameProperty === undefined ? undefined : properties[identity.nameProperty];
  const name = typeof given === 'string' ? given : `${stackName}-${logicalId}`;
  const arn = identity.arn?.(name, properties) ?? arnOf('local', name);
  const known = { name, arn, properties };
  return { name, arn, ref: identity.ref?.(known) ?? name, attributes: { Arn: arn, ...identity.attributes?.(known) } };
}

/** The name in a function's ARN, with or without qualifier, or the name itself. */
export function functionNameOf(nameOrArn: string): string {
  return /:function:([^:]+)/.exec(nameOrArn)?.[1] ?? nameOrArn;
}

function functionArn(properties: Record<string, unknown>): string {
  return arnOf('lambda', `function:${functionNameOf(String(properties['FunctionName']))}`);
}
