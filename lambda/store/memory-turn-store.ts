import type { TurnStore } from './turn-store.ts';

/** The counters of a fleet that is one process. */
export function memoryTurnStore(): TurnStore {
  const taken = new Map<string, number>();
  return {
    async take(name, count) {
      const first = taken.get(name) ?? 0;
      taken.set(name, first + count);
      return first;
    },
  };
}
