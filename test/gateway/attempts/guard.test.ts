import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { guardExchange } from '../../../lambda/gateway/attempts/guard.ts';
import type { UpstreamError } from '../../../lambda/providers/upstream.ts';

let aborts: string[];
const exchange = {
  response: new Promise<never>(() => {}),
  abort: (error: UpstreamError) => void aborts.push(`${error.kind}: ${error.message}`),
};

beforeEach(() => {
  aborts = [];
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function guard({ deadlineInMs = 10_000, signal = new AbortController().signal } = {}) {
  return guardExchange(exchange, { deadlineInMs, signal });
}

describe('guardExchange', () => {
  test('ends the call at the deadline, however lively it is', () => {
    const { expect: expectWithin, progress } = guard({ deadlineInMs: 100 });
    expectWithin('event', 60);

    for (let round = 0; round < 4; round++) {
      jest.advanceTimersByTime(25);
      progress();
    }

    expect(aborts).toEqual(['timeout: The time for the whole request is over']);
  });

  test('ends the call at once when the deadline has passed', () => {
    guard({ deadlineInMs: -5 });

    jest.advanceTimersByTime(1);

    expect(aborts).toHaveLength(1);
  });

  test('ends a call that stays silent, counted from the last progress', () => {
    const { expect: expectWithin, progress } = guard();
    expectWithin('event', 100);

    jest.advanceTimersByTime(90);
    progress();
    jest.advanceTimersByTime(99);
    expect(aborts).toEqual([]);
    jest.advanceTimersByTime(1);

    expect(aborts).toEqual(['timeout: No event within 100 ms']);
  });

  test('waits for what was expected last', () => {
    const { expect: expectWithin } = guard();
    expectWithin('content', 100);
    expectWithin('further event', 500);

    jest.advanceTimersByTime(499);
    expect(aborts).toEqual([]);
    jest.advanceTimersByTime(1);

    expect(aborts).toEqual(['timeout: No further event within 500 ms']);
  });

  test('counts no silence during a pause, and all of it again afterwards', () => {
    const { expect: expectWithin, pause, progress } = guard();
    expectWithin('event', 100);
    jest.advanceTimersByTime(90);

    pause();
    jest.advanceTimersByTime(1_000);
    progress();
    jest.advanceTimersByTime(99);
    expect(aborts).toEqual([]);
    jest.advanceTimersByTime(1);

    expect(aborts).toHaveLength(1);
  });

  test('expects nothing by itself', () => {
    guard().progress();

    jest.advanceTimersByTime(9_999);

    expect(aborts).toEqual([]);
  });

  test('ends the call when the caller leaves, or has left', () => {
    const caller = new AbortController();
    guard({ signal: caller.signal });

    caller.abort();
    guard({ signal: AbortSignal.abort() });

    expect(aborts).toEqual(['connection: The caller has gone', 'connection: The caller has gone']);
  });

  test('leaves nothing behind when it is stopped', () => {
    const caller = new AbortController();
    const { expect: expectWithin, pause, progress, stop } = guard({ signal: caller.signal });
    expectWithin('event', 100);

    stop();
    pause();
    progress();
    caller.abort();

    expect(jest.getTimerCount()).toBe(0);
    expect(aborts).toEqual([]);
  });
});
