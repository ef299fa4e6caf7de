import { describe, expect, test } from '@jest/globals';
import { newTimings, serverTiming } from '../../lambda/gateway/timings.ts';

function clocked() {
  const clock = { ms: 0 };
  const pass = (ms: number) => {
    clock.ms += ms;
  };
  return { pass, timings: newTimings(() => clock.ms) };
}

describe('timings', () => {
  test('are written as Server-Timing, in the order of a request and with one decimal', async () => {
    const { pass, timings } = clocked();
    await timings.during('upstream', async () => pass(120.04));
    await timings.during('auth', async () => pass(0.36));

    expect(serverTiming(timings)).toBe('auth;dur=0.4, upstream;dur=120.0');
  });

  test('count translating for itself, wherever it happens', async () => {
    const { pass, timings } = clocked();

    await timings.during('upstream', async () => {
      pass(100);
      timings.translating(() => pass(2));
      await timings.during('translate', async () => pass(3));
    });

    expect(timings.spentMs()).toEqual({ upstream: 100, translate: 5 });
  });

  test('count what fails too, and pass its exception on', async () => {
    const { pass, timings } = clocked();
    const failing = timings.during('plan', async () => {
      pass(7);
      throw new Error('no plan');
    });

    await expect(failing).rejects.toThrow('no plan');
    expect(timings.spentMs()).toEqual({ plan: 7 });
  });

  test('say nothing of phases that were not reached', () => {
    expect(serverTiming(clocked().timings)).toBe('');
  });
});
