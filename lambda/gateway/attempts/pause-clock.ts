import type { Guard } from './guard.ts';

/** A guard that is also asked how long it was paused: so long the caller was slower than the vendor. */
export function pauseClock(guard: Guard, now: () => number): { guard: Guard; pausedMs(): number } {
  let pausedAtMs: number | undefined;
  let totalMs = 0;
  const goOn = () => {
    if (pausedAtMs !== undefined) totalMs += now() - pausedAtMs;
    pausedAtMs = undefined;
  };
  return {
    guard: {
      ...guard,
      pause() {
        pausedAtMs ??= now();
        guard.pause();
      },
      progress() {
        goOn();
        guard.progress();
      },
    },
    pausedMs: () => totalMs,
  };
}
