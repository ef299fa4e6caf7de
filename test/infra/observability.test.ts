import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { metricDefinitions, targetDimensions } from '../../lambda/telemetry/metric-names.ts';
import {
  type Alarm,
  alarmsOf,
  askedByAlarms,
  askedByWidgets,
  dashboardWidgets,
  observedStack,
} from '../support/observed-stack.ts';

const template = observedStack();
const widgets = dashboardWidgets(template);
const alarms = alarmsOf(template);

const waking = [
  ...alarms.filter(({ AlarmActions }) => AlarmActions),
  ...Object.values(template.findResources('AWS::CloudWatch::CompositeAlarm')).map(
    ({ Properties }) => Properties as Alarm,
  ),
];

const byName = new Map<string, string>(Object.values(metricDefinitions).map(({ name, of }) => [name, of]));
const asked = askedByWidgets(widgets);

describe('the dashboard', () => {
  test('asks for nothing that no function emits', () => {
    const ours = asked.filter(({ namespace }) => !namespace.startsWith('AWS/'));

    expect(ours.length).toBeGreaterThan(20);
    for (const { namespace, name, dimensions } of ours) {
      expect({ name, namespace }).toEqual({ name, namespace: 'Acme' });
      expect({ name, dimensions }).toEqual({
        name,
        dimensions: byName.get(name) === 'target' ? [...targetDimensions] : [],
      });
      expect([...byName.keys()]).toContain(name);
    }
  });

  test('shows everything that is emitted', () => {
    const shown = new Set(asked.map(({ name }) => name));

    expect([...byName.keys()].filter((name) => !shown.has(name))).toEqual([]);
  });

  test('shows what AWS knows of the parts', () => {
    const shown = asked.filter(({ namespace }) => namespace.startsWith('AWS/')).map(({ name }) => name);

    expect([...new Set(shown)].sort()).toEqual([
      'ApproximateNumberOfMessagesVisible',
      'ConcurrentExecutions',
      'Errors',
      'ReadThrottleEvents',
      'Throttles',
      'WriteThrottleEvents',
    ]);
  });

  test('shows waits of targets at three percentiles', () => {
    const titles = widgets.map(({ properties }) => properties.title);

    for (const percentile of [50, 95, 99]) expect(titles).toContain(`Time to first content, p${percentile} (s)`);
  });

  test('fills its rows', () => {
    for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
    expect(widgets.filter(({ type }) => type === 'text').map(({ width }) => width)).toEqual([24, 24, 24, 24]);
  });
});

describe('alarms', () => {
  test('are the ones that somebody has to hear of', () => {
    expect(alarms.map(({ AlarmName }) => AlarmName).sort()).toEqual([
      'Acme-CompilerFailures',
      'Acme-ConfigRejected',
      'Acme-FirstContent',
      'Acme-GatewayErrors',
      'Acme-NoHealthyTarget',
      'Acme-ProberFailures',
      'Acme-ProberSilent',
      'Acme-ProviderErrorCount',
      'Acme-ProviderErrorShare',
    ]);
  });

  test.each(waking.map((alarm) => [alarm.AlarmName, alarm] as const))(
    '%s tells the topic when it begins and when it is over, and holds silence for health, but for that of the prober',
    (_, alarm) => {
      const topic = { Ref: expect.stringMatching(/^ObservabilityAlarmTopic/) };
      const missing = alarm.AlarmName === 'Acme-ProberSilent' ? 'breaching' : 'notBreaching';
      expect(alarm).toMatchObject({ AlarmActions: [topic], OKActions: [topic] });
      expect(alarm.TreatMissingData ?? missing).toBe(missing);
      expect(alarm.AlarmDescription).toContain('docs/operations.md');
    },
  );

  test('ask for nothing that no function emits', () => {
    const ours = askedByAlarms(alarms).filter(({ namespace }) => !namespace.startsWith('AWS/'));
    const names = ours.map(({ name }) => name);

    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect([...byName.keys()]).toContain(name);
  });

  test('judge each provider for itself, by the share of its attempts that fail, and not by one or two of them', () => {
    const conditions = [
      ['Share', 'AVG', 0.5],
      ['Count', 'SUM', 3],
    ] as const;
    for (const [name, aggregate, Threshold] of conditions) {
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmName: `Acme-ProviderError${name}`,
        Metrics: [
          Match.objectLike({
            Expression: Match.stringLikeRegexp(
              `^SELECT ${aggregate}\\("sluice.attempt.failures"\\).* GROUP BY provider`,
            ),
            Period: 300,
          }),
        ],
        EvaluationPeriods: 3,
        Threshold,
        // They wake nobody by themselves.
        AlarmActions: Match.absent(),
      });
    }
    const both = JSON.stringify(template.findResources('AWS::CloudWatch::CompositeAlarm'));
    expect(both).toMatch(/ALARM\(.*ErrorShare.*AND ALARM\(.*ErrorCount/);
  });

  test.each([
    [1, 60, 300],
    [15, 900, 900],
  ])('hear of every run of a prober that runs every %d minutes, and of its silence', (minutes, told, heard) => {
    const rare = observedStack({}, minutes);

    rare.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'Acme-NoHealthyTarget',
      Statistic: 'Maximum',
      Period: told,
      EvaluationPeriods: 5,
      DatapointsToAlarm: 3,
    });
    rare.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'Acme-ProberSilent',
      MetricName: 'sluice.models.without_healthy_target',
      Statistic: 'SampleCount',
      Period: heard,
      EvaluationPeriods: 3,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });

  test('do not take answers that were cut off on purpose for crashes of the gateway', () => {
    const [{ Metrics = [] } = {}] = alarms.filter(({ AlarmName }) => AlarmName === 'Acme-GatewayErrors');
    const names = Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric.MetricName ?? []);
    const formula = Metrics.find(({ Expression }) => Expression)?.Expression;

    expect(names.sort()).toEqual(['Errors', 'Throttles', 'sluice.answers.cut_off', 'sluice.errors.gateway']);
    expect(formula).toContain('IF(FILL(failed, 0) > FILL(cut, 0), FILL(failed, 0) - FILL(cut, 0), 0)');
  });

  test('draw no conclusion from a few streams', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'Acme-FirstContent',
      Metrics: Match.arrayWith([Match.objectLike({ Expression: 'IF(streams >= 20, wait, 0)' })]),
    });
  });

  test('have thresholds that the context sets', () => {
    const set = observedStack({
      alarmProviderErrorRatio: '0.2',
      alarmGatewayErrors: 50,
      alarmFirstContentSeconds: '7.5',
      alarmMinimumRequests: '100',
    });
    const threshold = (name: string) => (value: number) =>
      set.hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmName: `Acme-${name}`, Threshold: value });

    threshold('ProviderErrorShare')(0.2);
    threshold('GatewayErrors')(50);
    threshold('FirstContent')(7.5);
    set.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Metrics: Match.arrayWith([Match.objectLike({ Expression: 'IF(streams >= 100, wait, 0)' })]),
    });
  });

  test.each([
    [{ alarmProviderErrorRatio: '50%' }, /alarmProviderErrorRatio is "50%"; it has to be a number above 0/],
    [{ alarmProviderErrorRatio: 5 }, /alarmProviderErrorRatio is 5; a share is 1 at most/],
    [{ alarmGatewayErrors: 0 }, /alarmGatewayErrors is 0/],
    [{ alarmEmail: 'nobody' }, /alarmEmail is "nobody", which is no address/],
    [{ alarms: 'off' }, /alarms is off; it has to be true or false/],
  ])('refuse %j', (context, message) => {
    expect(() => observedStack(context)).toThrow(message);
  });

  test('can be left out, with the topic and the key that cost something', () => {
    const without = observedStack({ alarms: 'false' });

    for (const type of [
      'AWS::CloudWatch::Alarm',
      'AWS::CloudWatch::CompositeAlarm',
      'AWS::SNS::Topic',
      'AWS::KMS::Key',
    ])
      without.resourceCountIs(type, 0);
    expect(dashboardWidgets(without).some(({ type }) => type === 'alarm')).toBe(false);
    expect(dashboardWidgets(without).length).toBe(widgets.length - 1);
  });
});

describe('the topic', () => {
  test('is encrypted with a key that CloudWatch may use, for this account only', () => {
    template.hasResourceProperties('AWS::SNS::Topic', {
      KmsMasterKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ObservabilityAlarmTopicKey'), 'Arn'] },
    });
    const cloudWatch = {
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    };
    template.hasResourceProperties('AWS::KMS::Key', {
      EnableKeyRotation: true,
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({ ...cloudWatch, Action: ['kms:Decrypt', 'kms:GenerateDataKey*'] }),
        ]),
      },
    });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ ...cloudWatch, Action: 'sns:Publish' })]) },
    });
  });

  test('has the subscriber that the context names, and none without', () => {
    template.resourceCountIs('AWS::SNS::Subscription', 0);
    observedStack({ alarmEmail: 'ops@example.com' }).hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
  });
});

describe('docs/operations.md', () => {
  const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

  test.each(waking.map(({ AlarmName }) => AlarmName.slice('Acme-'.length)))('says what to do about %s', (name) => {
    expect(text).toMatch(new RegExp(`^\\| \`${name}\` \\|.*\\S.*\\|.*\\|.{40,}\\|$`, 'm'));
  });

  test('says what each metric means', () => {
    const rows = text.split('\n').filter((line) => /^\| `.*\| (gateway|target) \|/.test(line));
    const explained = rows.flatMap((row) => {
      const [, names = '', subject = ''] = row.split('|').map((cell) => cell.trim());
      const listed = [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
      return listed.map((name) => [name.startsWith('.') ? `sluice.errors${name}` : name, subject]);
    });

    expect(Object.fromEntries(explained)).toEqual(Object.fromEntries(byName));
  });
});
