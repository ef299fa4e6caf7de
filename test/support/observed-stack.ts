import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AttributeType, type ITable, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Observability } from '../../lib/observability.ts';

export type Widget = { type: string; x: number; width: number; properties: { title?: string; metrics?: unknown[][] } };

type Dimension = { Name: string; Value: unknown };
type SingleMetric = { Namespace: string; MetricName: string; Dimensions?: Dimension[] };

export type Alarm = Partial<SingleMetric> & {
  AlarmName: string;
  AlarmDescription: string;
  AlarmActions: unknown[];
  OKActions: unknown[];
  TreatMissingData: string;
  EvaluationPeriods: number;
  Threshold: number;
  Metrics?: { Expression?: string; MetricStat?: { Metric: SingleMetric } }[];
};

/** A metric that somebody looks at, with the names of its dimensions. */
export type AskedMetric = { namespace: string; name: string; dimensions: string[] };

/** What is looked at of the stack `Acme`, which is otherwise empty. */
export function observedStack(context: Record<string, unknown> = {}, probeEveryMinutes = 1): Template {
  const stack = new Stack(new App({ context }), 'Sluice', { stackName: 'Acme' });
  const one = (id: string) =>
    new LambdaFunction(stack, id, {
      runtime: Runtime.NODEJS_24_X,
      code: Code.fromInline('0'),
      handler: 'index.handler',
    });
  const functions = { gateway: one('Gateway'), compiler: one('Compiler'), prober: one('Prober') };
  const table = new TableV2(stack, 'Table', { partitionKey: { name: 'kind', type: AttributeType.STRING } });
  new Observability(stack, 'Observability', {
    gateway: functions.gateway,
    probeEvery: Duration.minutes(probeEveryMinutes),
    functions,
    tables: { config: table as ITable },
    failureQueues: { Compiler: new Queue(stack, 'Failures'), Prober: new Queue(stack, 'ProberFailures') },
  });
  return Template.fromStack(stack);
}

export function dashboardWidgets(from: Template): Widget[] {
  const [dashboard] = Object.values(from.findResources('AWS::CloudWatch::Dashboard'));
  const body = dashboard?.['Properties'].DashboardBody['Fn::Join'][1] as unknown[];
  return JSON.parse(body.map((part) => (typeof part === 'string' ? part : 'ref')).join('')).widgets;
}

export function alarmsOf(from: Template): Alarm[] {
  return Object.values(from.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties as Alarm);
}

/** Every metric that a widget asks for: directly, by a search, or by a query. */
export function askedByWidgets(widgets: Widget[]): AskedMetric[] {
  return widgets
    .flatMap(({ properties }) => properties.metrics ?? [])
    .flatMap((row) => {
      // A row is a namespace, a name, a name and a value of each dimension, and perhaps how it is shown.
      const texts = row.filter((part) => typeof part === 'string');
      const [namespace, name = '', ...pairs] = texts;
      if (namespace === undefined) return askedByExpression((row[0] as { expression: string }).expression);
      return [{ namespace, name, dimensions: pairs.filter((_, index) => index % 2 === 0) }];
    });
}

/** Every metric that an alarm asks for: directly, in a formula, or by a query. */
export function askedByAlarms(alarms: Alarm[]): AskedMetric[] {
  const single = ({ Namespace, MetricName, Dimensions = [] }: SingleMetric): AskedMetric => ({
    namespace: Namespace,
    name: MetricName,
    dimensions: Dimensions.map(({ Name }) => Name),
  });
  return alarms.flatMap(({ Namespace, MetricName, Dimensions = [], Metrics = [] }) => [
    ...(Namespace && MetricName ? [single({ Namespace, MetricName, Dimensions })] : []),
    ...Metrics.flatMap(({ Expression, MetricStat }) => [
      ...(MetricStat ? [single(MetricStat.Metric)] : []),
      ...(Expression ? askedByExpression(Expression) : []),
    ]),
  ]);
}

function askedByExpression(expression: string): AskedMetric[] {
  const search = /^SEARCH\('\{"(.+?)",(.+?)\} MetricName="(.+?)"', '\w+', 60\)$/.exec(expression);
  const query = /^SELECT \w+\("(.+?)"\) FROM SCHEMA\("(.+?)", (.+?)\) GROUP BY provider ORDER BY \w+\(\) DESC$/.exec(
    expression,
  );
  if (search) {
    const [, namespace = '', dimensions = '', name = ''] = search;
    return [{ namespace, name, dimensions: dimensions.replaceAll('"', '').split(',') }];
  }
  if (query) {
    const [, name = '', namespace = '', dimensions = ''] = query;
    return [{ namespace, name, dimensions: dimensions.split(', ') }];
  }
  // Arithmetic on metrics that stand beside it.
  if (/^(?:[a-z0-9 *+>=,()-]|IF|FILL|MAX|MIN)+$/.test(expression)) return [];
  throw new Error(`Nobody knows what ${expression} asks for`);
}
