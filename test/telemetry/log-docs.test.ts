import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { AttemptRecord, RequestRecord } from '../../lambda/telemetry/request-record.ts';
import { createTelemetry } from '../../lambda/telemetry/telemetry.ts';
import { emittedMetrics } from '../support/emitted-metrics.ts';

const text = readFileSync(new URL('../../docs/log.md', import.meta.url), 'utf8');
const [, ofRequests = '', ofAttempts = ''] =
  /## Fields\n(.*?)\nOf each attempt:\n(.*?)\n\nAn attempt/s.exec(text) ?? [];

/** The names in the first cells of a table. */
function explained(table: string): string[] {
  const rows = [...table.matchAll(/^\| (`.*?`) \|/gm)].map(([, names = '']) => names);
  return rows.flatMap((names) => [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)).sort();
}

/** All there are: the compiler misses one that is not here. */
const attempt: Required<AttemptRecord> = {
  requestModel: 'fast',
  provider: 'openai',
  model: 'gpt-4o',
  reason: 'the only target',
  startedAtMs: 1,
  durationMs: 1,
  outcome: 'answered',
  status: 503,
  detail: 'words',
  retryAfterMs: 1,
  retry: 'other_key',
  hedge: true,
  breaker: 'open',
  key: 1,
  brokeOff: 'timeout',
  usage: undefined,
};
const usage = {
  inputTokens: 1,
  outputTokens: 1,
  cacheReadInputTokens: 0,
  cacheCreationInputTokens: 0,
  reasoningOutputTokens: 0,
};
const request: Required<RequestRecord> = {
  requestId: 'request-1',
  method: 'POST',
  path: '/v1/chat/completions',
  receivedAtMs: 1,
  operation: 'conversation',
  status: 200,
  keyLabel: 'team',
  requestModel: 'fast',
  provider: 'openai',
  targetModel: 'gpt-4o',
  responseModel: 'gpt-4o',
  vendorRequestId: 'theirs',
  stream: true,
  plan: [],
  leftOut: [],
  rule: 'rule',
  attempts: [attempt],
  passedOver: [],
  timeToFirstChunkMs: 1,
  overheadMs: 1,
  usage,
  usageEstimated: true,
  finishReason: 'stop',
  errorCode: 'provider_failed',
  faultDomain: 'provider',
  cause: 'Error',
  configVersion: 1,
  replayOf: 'request-0',
  coldStart: true,
};

describe('docs/log.md', () => {
  test('explains every field of a line, and no others', () => {
    const lines: string[] = [];
    const telemetry = createTelemetry({ namespace: 'Acme', write: (line) => void lines.push(line), now: () => 2 });
    telemetry.requestCompleted(request, undefined);
    const written = Object.keys(JSON.parse(lines[0] ?? '')).filter((name) => /^\w+$/.test(name) && name !== '_aws');

    expect(explained(ofRequests)).toEqual([...written, 'cut'].sort());
  });

  test('explains every field of an attempt', () => {
    expect(explained(ofAttempts)).toEqual(Object.keys(attempt).sort());
  });

  test('shows a line that CloudWatch would read', () => {
    const [, example = ''] = /```json\n(.*?)```/s.exec(text) ?? [];
    const names = emittedMetrics(example.replaceAll('\n', '')).map(({ name }) => name);

    expect(names).toContain('gen_ai.server.time_to_first_token');
    for (const name of Object.keys(JSON.parse(example)).filter((each) => /^\w+$/.test(each) && each !== '_aws'))
      expect(explained(ofRequests)).toContain(name);
  });
});
