import { Stack } from 'aws-cdk-lib';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { readAlarmSettings } from './alarm-settings.ts';
import { AlarmTopic } from './alarm-topic.ts';
import { Alarms } from './alarms.ts';
import { Dashboard } from './dashboard.ts';
import type { ObservedParts } from './dashboard-graphs.ts';
import { GatewayMetrics } from './gateway-metrics.ts';

/** What operators see: a dashboard, and alarms for what cannot wait until they look. */
export class Observability extends Construct {
  readonly dashboardName: string;
  /** Hears of every alarm, unless there are none. */
  readonly alarmTopic: Topic | undefined;

  constructor(scope: Construct, id: string, parts: ObservedParts) {
    super(scope, id);
    const { stackName } = Stack.of(this);
    this.dashboardName = stackName;
    const metrics = new GatewayMetrics(stackName);
    const settings = readAlarmSettings(this.node);
    const topic = settings && new AlarmTopic(this, 'AlarmTopic', { email: settings.alarmEmail }).topic;
    const alarms = topic ? new Alarms(this, 'Alarms', { ...parts, metrics, settings, topic }).all : [];
    new Dashboard(this, 'Overview', { ...parts, metrics, alarms });
    this.alarmTopic = topic;
  }
}
