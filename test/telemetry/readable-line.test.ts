import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { readableLine } from '../../lambda/telemetry/readable-line.ts';

const usage = { inputTokens: 12, outputTokens: 34 };
const answered = { provider: 'openai', model: 'gpt-4o', outcome: 'answered', durationMs: 300 };

function requestLine(fields: object): string {
  const target = { requestModel: 'fast', provider: 'openai', targetModel: 'gpt-4o', attempts: [answered] };
  const common = { method: 'POST', path: '/v1/chat/completions', status: 200, durationMs: 812 };
  return JSON.stringify({ event: 'RequestCompleted', at: 'x', requestId: 'r', ...common, ...target, ...fields });
}

const noModel = { requestModel: undefined, provider: undefined, targetModel: undefined, attempts: [] };

describe('the line of a request', () => {
  test.each<[string, object, string]>([
    [
      'a stream',
      { stream: true, timeToFirstChunkMs: 320.4, usage },
      '200 fast → openai/gpt-4o  first 320 ms  total 812 ms  12 in 34 out',
    ],
    [
      'a buffered answer',
      { stream: false, timeToFirstChunkMs: 800, durationMs: 5_234, usage },
      '200 fast → openai/gpt-4o  total 5.2 s  12 in 34 out',
    ],
    ['a target that was named itself', { requestModel: 'openai/gpt-4o' }, '200 openai/gpt-4o  total 812 ms'],
    ['the default model', { requestModel: undefined }, '200 default model → openai/gpt-4o  total 812 ms'],
    [
      'another request',
      { ...noModel, method: 'GET', path: '/v1/models', durationMs: 3 },
      '200 GET /v1/models  total 3 ms',
    ],
    ['a cold start', { coldStart: true }, '200 fast → openai/gpt-4o  total 812 ms  cold start'],
    [
      'a failover',
      {
        attempts: [
          {
            provider: 'azure',
            model: 'gpt-4o',
            outcome: 'timeout',
            durationMs: 5_000,
            detail: 'No content within 5000 ms',
          },
          { provider: 'groq', model: 'llama', outcome: 'rate_limited', status: 429, durationMs: 40 },
          answered,
        ],
      },
      '200 fast → openai/gpt-4o  3 attempts: azure/gpt-4o timeout 5.0 s (No content within 5000 ms), groq/llama rate_limited 429 40 ms  total 812 ms',
    ],
    [
      'a failure',
      {
        status: 502,
        errorCode: 'provider_failed',
        faultDomain: 'provider',
        attempts: [{ ...answered, outcome: 'server_error', status: 500 }],
      },
      '502 fast → openai/gpt-4o  1 attempt: openai/gpt-4o server_error 500 300 ms  total 812 ms  provider_failed (provider)',
    ],
    [
      'a model that does not exist',
      {
        ...noModel,
        requestModel: 'nope',
        status: 404,
        errorCode: 'model_not_found',
        faultDomain: 'caller',
        durationMs: 1,
      },
      '404 POST /v1/chat/completions nope  total 1 ms  model_not_found (caller)',
    ],
    [
      'a mistake of ours',
      { ...noModel, status: 500, errorCode: 'internal_error', faultDomain: 'gateway', cause: 'TypeError at x.ts:1' },
      '500 POST /v1/chat/completions  total 812 ms  internal_error (gateway)  TypeError at x.ts:1',
    ],
  ])('tells of %s', (_, fields, expected) => {
    expect(readableLine(requestLine(fields), false)).toBe(expected);
  });

  test('says it in colours where it may, and nothing else then', () => {
    const line = requestLine({ status: 502, errorCode: 'provider_failed', faultDomain: 'provider' });
    const coloured = readableLine(line, true) ?? '';

    expect(coloured).toContain('\u001b[31m502\u001b[39m');
    expect(stripVTControlCharacters(coloured)).toBe(readableLine(line, false));
    expect(readableLine(requestLine({}), true)).toContain('\u001b[32m200');
    expect(
      readableLine(requestLine({ status: 400, errorCode: 'invalid_request', faultDomain: 'caller' }), true),
    ).toContain('\u001b[33m400');
  });

  test('makes the lines of its attempts needless', () => {
    expect(readableLine('{"event":"AttemptFailed","provider":"azure"}', false)).toBeUndefined();
    expect(readableLine('{"event":"AttemptAnswered","provider":"azure"}', false)).toBeUndefined();
  });

  test('cannot steer the terminal by what a caller sent', () => {
    const line = readableLine(requestLine({ ...noModel, requestModel: '\u001b[2Jx\ny', status: 404 }), true) ?? '';

    expect(stripVTControlCharacters(line)).toContain('\\u001b[2Jx\\ny');
  });
});

describe('another line', () => {
  test.each([
    ['{"timestamp":"x","level":"WARN","requestId":"r","message":"slow"}', 'WARN slow'],
    [
      '{"timestamp":"x","level":"INFO","requestId":"r","message":{"event":"Compiled","version":3}}',
      'INFO Compiled version=3',
    ],
    ['{"timestamp":"x","level":"INFO","requestId":"r","message":"{\\"event\\":\\"Compiled\\"}"}', 'INFO Compiled'],
    [
      '{"event":"BreakerOpened","at":"x","provider":"openai","model":"gpt-4o","sluice.breaker.opened":1,"_aws":{}}',
      'BreakerOpened provider=openai model=gpt-4o',
    ],
    [
      '{"event":"ConfigCompiled","state":"published","version":3,"errors":[]}',
      'ConfigCompiled state=published version=3',
    ],
    ['not json', 'not json'],
    ['{"broken', '{"broken'],
    ['null', 'null'],
  ])('%s reads in one line', (line, expected) => {
    expect(readableLine(line, false)).toBe(expected);
  });

  test('cannot steer the terminal or break into two', () => {
    const line = JSON.stringify({ level: 'ERROR', message: 'a\nb\u001b[31mc' });

    expect(readableLine(line, false)).toBe('ERROR a\\nb\\u001b[31mc');
  });

  test('is red where something went wrong', () => {
    expect(readableLine('{"event":"RefreshFailed"}', true)).toBe('\u001b[31mRefreshFailed\u001b[39m');
    expect(readableLine('{"event":"ConfigCompiled","state":"rejected"}', true)).toContain('\u001b[31mConfigCompiled');
    expect(readableLine('{"event":"ConfigCompiled","state":"published"}', true)).not.toContain('\u001b');
  });
});
