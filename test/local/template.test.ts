// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what CloudFormation's Fn::Sub takes
import { describe, expect, test } from '@jest/globals';
import { resolveTemplate, type Template } from '../../local/template.ts';

/** The resolved properties of a resource in a template that holds it beside a table, a function and more. */
function propertiesOf(properties: Record<string, unknown>, rest: Partial<Template> = {}): Record<string, unknown> {
  const template: Template = {
    ...rest,
    Resources: {
      Table: { Type: 'AWS::DynamoDB::GlobalTable', Properties: { TableName: 'Config' } },
      Function: { Type: 'AWS::Lambda::Function', Properties: {} },
      Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Function' } } },
      Alias: { Type: 'AWS::Lambda::Alias', Properties: { Name: 'live', FunctionName: { Ref: 'Function' } } },
      Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'keys' } },
      Queue: { Type: 'AWS::SQS::Queue' },
      Subject: { Type: 'Custom::Thing', Properties: properties },
    },
  };
  return resolveTemplate(template, 'Sluice').find(({ logicalId }) => logicalId === 'Subject')!.properties;
}

describe('intrinsic functions', () => {
  test.each<[string, unknown, unknown]>([
    ['Ref to a table with a name', { Ref: 'Table' }, 'Config'],
    ['Ref to a resource without a name', { Ref: 'Function' }, 'Sluice-Function'],
    ['Ref to a secret', { Ref: 'Secret' }, 'arn:aws:secretsmanager:us-east-1:000000000000:secret:keys-Local0'],
    ['Ref to a version', { Ref: 'Version' }, 'arn:aws:lambda:us-east-1:000000000000:function:Sluice-Function:1'],
    ['Ref to an alias', { Ref: 'Alias' }, 'arn:aws:lambda:us-east-1:000000000000:function:Sluice-Function:live'],
    ['Ref to a queue', { Ref: 'Queue' }, 'https://sqs.us-east-1.amazonaws.com/000000000000/Sluice-Queue'],
    ['Ref to a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['Ref to a parameter', { Ref: 'Stage' }, 'test'],
    [
      'GetAtt as a list',
      { 'Fn::GetAtt': ['Function', 'Arn'] },
      'arn:aws:lambda:us-east-1:000000000000:function:Sluice-Function',
    ],
    ['GetAtt as text', { 'Fn::GetAtt': 'Queue.QueueName' }, 'Sluice-Queue'],
    ['GetAtt of an attribute nobody knows', { 'Fn::GetAtt': ['Queue', 'Odd'] }, 'Sluice-Queue.Odd'],
    ['Join over functions', { 'Fn::Join': ['/', ['a', { Ref: 'Table' }, 'b']] }, 'a/Config/b'],
    [
      'Sub',
      { 'Fn::Sub': '${Table}-${Queue.QueueName}-${AWS::AccountId}-${!Literal}' },
      'Config-Sluice-Queue-000000000000-${Literal}',
    ],
    ['Sub with variables', { 'Fn::Sub': ['${x}/${AWS::StackName}', { x: { Ref: 'Table' } }] }, 'Config/Sluice'],
    ['Select from a split', { 'Fn::Select': [1, { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    ['If that holds', { 'Fn::If': ['IsTest', 'yes', 'no'] }, 'yes'],
    ['If over a combined condition', { 'Fn::If': ['IsOther', 'yes', 'no'] }, 'no'],
    ['FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'memory'] }, 512],
    ['Base64', { 'Fn::Base64': 'hi' }, 'aGk='],
  ])('resolves %s', (_name, value, expected) => {
    const properties = propertiesOf(
      { value },
      {
        Parameters: { Stage: { Default: 'test' } },
        Mappings: { Sizes: { test: { memory: 512 } } },
        Conditions: {
          IsTest: { 'Fn::Equals': [{ Ref: 'Stage' }, 'test'] },
          IsOther: { 'Fn::And': [{ Condition: 'IsTest' }, { 'Fn::Not': [{ Condition: 'IsTest' }] }] },
        },
      },
    );

    expect(properties['value']).toEqual(expected);
  });

  test('removes what AWS::NoValue stands for', () => {
    const properties = propertiesOf({ gone: { Ref: 'AWS::NoValue' }, list: ['a', { Ref: 'AWS::NoValue' }] });

    expect(properties).toEqual({ list: ['a'] });
  });

  test('leaves a Condition block of a policy statement alone', () => {
    const statement = { Condition: { StringEquals: { a: { Ref: 'Table' } } } };

    expect(propertiesOf({ statement })).toEqual({ statement: { Condition: { StringEquals: { a: 'Config' } } } });
  });

  test('leaves out resources whose condition is false', () => {
    const template: Template = {
      Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
      Resources: { Table: { Type: 'AWS::DynamoDB::Table', Condition: 'Never' } },
    };

    expect(resolveTemplate(template, 'Sluice')).toEqual([]);
  });

  test('refuses a template that refers to itself in a circle', () => {
    const template: Template = { Resources: { A: { Type: 'X', Properties: { self: { Ref: 'A' } } } } };

    expect(() => resolveTemplate(template, 'Sluice')).toThrow('A refers to itself');
  });
});
