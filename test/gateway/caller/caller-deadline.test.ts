import { describe, expect, test } from '@jest/globals';
import { deadlinesOf } from '../../../lambda/gateway/caller/caller-deadline.ts';
import { chatRequest } from '../../support/core.ts';

const receivedAtMs = 1_000_000;

function deadlines(headers: Record<string, string>, { streamed = true, totalMs = 900_000 } = {}) {
  const request = chatRequest({}, { headers, receivedAtMs, deadlineMs: receivedAtMs + 880_000 });
  const { deadlineMs, answerByMs } = deadlinesOf(request, totalMs, streamed);
  return [deadlineMs - receivedAtMs, answerByMs - receivedAtMs];
}

describe('the deadlines of a request', () => {
  test.each<[string, Record<string, string>, number, number]>([
    ['nothing said', {}, 880_000, 880_000],
    ['our own header', { 'x-sluice-timeout-ms': '30000' }, 30_000, 30_000],
    ["a Node SDK's timeout", { 'x-stainless-timeout': '60' }, 880_000, 59_000],
    ["a Python SDK's timeout", { 'x-stainless-read-timeout': '600.0' }, 880_000, 599_000],
    ['a short timeout of an SDK', { 'x-stainless-timeout': '2' }, 880_000, 1_800],
    ['both', { 'x-sluice-timeout-ms': '30000', 'x-stainless-timeout': '600' }, 30_000, 30_000],
    ['no timeout in Python', { 'x-stainless-read-timeout': 'None' }, 880_000, 880_000],
    ['less than a second in Node', { 'x-stainless-timeout': '0' }, 880_000, 880_000],
    ['nonsense from an SDK', { 'x-stainless-timeout': '-5' }, 880_000, 880_000],
  ])('of a stream with %s', (_, headers, deadlineMs, answerByMs) => {
    expect(deadlines(headers)).toEqual([deadlineMs, answerByMs]);
  });

  test('bind the whole of a buffered answer, which the SDK awaits as one', () => {
    expect(deadlines({ 'x-stainless-timeout': '60' }, { streamed: false })).toEqual([59_000, 59_000]);
  });

  test("never exceed the model's own limit", () => {
    expect(deadlines({ 'x-sluice-timeout-ms': '30000' }, { totalMs: 5_000 })).toEqual([5_000, 5_000]);
  });

  test.each(['0', '-1', '1.5', '900001', 'soon', ''])('refuse %j as a timeout', (text) => {
    expect(() => deadlines({ 'x-sluice-timeout-ms': text })).toThrow(/x-sluice-timeout-ms must be a whole number/);
  });
});
