import { budgetDay, type ProbeBudgetStore } from './probe-budget-store.ts';

/** The budgets in the memory of one process. */
export function memoryProbeBudgetStore(): ProbeBudgetStore {
  const spent = new Map<string, number>();
  const nameOf = (target: string, nowMs: number) => `${budgetDay(nowMs)}#${target}`;
  return {
    async reserve(target, { tokens, dailyTokens, nowMs }) {
      const name = nameOf(target, nowMs);
      const before = spent.get(name) ?? 0;
      if (before + tokens > dailyTokens) return false;
      spent.set(name, before + tokens);
      return true;
    },
    async settle(target, { tokens, nowMs }) {
      const name = nameOf(target, nowMs);
      spent.set(name, (spent.get(name) ?? 0) + tokens);
    },
  };
}
