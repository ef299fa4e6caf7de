import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { AlarmSettings } from './alarm-settings.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';

export type AlarmsProps = {
  metrics: GatewayMetrics;
  settings: AlarmSettings;
  topic: ITopic;
  gateway: IFunction;
  failureQueues: Readonly<Record<string, IQueue>>;
};

type Condition = {
  metric: IMetric;
  description: string;
  threshold: number;
  /** How many periods in a row it has to hold. */
  periods: number;
  above?: boolean;
};

const fiveMinutes = Duration.minutes(5);

/** What wakes somebody. What each alarm means, and what to do then, stands in docs/operations.md. */
export class Alarms extends Construct {
  readonly all: Alarm[] = [];
  private readonly topic: ITopic;

  constructor(scope: Construct, id: string, { topic, ...props }: AlarmsProps) {
    super(scope, id);
    this.topic = topic;
    this.watchProviders(props);
    this.watchGateway(props);
    this.watchFirstContent(props);
    this.watchConfiguration(props);
    for (const [name, queue] of Object.entries(props.failureQueues)) {
      this.add(`${name}Failures`, {
        metric: queue.metricApproximateNumberOfMessagesVisible({ period: fiveMinutes, statistic: Stats.MAXIMUM }),
        description: 'Something could not be processed, and lies in the failure queue. Nothing more is done about it.',
        threshold: 1,
        periods: 1,
      });
    }
  }

  /** Each provider is judged for itself; a provider that nobody asks has no data and is well. */
  private watchProviders({ metrics, settings }: Omit<AlarmsProps, 'topic'>): void {
    this.add('ProviderErrors', {
      metric: metrics.byProvider('attemptFailures', 'AVG', { period: fiveMinutes, label: 'failing share of attempts' }),
      description: 'Too many attempts at one provider fail. Callers may not notice while other targets answer.',
      threshold: settings.alarmProviderErrorRatio,
      // One attempt that fails in each of them is enough: three periods keep a single hitch from waking anybody.
      periods: 3,
    });
    this.add('NoHealthyTarget', {
      metric: metrics.of('modelsWithoutTarget', Stats.MAXIMUM),
      description: 'Every target of a model is failing: its callers get errors.',
      threshold: 1,
      periods: 2,
    });
  }

  private watchGateway({ metrics, settings, gateway }: Omit<AlarmsProps, 'topic'>): void {
    const options = { period: fiveMinutes, statistic: Stats.SUM };
    this.add('GatewayErrors', {
      metric: new MathExpression({
        expression: 'FILL(answered, 0) + FILL(crashed, 0) + FILL(throttled, 0)',
        usingMetrics: {
          answered: metrics.of('gatewayErrors', Stats.SUM, { period: fiveMinutes }),
          crashed: gateway.metricErrors(options),
          throttled: gateway.metricThrottles(options),
        },
        period: fiveMinutes,
        label: 'errors of the gateway itself',
      }),
      description: 'Requests failed by a fault of the gateway: internal errors, crashes, or too few environments.',
      threshold: settings.alarmGatewayErrors,
      periods: 1,
    });
  }

  private watchFirstContent({ metrics, settings }: Omit<AlarmsProps, 'topic'>): void {
    this.add('FirstContent', {
      metric: new MathExpression({
        expression: `IF(streams >= ${settings.alarmMinimumRequests}, wait, 0)`,
        usingMetrics: {
          streams: metrics.of('firstTokenSeconds', Stats.SAMPLE_COUNT, { period: fiveMinutes }),
          wait: metrics.of('firstTokenSeconds', Stats.percentile(95), { period: fiveMinutes }),
        },
        period: fiveMinutes,
        label: 'p95 of the time to the first content',
      }),
      description: 'Callers wait long for the first content of their streams.',
      threshold: settings.alarmFirstContentSeconds,
      periods: 3,
      above: true,
    });
  }

  private watchConfiguration({ metrics }: Omit<AlarmsProps, 'topic'>): void {
    this.add('ConfigRejected', {
      metric: metrics.of('configRejected', Stats.SUM, { period: fiveMinutes }),
      description: 'An edit of the configuration was rejected. What was in force before it still is.',
      threshold: 1,
      periods: 1,
    });
  }

  private add(id: string, { metric, description, threshold, periods, above = false }: Condition): void {
    const alarm = new Alarm(this, id, {
      alarmName: `${Stack.of(this).stackName}-${id}`,
      alarmDescription: `${description} See "Alarms" in docs/operations.md.`,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: above
        ? ComparisonOperator.GREATER_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // No traffic is no fault.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
    this.all.push(alarm);
  }
}
