import type { OutcomeSlice } from '../../routing/breaker.ts';
import {
  emptyLog,
  type OutcomeLog,
  showsFailing,
  takeReport,
  withOutcome,
  withReports,
} from '../../routing/outcome-log.ts';
import { remember } from './known-breakers.ts';

/** Counts the outcomes of targets here and over the fleet, and says when one fails too often. */
export type OutcomeCounter = {
  /** True when the target is failing by what is known already; otherwise `failing` may be called a little later. */
  count(target: string, failed: boolean, failing: () => void): boolean;
  forget(target: string): void;
};

export type OutcomeCounterParts = {
  now: () => number;
  attemptsPerSecond: (target: string) => number | undefined;
  /** Tells the fleet, and gives what the fleet has told. */
  report: (target: string, slice: OutcomeSlice) => Promise<OutcomeSlice[]>;
  /** Runs something behind the request. */
  behind: (work: () => Promise<void>) => void;
};

/** A gateway that sees a target fail tells the others at most so often. */
const reportEveryMs = 1_000;

export function outcomeCounter({ now, attemptsPerSecond, report, behind }: OutcomeCounterParts): OutcomeCounter {
  const logs = new Map<string, OutcomeLog & { reportedAtMs: number }>();
  const isFailing = (target: string, log: OutcomeLog) => showsFailing(log, now(), attemptsPerSecond(target));

  async function tell(target: string, slice: OutcomeSlice, failing: () => void): Promise<void> {
    const sums = await report(target, slice);
    const current = logs.get(target);
    // Forgotten meanwhile: its breaker is open.
    if (!current) return;
    const log = withReports(current, sums);
    remember(logs, target, { ...log, reportedAtMs: current.reportedAtMs });
    if (isFailing(target, log)) failing();
  }

  return {
    count(target, failed, failing) {
      const { reportedAtMs, ...before } = logs.get(target) ?? { ...emptyLog, reportedAtMs: -Infinity };
      const log = withOutcome(before, failed, now());
      const isDue = failed && now() - reportedAtMs >= reportEveryMs;
      const { report: slice, log: rest } = isDue ? takeReport(log) : { report: undefined, log };
      remember(logs, target, { ...rest, reportedAtMs: slice ? now() : reportedAtMs });
      if (failed && isFailing(target, log)) return true;
      if (slice) behind(() => tell(target, slice, failing));
      return false;
    },
    forget: (target) => void logs.delete(target),
  };
}
