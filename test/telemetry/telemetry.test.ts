import { describe, expect, test } from '@jest/globals';
import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import type { AttemptRecord, RequestRecord } from '../../lambda/telemetry/request-record.ts';
import { createTelemetry } from '../../lambda/telemetry/telemetry.ts';
import { emittedMetrics } from '../support/emitted-metrics.ts';
import { aModel, aSnapshot } from '../support/snapshots.ts';

const receivedAtMs = Date.UTC(2026, 10, 25, 12);
const nowMs = receivedAtMs + 1_500;
const snapshot = aSnapshot({
  models: recordByName([
    ['fast', aModel('openai')],
    ['slow', aModel('azure')],
  ]),
});
const usage = {
  inputTokens: 100,
  outputTokens: 20,
  cacheReadInputTokens: 0,
  cacheCreationInputTokens: 0,
  reasoningOutputTokens: 0,
};

function attempt(fields: Partial<AttemptRecord> = {}): AttemptRecord {
  const of = { provider: 'openai', model: 'gpt-4o', reason: 'the only target' };
  return { ...of, startedAtMs: receivedAtMs + 100, durationMs: 400, outcome: 'answered', ...fields };
}

function record(fields: Partial<RequestRecord> = {}): RequestRecord {
  return {
    requestId: 'request-1',
    method: 'POST',
    path: '/v1/chat/completions',
    operation: 'conversation',
    receivedAtMs,
    status: 200,
    attempts: [attempt()],
    overheadMs: 2.25,
    ...fields,
  };
}

/** The lines of requests, one telemetry for all of them. */
function linesOf(records: RequestRecord[], inForce: Snapshot | undefined = snapshot): string[] {
  const lines: string[] = [];
  const telemetry = createTelemetry({ namespace: 'Acme', write: (line) => lines.push(line), now: () => nowMs });
  for (const one of records) telemetry.requestCompleted(one, inForce);
  return lines;
}

/** The metrics of all lines of one request: name to value, those of a target with its name before. */
function metricsOf(one: RequestRecord, inForce: Snapshot | undefined = snapshot): Record<string, unknown> {
  const metrics = linesOf([one], inForce).flatMap(emittedMetrics);
  return Object.fromEntries(
    metrics.map(({ name, value, dimensions }) => [[...Object.values(dimensions), name].join(' '), value]),
  );
}

describe('the line of a request', () => {
  test('says what is known of it', () => {
    const [line, ...others] = linesOf([
      record({ requestModel: 'fast', plan: [{ target: 'openai/gpt-4o', reason: 'the only target' }], usage }),
    ]);

    expect(others).toEqual([]);
    expect(JSON.parse(line ?? '')).toMatchObject({
      event: 'RequestCompleted',
      at: '2026-11-25T12:00:01.500Z',
      durationMs: 1500,
      requestId: 'request-1',
      requestModel: 'fast',
      provider: 'openai',
      model: 'gpt-4o',
      plan: [{ target: 'openai/gpt-4o', reason: 'the only target' }],
      overheadMs: 2.25,
      usage,
    });
  });

  test('measures a stream: as the caller saw it, and as its target was', () => {
    expect(metricsOf(record({ stream: true, timeToFirstChunkMs: 510, usage }))).toEqual({
      'sluice.requests': 1,
      'sluice.overhead': 0.00225,
      'gen_ai.server.request.duration': 1.5,
      'gen_ai.server.time_to_first_token': 0.51,
      'openai gpt-4o sluice.attempt.failures': 0,
      'openai gpt-4o gen_ai.client.operation.duration': 1.4,
      'openai gpt-4o gen_ai.client.operation.time_to_first_chunk': 0.4,
      'openai gpt-4o gen_ai.usage.input_tokens': 100,
      'openai gpt-4o gen_ai.usage.output_tokens': 20,
    });
  });

  test('has no time to the first token of an answer that comes at once', () => {
    const names = Object.keys(metricsOf(record({ timeToFirstChunkMs: 1490, usage })));

    expect(names.filter((name) => /time_to_first/.test(name))).toEqual([]);
  });

  test('measures no tokens that nobody counted, and kinds of them only where there are any', () => {
    expect(Object.keys(metricsOf(record())).filter((name) => name.includes('tokens'))).toEqual([]);
    expect(
      metricsOf(
        record({ usage: { ...usage, cacheReadInputTokens: 7, cacheCreationInputTokens: 8, reasoningOutputTokens: 9 } }),
      ),
    ).toMatchObject({
      'openai gpt-4o gen_ai.usage.cache_read.input_tokens': 7,
      'openai gpt-4o gen_ai.usage.cache_creation.input_tokens': 8,
      'openai gpt-4o gen_ai.usage.reasoning.output_tokens': 9,
    });
  });

  test('counts a failover for the target that failed, on a line of its own', () => {
    const failed = attempt({ provider: 'azure', outcome: 'timeout', detail: 'No content within 5 ms' });
    const one = record({ attempts: [failed, attempt({ startedAtMs: receivedAtMs + 600 })] });

    const [first, last] = linesOf([one]).map((line) => JSON.parse(line));

    expect(first).toMatchObject({
      event: 'AttemptFailed',
      requestId: 'request-1',
      provider: 'azure',
      model: 'gpt-4o',
      outcome: 'timeout',
      durationMs: 400,
      detail: 'No content within 5 ms',
    });
    expect(last).toMatchObject({
      event: 'RequestCompleted',
      attempts: [{ provider: 'azure' }, { provider: 'openai' }],
    });
    expect(metricsOf(one)).toMatchObject({
      'azure gpt-4o sluice.attempt.failures': 1,
      'openai gpt-4o sluice.attempt.failures': 0,
      'openai gpt-4o gen_ai.client.operation.duration': 0.9,
    });
  });

  test('counts what each of several models did and cost for its own target', () => {
    const broken = attempt({ requestModel: 'a', provider: 'azure', brokeOff: 'connection' });
    const whole = attempt({ requestModel: 'b', usage: { ...usage, inputTokens: 7 } });
    const asked = record({ attempts: [{ ...broken, usage }, whole], usage, faultDomain: 'provider' });

    expect(linesOf([asked]).map((line) => JSON.parse(line).event)).toEqual(['AttemptAnswered', 'RequestCompleted']);
    expect(metricsOf(asked)).toMatchObject({
      'azure gpt-4o sluice.attempt.failures': 1,
      'azure gpt-4o gen_ai.usage.input_tokens': 100,
      'openai gpt-4o sluice.attempt.failures': 0,
      'openai gpt-4o gen_ai.usage.input_tokens': 7,
    });
  });

  test('is of the attempt that answered, whichever came last', () => {
    const loser = attempt({ provider: 'azure', outcome: 'cancelled' });

    const [first, last] = linesOf([record({ attempts: [attempt(), loser] })]).map((line) => JSON.parse(line));

    expect(first).toMatchObject({ event: 'AttemptFailed', provider: 'azure', outcome: 'cancelled' });
    expect(last).toMatchObject({ event: 'RequestCompleted', provider: 'openai' });
  });

  test('counts a stream that broke off as a failure of its target, and not as an answer', () => {
    const metrics = metricsOf(record({ stream: true, errorCode: 'provider_failed', faultDomain: 'provider' }));

    expect(metrics).toMatchObject({ 'sluice.errors.provider': 1, 'openai gpt-4o sluice.attempt.failures': 1 });
    expect(Object.keys(metrics).filter((name) => /duration/.test(name))).toEqual([]);
  });

  test.each([
    ['rate_limited', 1],
    ['unauthorized', 1],
    ['not_found', 1],
    ['rejected', 0],
    ['context_length', 0],
    ['content_policy', 0],
    ['cancelled', undefined],
    ['unsupported', undefined],
    ['no_secret', undefined],
  ] as const)('counts the outcome %s as %p failures of the target', (outcome, failures) => {
    const metrics = metricsOf(record({ status: 502, attempts: [attempt({ outcome })] }));

    expect(metrics['openai gpt-4o sluice.attempt.failures']).toBe(failures);
  });

  test.each(['caller', 'policy', 'provider', 'gateway'] as const)(
    'counts an error whose fault is the %s',
    (faultDomain) => {
      const metrics = metricsOf(record({ status: 400, attempts: [], faultDomain, errorCode: 'any' }));

      expect(metrics).toEqual({ 'sluice.requests': 1, [`sluice.errors.${faultDomain}`]: 1 });
    },
  );

  test('counts the cold start that it paid for', () => {
    expect(metricsOf(record({ coldStart: true }))).toMatchObject({ 'sluice.cold_starts': 1 });
    expect(metricsOf(record())).not.toHaveProperty('sluice.cold_starts');
  });

  test('measures nothing for a health check', () => {
    expect(metricsOf(record({ operation: 'health', attempts: [] }))).toEqual({});
  });

  test('keeps what a vendor says of itself short', () => {
    const long = 'v'.repeat(5_000);

    const [line] = linesOf([record({ responseModel: long, finishReason: long })]);

    expect(line?.length).toBeLessThan(2_500);
  });

  test.each([
    ['attempts', record({ attempts: Array.from({ length: 2_000 }, () => attempt({ outcome: 'timeout' })) })],
    ['a name', record({ attempts: [attempt({ model: '☃'.repeat(1_000_000) })], usage })],
    ['a plan', record({ passedOver: Array.from({ length: 5_000 }, () => ({ target: '☃'.repeat(99), reason: 'no' })) })],
  ])('fits into a log event of 256 KB whatever is long in it (%s), with all its metrics', (_, one) => {
    const lines = linesOf([one]);

    for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThan(256 * 1024);
    const last = lines.at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ event: 'RequestCompleted', requestId: 'request-1', cut: true });
    expect(emittedMetrics(last).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['sluice.requests', 'sluice.overhead', 'sluice.attempt.failures']),
    );
  });

  test('is whole as long as it fits', () => {
    expect(JSON.parse(linesOf([record()])[0] ?? '')).not.toHaveProperty('cut');
  });
});

describe('the model of a metric', () => {
  const dimension = (one: RequestRecord, inForce?: Snapshot) => JSON.parse(linesOf([one], inForce)[0] ?? '').model;
  const made = (model: string, outcome: AttemptRecord['outcome']) =>
    record({ attempts: [attempt({ model, outcome })] });

  test('is the target’s own when it is configured, even if it never answers', () => {
    expect(dimension(made('gpt-4o', 'timeout'))).toBe('gpt-4o');
  });

  test('is its own when it has answered, configured or not', () => {
    expect(dimension(made('unlisted', 'answered'))).toBe('unlisted');
    expect(dimension(made('unlisted', 'answered'), aSnapshot({ models: recordByName([]) }))).toBe('unlisted');
  });

  test('is no name that a caller made up, since every name would cost money', () => {
    expect(dimension(made('made-up', 'not_found'))).toBe('other');
  });

  test('makes no failure of a vendor that does not know a made-up name, unlike one that is configured', () => {
    const failures = (model: string) =>
      linesOf([made(model, 'not_found')])
        .flatMap(emittedMetrics)
        .find(({ name }) => name === 'sluice.attempt.failures')?.value;

    expect(failures('made-up')).toBe(0);
    expect(failures('gpt-4o')).toBe(1);
  });

  test('stays its own after its first answer, also when it fails', () => {
    const lines = linesOf([made('unlisted', 'answered'), made('unlisted', 'timeout')]);

    expect(lines.map((line) => JSON.parse(line).model)).toEqual(['unlisted', 'unlisted']);
  });

  test.each(['ü☃', 'a\nb', '', 'x'.repeat(300)])('is never what CloudWatch refuses: %j', (model) => {
    expect(dimension(made(model, 'answered'))).toBe('other');
  });

  test('is one of at most a hundred that are not configured', () => {
    const lines = linesOf(Array.from({ length: 150 }, (_, index) => made(`unlisted-${index}`, 'answered')));

    expect(new Set(lines.map((line) => JSON.parse(line).model)).size).toBe(101);
  });
});

describe('an event', () => {
  test('has its name, its time and its fields, and the metrics that it means', () => {
    const lines: string[] = [];
    const telemetry = createTelemetry({ namespace: 'Acme', write: (line) => lines.push(line), now: () => nowMs });

    telemetry.event('BreakerOpened', { provider: 'openai', model: 'gpt-4o', reason: 'timeout' }, { breakersOpened: 1 });
    telemetry.event('Started');

    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      event: 'BreakerOpened',
      at: '2026-11-25T12:00:01.500Z',
      reason: 'timeout',
    });
    expect(emittedMetrics(lines[0] ?? '')).toEqual([
      { name: 'sluice.breaker.opened', value: 1, dimensions: { provider: 'openai', model: 'gpt-4o' } },
    ]);
    expect(JSON.parse(lines[1] ?? '')).toEqual({ event: 'Started', at: '2026-11-25T12:00:01.500Z' });
  });
});
