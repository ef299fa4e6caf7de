import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmBase,
  AlarmRule,
  ComparisonOperator,
  CompositeAlarm,
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
  /** How often the prober tells what is known. */
  probeEvery: Duration;
};

type Condition = {
  metric: IMetric;
  description: string;
  threshold: number;
  /** Of how many periods it has to hold, and in how many of them; in all without a number. */
  periods: number;
  inPeriods?: number;
  /** How the metric stands to the threshold; at or above it, where nothing is said. */
  compare?: ComparisonOperator;
  missing?: TreatMissingData;
};

const fiveMinutes = Duration.minutes(5);

/** In five minutes. Not more, since breakers let few attempts through to a provider that is down, one a minute where its key is refused. */
const leastFailures = 3;

/** What wakes somebody. What each alarm means, and what to do then, stands in docs/operations.md. */
export class Alarms extends Construct {
  readonly all: AlarmBase[] = [];
  private readonly topic: ITopic;

  constructor(scope: Construct, id: string, { topic, ...props }: AlarmsProps) {
    super(scope, id);
    this.topic = topic;
    this.watchProviders(props);
    this.watchGateway(props);
    this.watchFirstContent(props);
    this.watchConfiguration(props);
    this.watchProber(props);
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
    const { alarmProviderErrorRatio: ratio } = settings;
    const period = fiveMinutes;
    const share = this.alarm('ProviderErrorShare', {
      metric: metrics.byProvider('attemptFailures', 'AVG', { period, label: 'failing share of attempts' }),
      description: 'A large share of the attempts at one provider fails, be they many or few. Part of ProviderErrors.',
      threshold: ratio,
      periods: 3,
    });
    const count = this.alarm('ProviderErrorCount', {
      metric: metrics.byProvider('attemptFailures', 'SUM', { period, label: 'failed attempts' }),
      description: 'Some attempts at one provider fail, be it a large share of them or not. Part of ProviderErrors.',
      threshold: leastFailures,
      periods: 3,
    });
    // A query by provider can be an alarm, but no part of a formula: so one that fails of two wakes nobody.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-data-queries.html
    const both = new CompositeAlarm(this, 'ProviderErrors', {
      compositeAlarmName: `${Stack.of(this).stackName}-ProviderErrors`,
      alarmDescription: described('Most attempts at one provider fail. Callers may not notice while others answer.'),
      alarmRule: AlarmRule.allOf(share, count),
    });
    this.tell(both);
    this.all.push(share, count);
  }

  private watchGateway({ metrics, settings, gateway }: Omit<AlarmsProps, 'topic'>): void {
    const options = { period: fiveMinutes, statistic: Stats.SUM };
    this.add('GatewayErrors', {
      metric: new MathExpression({
        // Lambda takes an answer that is broken off on purpose for a crash, be it the vendor's fault or ours.
        expression:
          'FILL(answered, 0) + IF(FILL(failed, 0) > FILL(cut, 0), FILL(failed, 0) - FILL(cut, 0), 0) + FILL(throttled, 0)',
        usingMetrics: {
          answered: metrics.of('gatewayErrors', Stats.SUM, { period: fiveMinutes }),
          failed: gateway.metricErrors(options),
          cut: metrics.of('answersCutOff', Stats.SUM, { period: fiveMinutes }),
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
      compare: ComparisonOperator.GREATER_THAN_THRESHOLD,
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

  /** The prober tells what it knows after each run, so that its silence means something. */
  private watchProber({ metrics, probeEvery }: Omit<AlarmsProps, 'topic'>): void {
    const seconds = (least: number) => Duration.seconds(Math.max(probeEvery.toSeconds(), least));
    this.add('NoHealthyTarget', {
      metric: metrics.of('modelsWithoutTarget', Stats.MAXIMUM, { period: seconds(60) }),
      description: 'Every target of a model is failing: its callers get errors.',
      threshold: 1,
      // Runs do not come on the second: a minute may have none of them, and the next one two.
      periods: 5,
      inPeriods: 3,
    });
    this.add('ProberSilent', {
      metric: metrics.of('modelsWithoutTarget', Stats.SAMPLE_COUNT, { period: seconds(300) }),
      description: 'The prober has not done its work for a while. Until it does, NoHealthyTarget cannot go off.',
      threshold: 1,
      periods: 3,
      compare: ComparisonOperator.LESS_THAN_THRESHOLD,
      missing: TreatMissingData.BREACHING,
    });
  }

  private add(id: string, condition: Condition): void {
    this.tell(this.alarm(id, condition));
  }

  private alarm(id: string, { metric, description, threshold, periods, ...condition }: Condition): Alarm {
    const { inPeriods = periods, compare = ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD } = condition;
    return new Alarm(this, id, {
      alarmName: `${Stack.of(this).stackName}-${id}`,
      alarmDescription: described(description),
      metric,
      threshold,
      evaluationPeriods: periods,
      datapointsToAlarm: inPeriods,
      comparisonOperator: compare,
      // No traffic is no fault.
      treatMissingData: condition.missing ?? TreatMissingData.NOT_BREACHING,
    });
  }

  private tell(alarm: AlarmBase): void {
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
    this.all.push(alarm);
  }
}

function described(what: string): string {
  return `${what} See "Alarms" in docs/operations.md.`;
}
