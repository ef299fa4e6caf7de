import { describe, expect, test } from '@jest/globals';
import { waitClock } from '../../lambda/gateway/wait-clock.ts';

function clockAt() {
  let nowMs = 0;
  const clock = waitClock(() => nowMs);
  const at = (ms: number) => {
    nowMs = ms;
  };
  return { clock, at };
}

describe('waitClock', () => {
  test('adds up one wait after the other, and not what lies between', () => {
    const { clock, at } = clockAt();
    const first = clock.begin();
    at(10);
    first();
    at(15);
    const second = clock.begin();
    at(18.5);
    second();
    at(100);

    expect(clock.waitedMs()).toBe(13.5);
  });

  test('counts waits at the same time once', () => {
    const { clock, at } = clockAt();
    const first = clock.begin();
    at(10);
    const second = clock.begin();
    at(20);
    first();
    at(30);
    second();

    expect(clock.waitedMs()).toBe(30);
  });

  test('ends a wait once, however often it is told', () => {
    const { clock, at } = clockAt();
    const first = clock.begin();
    const second = clock.begin();
    at(10);
    first();
    first();
    at(20);
    second();

    expect(clock.waitedMs()).toBe(20);
  });

  test('knows a wait that is still going on', () => {
    const { clock, at } = clockAt();
    clock.begin();
    at(7);

    expect(clock.waitedMs()).toBe(7);
  });

  test('ends with a promise, however it ends', async () => {
    const { clock, at } = clockAt();
    const refused = clock.during(Promise.reject(new Error('no')));
    at(5);
    await expect(refused).rejects.toThrow('no');
    at(50);

    expect(clock.waitedMs()).toBe(5);
  });
});
