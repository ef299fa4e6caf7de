/** Tokens that probes of a target have cost on a day, reserved before they are spent. Days are those of UTC. */
export type ProbeBudgetStore = {
  /** True when the day's budget has room for so many more tokens; then they are taken. */
  reserve(target: string, wish: { tokens: number; dailyTokens: number; nowMs: number }): Promise<boolean>;
  /** Adds the difference to what was reserved, below zero when less was spent. */
  settle(target: string, difference: { tokens: number; nowMs: number }): Promise<void>;
};

/** The day as its items are named. */
export function budgetDay(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}
