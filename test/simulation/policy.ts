import type { FailureKind } from '../../lambda/routing/failure.ts';
import type { World } from './worlds.ts';

/** One attempt as a policy wants it made. */
export type Wish = { target: string; limitMs: number; begin?: () => Promise<boolean> };

/** What became of an attempt; `waitMs` until the first content, the failure, or the end of patience. */
export type Outcome = {
  target: string;
  startedMs: number;
  waitMs: number;
  failure?: FailureKind;
  retryAfterMs?: number;
};

/** One gateway's way of choosing. Each is told only of its own attempts. */
export type Chooser = {
  choose(nowMs: number, targets: readonly string[]): Promise<readonly Wish[]>;
  /** An attempt begins, for those who count what is under way. */
  started?(target: string): void;
  ended(outcome: Outcome, nowMs: number): void;
  /** A request is over. */
  settle?(nowMs: number): Promise<void>;
};

export type Policy = { name: string; fleet(gateways: number, parts: PolicyParts): Chooser[] };

export type PolicyParts = { world: World; random: () => number; now: () => number };

/** Longer than any answer of these worlds; nobody else's default is shorter. */
export const patienceMs = 30_000;

export function inOrder(targets: readonly string[]): Wish[] {
  return targets.map((target) => ({ target, limitMs: patienceMs }));
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
