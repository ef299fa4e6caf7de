import type { TurnStore } from '../../store/turn-store.ts';
import { remember } from './known-breakers.ts';

/** Gives the next turn, a number that counts up over the fleet, of whatever takes turns under a name. Never waits. */
export type Turns = {
  next(name: string): number;
  /** What `next` would give, taking nothing; undefined where nobody had a turn here yet. */
  peek(name: string): number | undefined;
  settled(): Promise<void>;
};

export type TurnsParts = { store: TurnStore; random: () => number; onError: (error: unknown) => void };

/** Turns in hand, and how many were taken at once. */
type Block = { next: number; end: number; size: number };

const firstBlock = 4;
const largestBlock = 64;

/**
 * Turns are taken in blocks, ahead and behind the requests: a request never waits for one. Each block is twice as large
 * as the one before, so that a busy gateway seldom asks. Until the first has come, and while there is no table, a
 * gateway counts for itself, from anywhere.
 */
export function fleetTurns({ store, random, onError }: TurnsParts): Turns {
  const blocks = new Map<string, Block>();
  const asking = new Map<string, Promise<void>>();

  async function take(name: string, size: number): Promise<void> {
    try {
      const first = await store.take(name, size);
      remember(blocks, name, { next: first, end: first + size, size });
    } catch (error) {
      onError(error);
    } finally {
      asking.delete(name);
    }
  }

  return {
    next(name) {
      const block = blocks.get(name) ?? { next: Math.floor(random() * 1_000_000), end: 0, size: firstBlock / 2 };
      const turn = block.next;
      remember(blocks, name, { ...block, next: turn + 1 });
      const isUsedUp = turn + 1 >= block.end;
      if (isUsedUp && !asking.has(name)) asking.set(name, take(name, Math.min(block.size * 2, largestBlock)));
      return turn;
    },
    peek: (name) => blocks.get(name)?.next,
    async settled() {
      await Promise.all(asking.values());
    },
  };
}
