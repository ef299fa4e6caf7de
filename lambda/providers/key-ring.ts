/** Which of a provider's keys to use next; keys that were refused or limited rest for a while. */
export type KeyRing = {
  /** A key that is not resting, drawn by `entropy` in [0, 1); when all rest, the one that has rested longest. */
  choose(keys: readonly string[], nowMs: number, entropy: number): string | undefined;
  /** Whether any of the keys is not resting. */
  hasRested(keys: readonly string[], nowMs: number): boolean;
  rest(key: string, untilMs: number): void;
};

const mostRemembered = 1000;

/** A ring that lives as long as the process; what it forgets costs one refused request. */
export function createKeyRing(): KeyRing {
  const restsUntilMs = new Map<string, number>();
  const rested = (keys: readonly string[], nowMs: number) =>
    keys.filter((key) => (restsUntilMs.get(key) ?? 0) <= nowMs);

  return {
    choose(keys, nowMs, entropy) {
      const candidates = rested(keys, nowMs);
      if (candidates.length > 0) return candidates[Math.floor(entropy * candidates.length)];
      return keys.toSorted((a, b) => (restsUntilMs.get(a) ?? 0) - (restsUntilMs.get(b) ?? 0))[0];
    },
    hasRested: (keys, nowMs) => rested(keys, nowMs).length > 0,
    rest(key, untilMs) {
      if (restsUntilMs.size >= mostRemembered) restsUntilMs.clear();
      restsUntilMs.set(key, Math.max(untilMs, restsUntilMs.get(key) ?? 0));
    },
  };
}
