import { Duration, Stack } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  PeriodOverride,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import {
  callerGraphs,
  type Graph,
  type ObservedParts,
  partGraphs,
  scoreGraphs,
  targetGraphs,
} from './dashboard-graphs.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';

export type DashboardProps = ObservedParts & { metrics: GatewayMetrics; alarms: IAlarm[] };

/** The grid of a dashboard has 24 columns. */
const fullWidth = 24;

/** One page that shows what callers get, what each target gives, and how the gateway itself is. */
export class Dashboard extends Construct {
  readonly dashboard: CloudWatchDashboard;

  constructor(scope: Construct, id: string, { metrics, alarms, ...parts }: DashboardProps) {
    super(scope, id);
    this.dashboard = new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: Stack.of(this).stackName,
      defaultInterval: Duration.hours(3),
      periodOverride: PeriodOverride.INHERIT,
    });
    if (alarms.length > 0) {
      this.dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms, width: fullWidth, height: 3 }));
    }
    this.addSection('What callers get', callerGraphs(metrics));
    this.addSection('What each target gives', ...targetGraphs(metrics));
    this.addSection('What is known of the targets', scoreGraphs(metrics));
    this.addSection('The gateway itself', ...partGraphs(metrics, parts));
  }

  private addSection(title: string, ...rows: Graph[][]): void {
    this.dashboard.addWidgets(new TextWidget({ markdown: `## ${title}`, width: fullWidth, height: 1 }));
    for (const row of rows) this.dashboard.addWidgets(...row.map((graph) => widget(graph, fullWidth / row.length)));
  }
}

function widget({ title, lines, stacked = false }: Graph, width: number): GraphWidget {
  const left: IMetric[] = [...lines];
  return new GraphWidget({ title, left, stacked, width, height: 6, leftYAxis: { min: 0, showUnits: false } });
}
