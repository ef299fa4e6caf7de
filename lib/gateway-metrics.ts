import { Duration } from 'aws-cdk-lib';
import { MathExpression, type MathExpressionOptions, Metric, SearchExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { type Metric as MetricKey, metricDefinitions, targetDimensions } from '../lambda/telemetry/metric-names.ts';

/** The metrics of one kind of subject. */
type MetricOf<Subject> = {
  [K in MetricKey]: (typeof metricDefinitions)[K]['of'] extends Subject ? K : never;
}[MetricKey];

export type GatewayMetric = MetricOf<'gateway'>;
export type TargetMetric = MetricOf<'target'>;

const graphPeriod = Duration.minutes(1);

/** Asks for the metrics that the functions of a stack emit: only by the names in the list that they emit from. */
export class GatewayMetrics {
  private readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  /** A metric of the whole gateway. */
  of(metric: GatewayMetric, statistic: string, options: { label?: string; period?: Duration } = {}): Metric {
    const { name: metricName } = metricDefinitions[metric];
    return new Metric({ namespace: this.namespace, metricName, statistic, period: graphPeriod, ...options });
  }

  /** A metric of each target, whichever there are: those that come later appear by themselves. */
  ofTargets(metric: TargetMetric, statistic: string, label = ''): SearchExpression {
    const { name } = metricDefinitions[metric];
    const schema = [this.namespace, ...targetDimensions].map((part) => `"${part}"`).join(',');
    const seconds = graphPeriod.toSeconds();
    return new SearchExpression({
      expression: `SEARCH('{${schema}} MetricName="${name}"', '${statistic}', ${seconds})`,
      label: `${targetDimensions.map((name) => `\${PROP('Dim.${name}')}`).join('/')} ${label}`.trim(),
      period: graphPeriod,
    });
  }

  /** A metric of the targets, added up or averaged for each provider, whichever there are. */
  byProvider(
    metric: TargetMetric,
    aggregate: 'AVG' | 'SUM',
    options: Pick<MathExpressionOptions, 'period' | 'label'> = {},
  ): MathExpression {
    const { name } = metricDefinitions[metric];
    const schema = [`"${this.namespace}"`, ...targetDimensions].join(', ');
    return new MathExpression({
      // An alarm on several series needs both clauses at the end.
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Metrics_Insights_Alarm.html
      expression: `SELECT ${aggregate}("${name}") FROM SCHEMA(${schema}) GROUP BY provider ORDER BY ${aggregate}() DESC`,
      period: graphPeriod,
      ...options,
    });
  }
}
