import { type Metric, metricDefinitions, targetDimensions } from './metric-names.ts';

/** What is measured by one line: a number each, or up to 100 of them. */
export type MetricValues = Partial<Record<Metric, number | readonly number[]>>;

type Directive = { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] };

/** CloudWatch takes no more values at once: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
const mostValues = 100;

const definitions = Object.entries(metricDefinitions) as [Metric, (typeof metricDefinitions)[Metric]][];
const positions = new Map(definitions.map(([metric], position) => [metric, position]));

/** The metrics as further members of an object's text; nothing when there are none. */
export type EmbedMetrics = (values: MetricValues, nowMs: number) => string;

/**
 * Writes metrics as members of a JSON object in CloudWatch's embedded metric format, each with a comma before it. On
 * Lambda such a line is a metric as soon as it stands on standard output: the runtime wraps what comes by `console`, not
 * this, and JSON is not encoded twice
 * (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html). The line that holds metrics of
 * a target needs `provider` and `model` among its members.
 */
export function embeddedMetrics(namespace: string): EmbedMetrics {
  // Requests of one kind name the same metrics, so few texts are ever made.
  const directives = new Map<string, string>();
  return (values, nowMs) => {
    let shape = '';
    let members = '';
    for (const metric in values) {
      const value = values[metric as Metric];
      const position = positions.get(metric as Metric);
      const text = value === undefined ? undefined : numberText(value);
      if (text === undefined || position === undefined) continue;
      shape += String.fromCharCode(position);
      members += `,"${metricDefinitions[metric as Metric].name}":${text}`;
    }
    if (shape === '') return '';
    let text = directives.get(shape);
    if (text === undefined) {
      text = JSON.stringify(directivesOf(namespace, shape));
      directives.set(shape, text);
    }
    return `${members},"_aws":{"Timestamp":${Math.round(nowMs)},"CloudWatchMetrics":${text}}`;
  };
}

/** Undefined for what is no number of JSON: one such value would spoil the whole line. */
function numberText(value: number | readonly number[]): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  const numbers = value.filter(Number.isFinite).slice(0, mostValues);
  return numbers.length > 0 ? JSON.stringify(numbers) : undefined;
}

function directivesOf(namespace: string, shape: string): Directive[] {
  const named = [...shape].flatMap((letter) => definitions[letter.charCodeAt(0)]?.[1] ?? []);
  return (['gateway', 'target'] as const).flatMap((subject) => {
    const metrics = named.filter(({ of }) => of === subject).map(({ name, unit }) => ({ Name: name, Unit: unit }));
    const dimensions = subject === 'target' ? [...targetDimensions] : [];
    return metrics.length > 0 ? [{ Namespace: namespace, Dimensions: [dimensions], Metrics: metrics }] : [];
  });
}
