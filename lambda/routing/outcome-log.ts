import { isFailing, type OutcomeSlice, sliceMs } from './breaker.ts';

/** What one gateway knows of the outcomes of one target: what the fleet has reported, and what it has not reported yet. */
export type OutcomeLog = { reported: readonly OutcomeSlice[]; unreported: readonly OutcomeSlice[] };

export const emptyLog: OutcomeLog = { reported: [], unreported: [] };

/** So far back anything matters. */
const keptMs = 3 * sliceMs;

function recent(slices: readonly OutcomeSlice[], nowMs: number): OutcomeSlice[] {
  return slices.filter(({ startMs }) => startMs > nowMs - keptMs);
}

/** The log after one more attempt. */
export function withOutcome({ reported, unreported }: OutcomeLog, failed: boolean, nowMs: number): OutcomeLog {
  const startMs = Math.floor(nowMs / sliceMs) * sliceMs;
  const kept = recent(unreported, nowMs);
  const current = kept.find((slice) => slice.startMs === startMs) ?? { startMs, failures: 0, attempts: 0 };
  const grown = { startMs, failures: current.failures + (failed ? 1 : 0), attempts: current.attempts + 1 };
  return {
    reported: recent(reported, nowMs),
    unreported: [...kept.filter((slice) => slice.startMs !== startMs), grown],
  };
}

/** What is to be reported of the latest slice, if it has a failure; the log behaves as if it had been already. */
export function takeReport({ reported, unreported }: OutcomeLog): { report?: OutcomeSlice; log: OutcomeLog } {
  const report = unreported.at(-1);
  if (!report || report.failures === 0) return { log: { reported, unreported } };
  return { report, log: { reported: [...reported, report], unreported: unreported.slice(0, -1) } };
}

/** The log with the sums of the fleet, which take the place of what was known of the same time. */
export function withReports({ reported, unreported }: OutcomeLog, sums: readonly OutcomeSlice[]): OutcomeLog {
  const known = new Set(sums.map(({ startMs }) => startMs));
  return { reported: [...reported.filter(({ startMs }) => !known.has(startMs)), ...sums], unreported };
}

export function showsFailing({ reported, unreported }: OutcomeLog, nowMs: number, attemptsPerSecond?: number): boolean {
  return isFailing([...reported, ...unreported], nowMs, attemptsPerSecond);
}
