import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { GatewayMetric, GatewayMetrics, TargetMetric } from './gateway-metrics.ts';

/** One picture of a dashboard. */
export type Graph = { title: string; lines: IMetric[]; stacked?: boolean };

/** The parts of a stack that are looked at, by the names that graphs show. */
export type ObservedParts = {
  gateway: IFunction;
  functions: Readonly<Record<string, IFunction>>;
  tables: Readonly<Record<string, ITable>>;
  failureQueues: Readonly<Record<string, IQueue>>;
  /** How often the prober tells what is known. */
  probeEvery: Duration;
};

type Labels<M extends string> = Partial<Record<M, string>>;

const percentiles = [50, 95, 99];
const period = Duration.minutes(1);
const maximum = { period, statistic: Stats.MAXIMUM };

export function callerGraphs(metrics: GatewayMetrics): Graph[] {
  return [
    { title: 'Requests', lines: counts(metrics, { requests: 'requests', coldStarts: 'cold starts' }) },
    {
      title: 'Errors by fault',
      lines: counts(metrics, {
        callerErrors: 'caller',
        policyErrors: 'policy',
        providerErrors: 'provider',
        gatewayErrors: 'gateway',
      }),
      stacked: true,
    },
    { title: 'Time to first content of streams (s)', lines: percentilesOf(metrics, 'firstTokenSeconds') },
    { title: 'Time to the end of answers (s)', lines: percentilesOf(metrics, 'requestSeconds') },
  ];
}

export function targetGraphs(metrics: GatewayMetrics): Graph[][] {
  const waits = percentiles.map((percentile) => ({
    title: `Time to first content, p${percentile} (s)`,
    lines: [metrics.ofTargets('firstChunkSeconds', Stats.percentile(percentile))],
  }));
  return [
    [{ title: 'Attempts', lines: [metrics.ofTargets('attemptFailures', Stats.SAMPLE_COUNT)] }, ...waits],
    [
      { title: 'Failing share of attempts', lines: [metrics.ofTargets('attemptFailures', Stats.AVERAGE)] },
      { title: 'Failed attempts by provider', lines: [metrics.byProvider('attemptFailures', 'SUM', { label: '' })] },
      { title: 'Breakers', lines: sums(metrics, { breakersOpened: 'opened', breakersClosed: 'closed' }) },
      { title: 'Whole answers, p95 (s)', lines: [metrics.ofTargets('answerSeconds', Stats.percentile(95))] },
    ],
    [
      { title: 'Tokens read', lines: sums(metrics, { inputTokens: '' }) },
      { title: 'Tokens written', lines: sums(metrics, { outputTokens: '' }) },
      {
        title: 'Of those, in caches and in thoughts',
        lines: sums(metrics, {
          cacheReadInputTokens: 'from cache',
          cacheCreationInputTokens: 'into cache',
          reasoningOutputTokens: 'thoughts',
        }),
      },
    ],
  ];
}

export function scoreGraphs(metrics: GatewayMetrics): Graph[] {
  return [
    {
      title: 'Median time to first content, by the scores (s)',
      lines: [metrics.ofTargets('scoreFirstChunkSeconds', Stats.AVERAGE)],
    },
    { title: 'Failing share, by the scores', lines: [metrics.ofTargets('scoreFailureRatio', Stats.AVERAGE)] },
    {
      title: 'Probes',
      lines: [
        metrics.ofTargets('probeFailures', Stats.SAMPLE_COUNT, 'sent'),
        ...sums(metrics, { probeFailures: 'failed', probeTokens: 'tokens' }),
      ],
    },
    {
      title: 'Models without a healthy target',
      lines: [metrics.of('modelsWithoutTarget', Stats.MAXIMUM, { label: 'models' })],
    },
  ];
}

export function partGraphs(metrics: GatewayMetrics, parts: ObservedParts): Graph[][] {
  const { gateway, functions, tables, failureQueues } = parts;
  const overhead = percentiles.map(
    (percentile) =>
      new MathExpression({
        expression: `p${percentile} * 1000`,
        usingMetrics: { [`p${percentile}`]: metrics.of('overheadSeconds', Stats.percentile(percentile)) },
        label: `p${percentile}`,
        period,
      }),
  );
  const throttles = (['ReadThrottleEvents', 'WriteThrottleEvents'] as const).flatMap((metric) =>
    Object.entries(tables).map(([name, table]) =>
      table.metric(metric, {
        period,
        statistic: Stats.SUM,
        label: `${name} ${metric === 'ReadThrottleEvents' ? 'reads' : 'writes'}`,
      }),
    ),
  );
  return [
    [
      { title: 'Its own time (ms)', lines: overhead },
      {
        title: 'Environments in use',
        lines: [gateway.metric('ConcurrentExecutions', { ...maximum, label: 'gateway' })],
      },
      {
        title: 'Crashes and throttles',
        lines: [
          ...Object.entries(functions).flatMap(([name, one]) => [
            one.metricErrors({ period, label: `${name} crashes` }),
            one.metricThrottles({ period, label: `${name} throttles` }),
          ]),
          ...counts(metrics, { answersCutOff: 'of those, answers cut off' }),
        ],
      },
      { title: 'Table throttles', lines: throttles },
    ],
    [
      { title: 'Configuration', lines: counts(metrics, { configPublished: 'accepted', configRejected: 'rejected' }) },
      {
        title: 'Failure queues',
        lines: Object.entries(failureQueues).map(([name, queue]) =>
          queue.metricApproximateNumberOfMessagesVisible({ ...maximum, label: name }),
        ),
      },
      {
        title: 'Lost or late',
        lines: counts(metrics, {
          samplesLost: 'flushes of samples',
          foldFailures: 'folds',
          refreshFailures: 'refreshes of caches',
          eventsLost: 'events',
        }),
      },
    ],
  ];
}

function counts(metrics: GatewayMetrics, labels: Labels<GatewayMetric>): IMetric[] {
  const entries = Object.entries(labels) as [GatewayMetric, string][];
  return entries.map(([metric, label]) => metrics.of(metric, Stats.SUM, { label }));
}

function sums(metrics: GatewayMetrics, labels: Labels<TargetMetric>): IMetric[] {
  const entries = Object.entries(labels) as [TargetMetric, string][];
  return entries.map(([metric, label]) => metrics.ofTargets(metric, Stats.SUM, label));
}

function percentilesOf(metrics: GatewayMetrics, metric: GatewayMetric): IMetric[] {
  return percentiles.map((percentile) => metrics.of(metric, Stats.percentile(percentile), { label: `p${percentile}` }));
}
