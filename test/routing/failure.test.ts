import { describe, expect, test } from '@jest/globals';
import type { ProviderError } from '../../lambda/dialects/provider-error.ts';
import { classifyAnswer, classifyErrorInside, type FailureKind, retryAfterMs } from '../../lambda/routing/failure.ts';

function coded(code?: string): ProviderError {
  return { message: undefined, type: undefined, param: undefined, code };
}

describe('classifyAnswer', () => {
  test.each<[number, string | undefined, FailureKind]>([
    [301, undefined, 'bad_response'],
    [400, undefined, 'rejected'],
    [400, 'bad_value', 'rejected'],
    [400, 'context_length_exceeded', 'context_length'],
    [400, 'content_filter', 'content_policy'],
    [400, 'content_policy_violation', 'content_policy'],
    [400, 'rate_limit_exceeded', 'rate_limited'],
    [400, 'API_KEY_INVALID', 'unauthorized'],
    [400, 'invalid_api_key', 'unauthorized'],
    [400, 'insufficient_quota', 'rate_limited'],
    [400, 'tool_use_failed', 'generation_failed'],
    [401, 'context_length_exceeded', 'unauthorized'],
    [403, 'content_filter', 'content_policy'],
    [403, 'insufficient_quota', 'unauthorized'],
    [429, 'overloaded', 'overloaded'],
    [498, 'overloaded', 'overloaded'],
    [498, 'invalid_api_key', 'unauthorized'],
    [402, undefined, 'rate_limited'],
    [403, undefined, 'unauthorized'],
    [404, undefined, 'not_found'],
    [408, undefined, 'timeout'],
    [413, undefined, 'rejected'],
    [422, undefined, 'rejected'],
    [429, 'insufficient_quota', 'rate_limited'],
    [500, 'rate_limit_exceeded', 'server_error'],
    [502, undefined, 'server_error'],
    [503, undefined, 'overloaded'],
    [504, undefined, 'server_error'],
    [529, undefined, 'overloaded'],
  ])('takes status %d with code %s for %s', (status, code, kind) => {
    expect(classifyAnswer(status, coded(code))).toBe(kind);
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('knows no code named %s', (code) => {
    expect(classifyAnswer(400, coded(code))).toBe('rejected');
    expect(classifyErrorInside(coded(code))).toBe('server_error');
  });
});

describe('classifyErrorInside', () => {
  test.each<[string | undefined, FailureKind]>([
    [undefined, 'server_error'],
    ['tool_use_failed', 'generation_failed'],
    ['529', 'overloaded'],
    ['rate_limit_exceeded', 'rate_limited'],
    ['400', 'rejected'],
    ['429', 'rate_limited'],
    ['502', 'server_error'],
    ['200', 'server_error'],
    ['1500', 'server_error'],
  ])('takes code %s for %s', (code, kind) => {
    expect(classifyErrorInside(coded(code))).toBe(kind);
  });
});

describe('retryAfterMs', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  test.each<[string, Record<string, unknown>, number | undefined]>([
    ['nothing', {}, undefined],
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['a fraction of a second', { 'retry-after': '0.5' }, 500],
    ['a date', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
    ['a date that is over', { 'retry-after': 'Wed, 31 Dec 2025 23:00:00 GMT' }, undefined],
    ['no seconds', { 'retry-after': '0' }, undefined],
    ['no milliseconds', { 'retry-after-ms': '0' }, undefined],
    ['milliseconds', { 'retry-after-ms': '250' }, 250],
    ['milliseconds before seconds', { 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    ['unreadable milliseconds beside seconds', { 'retry-after-ms': 'x', 'retry-after': '7' }, 7_000],
    ['empty milliseconds beside seconds', { 'retry-after-ms': '', 'retry-after': '7' }, 7_000],
    ['negative milliseconds', { 'retry-after-ms': '-1' }, undefined],
    ['negative seconds', { 'retry-after': '-5' }, undefined],
    ['an empty value', { 'retry-after': '' }, undefined],
    ['blanks', { 'retry-after': '  ' }, undefined],
    ['words', { 'retry-after': 'soon' }, undefined],
    ['words with a number, which V8 takes for a date', { 'retry-after': 'foo 5' }, undefined],
    ['a hexadecimal number', { 'retry-after': '0x10' }, undefined],
    ['a number too large to be one', { 'retry-after': '9'.repeat(400) }, undefined],
    ['a list', { 'retry-after': ['7', '8'] }, undefined],
  ])('reads %s', (_, headers, expected) => {
    expect(retryAfterMs(headers, now)).toBe(expected);
  });
});
