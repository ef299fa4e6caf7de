import { metricDefinitions, targetDimensions } from '../../lambda/telemetry/metric-names.ts';

/** One metric that a line carries, as CloudWatch would read it. */
export type EmittedMetric = { name: string; value: number | number[]; dimensions: Record<string, string> };

type Directive = { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] };

const knownUnits = new Map<string, string>(Object.values(metricDefinitions).map(({ name, unit }) => [name, unit]));
const subjects = new Map<string, string>(Object.values(metricDefinitions).map(({ name, of }) => [name, of]));

/**
 * Reads the metrics of a line, by the rules of the embedded metric format
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
 * Throws on a line that CloudWatch would not read in full, and on a metric that is not in the list of names.
 */
export function emittedMetrics(line: string): EmittedMetric[] {
  const root = JSON.parse(line);
  if (root._aws === undefined) return [];
  check(Buffer.byteLength(line) <= 1024 * 1024, 'The line is larger than 1 MB');
  check(Number.isInteger(root._aws.Timestamp), 'Its timestamp is no whole number');
  const directives = root._aws.CloudWatchMetrics as Directive[];
  check(directives.length > 0, 'It names no metric');
  return directives.flatMap((directive) => metricsOf(directive, root));
}

function metricsOf({ Namespace, Dimensions, Metrics }: Directive, root: Record<string, unknown>): EmittedMetric[] {
  check(Namespace.length > 0 && Metrics.length > 0 && Metrics.length <= 100, 'A directive has no or too many metrics');
  return Dimensions.flatMap((names) => {
    const dimensions = Object.fromEntries(names.map((name) => [name, root[name] as string]));
    for (const [name, value] of Object.entries(dimensions)) {
      check(
        typeof value === 'string' && /^[ -~]{1,1024}$/.test(value) && value.trim() !== '',
        `${name} is no dimension: ${value}`,
      );
    }
    return Metrics.map(({ Name: name, Unit: unit }) => {
      const value = root[name] as number | number[];
      const numbers = [value].flat();
      check(numbers.length > 0 && numbers.length <= 100 && numbers.every(Number.isFinite), `${name} is ${value}`);
      check(knownUnits.get(name) === unit, `${name} in ${unit} is not among the names`);
      const expected = subjects.get(name) === 'target' ? [...targetDimensions] : [];
      check(names.join() === expected.join(), `${name} has the dimensions ${names}`);
      return { name, value, dimensions };
    });
  });
}

function check(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem);
}
