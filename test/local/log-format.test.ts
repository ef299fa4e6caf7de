import { describe, expect, test } from '@jest/globals';
import { formatLogLine } from '../../local/log-format.ts';
import { secretMasker } from '../../local/mask-secrets.ts';

const now = new Date(2026, 10, 21, 8, 5, 9);

describe('a log line', () => {
  test('has its time and its source', () => {
    expect(formatLogLine('compiler', '{"event":"Compiled","version":3}', now)).toBe(
      '08:05:09 compiler Compiled version=3',
    );
  });

  test('is left out where another says the same', () => {
    expect(formatLogLine('gateway', '{"event":"AttemptFailed"}', now)).toBeUndefined();
  });

  test('hides the secrets in it', () => {
    const mask = secretMasker(['sk-secret-1', 'key']);

    expect(mask('key=sk-secret-1 and sk-secret-1')).toBe('key=*** and ***');
  });
});
