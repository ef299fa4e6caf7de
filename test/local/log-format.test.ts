import { describe, expect, test } from '@jest/globals';
import { formatLogLine } from '../../local/log-format.ts';
import { secretMasker } from '../../local/mask-secrets.ts';

const now = new Date(2026, 10, 21, 8, 5, 9);

describe('a log line', () => {
  test.each([
    [
      '{"event":"RequestCompleted","at":"x","status":200,"attempts":[],"usage":{"inputTokens":1}}',
      'RequestCompleted status=200 usage={"inputTokens":1}',
    ],
    ['{"timestamp":"x","level":"WARN","requestId":"r","message":"slow"}', 'WARN slow'],
    [
      '{"timestamp":"x","level":"INFO","requestId":"r","message":{"event":"Compiled","version":3}}',
      'INFO Compiled version=3',
    ],
    ['{"timestamp":"x","level":"INFO","requestId":"r","message":"{\\"event\\":\\"Compiled\\"}"}', 'INFO Compiled'],
    ['not json', 'not json'],
    ['{"broken', '{"broken'],
  ])('%s reads in one line', (line, expected) => {
    expect(formatLogLine('gateway', line, now)).toBe(`08:05:09 gateway ${expected}`);
  });

  test('cannot steer the terminal or break into two', () => {
    const line = JSON.stringify({ level: 'ERROR', message: 'a\nb\u001b[31mc' });

    expect(formatLogLine('gateway', line, now)).toBe('08:05:09 gateway ERROR a\\nb\\u001b[31mc');
  });

  test('hides the secrets in it', () => {
    const mask = secretMasker(['sk-secret-1', 'key']);

    expect(mask('key=sk-secret-1 and sk-secret-1')).toBe('key=*** and ***');
  });
});
