import { describe, expect, test } from '@jest/globals';
import { embeddedMetrics } from '../../lambda/telemetry/embedded-metrics.ts';
import { metricDefinitions } from '../../lambda/telemetry/metric-names.ts';
import { emittedMetrics } from '../support/emitted-metrics.ts';

const target = { provider: 'openai', model: 'gpt-4o' };
const lineOf = (values: object, namespace = 'Acme') =>
  `${JSON.stringify(target).slice(0, -1)}${embeddedMetrics(namespace)(values, 1_700_000_000_000)}}`;

describe('embeddedMetrics', () => {
  test('writes what CloudWatch reads: namespace, time, units, and the dimensions of a target where it is one', () => {
    expect(JSON.parse(lineOf({ requests: 1, inputTokens: 12, overheadSeconds: 0.002 }))).toEqual({
      ...target,
      'sluice.requests': 1,
      'gen_ai.usage.input_tokens': 12,
      'sluice.overhead': 0.002,
      _aws: {
        Timestamp: 1_700_000_000_000,
        CloudWatchMetrics: [
          {
            Namespace: 'Acme',
            Dimensions: [[]],
            Metrics: [
              { Name: 'sluice.requests', Unit: 'Count' },
              { Name: 'sluice.overhead', Unit: 'Seconds' },
            ],
          },
          {
            Namespace: 'Acme',
            Dimensions: [['provider', 'model']],
            Metrics: [{ Name: 'gen_ai.usage.input_tokens', Unit: 'Count' }],
          },
        ],
      },
    });
  });

  test('writes nothing where nothing is measured', () => {
    expect(lineOf({})).toBe(JSON.stringify(target));
    expect(lineOf({ requests: undefined })).toBe(JSON.stringify(target));
  });

  test('leaves out what is no number, which would spoil the line', () => {
    expect(
      emittedMetrics(lineOf({ requests: 1, overheadSeconds: Number.NaN, outputTokens: [1, Infinity, 3] })),
    ).toEqual([
      { name: 'sluice.requests', value: 1, dimensions: {} },
      { name: 'gen_ai.usage.output_tokens', value: [1, 3], dimensions: target },
    ]);
    expect(lineOf({ overheadSeconds: Number.NaN, outputTokens: [] })).toBe(JSON.stringify(target));
  });

  test('keeps to the hundred values that CloudWatch takes', () => {
    const [metric] = emittedMetrics(lineOf({ requests: Array.from({ length: 150 }, (_, index) => index) }));

    expect(metric?.value).toHaveLength(100);
  });

  test('can carry all metrics on one line', () => {
    const all = Object.fromEntries(Object.keys(metricDefinitions).map((metric, index) => [metric, index]));

    expect(emittedMetrics(lineOf(all))).toHaveLength(Object.keys(metricDefinitions).length);
  });

  test('tells lines of the same length with other metrics apart', () => {
    const embed = embeddedMetrics('Acme');
    const names = [{ requests: 1 }, { coldStarts: 1 }, { requests: 2 }].map((values) => embed(values, 0));

    expect(names.map((text) => emittedMetrics(`{"event":"x"${text}}`)[0]?.name)).toEqual([
      'sluice.requests',
      'sluice.cold_starts',
      'sluice.requests',
    ]);
  });
});

describe('the names', () => {
  test('are unique, and short enough for CloudWatch', () => {
    const names = Object.values(metricDefinitions).map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^(gen_ai|sluice)\.[a-z_.]{1,100}$/);
  });
});
