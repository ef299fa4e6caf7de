import { type Breaker, forgottenAfterMs, type OutcomeSlice, sliceMs } from '../routing/breaker.ts';
import { setLatest } from '../routing/set-latest.ts';
import { type BreakerStore, reportMs } from './breaker-store.ts';

/** Callers may name any target. */
const mostBreakers = 1_000;
const mostReports = 10_000;

/** The breakers of a fleet that is one process, in the map that the memory's stats store shows them from. */
export function memoryBreakerStore(breakers = new Map<string, Breaker>()): BreakerStore {
  const holders = new Map<string, string>();
  let reports = { minute: 0, slices: new Map<string, OutcomeSlice>() };

  function set(target: string, breaker: Breaker, nowMs: number): void {
    for (const [name, { openUntilMs }] of breakers) if (nowMs - openUntilMs > forgottenAfterMs) breakers.delete(name);
    setLatest(breakers, target, breaker, mostBreakers);
  }

  return {
    async report(target, { startMs, failures, attempts }) {
      const minute = Math.floor(startMs / reportMs);
      if (minute > reports.minute) reports = { minute, slices: new Map() };
      const at = (ms: number) => `${ms}#${target}`;
      const before = reports.slices.get(at(startMs)) ?? { startMs, failures: 0, attempts: 0 };
      const sum = { startMs, failures: before.failures + failures, attempts: before.attempts + attempts };
      setLatest(reports.slices, at(startMs), sum, mostReports);
      const starts = Array.from({ length: reportMs / sliceMs }, (_, index) => minute * reportMs + index * sliceMs);
      return starts.flatMap((start) => reports.slices.get(at(start)) ?? []);
    },
    async open(target, breaker, { nowMs, asked, holder }) {
      const inForce = breakers.get(target);
      const isFree = !inForce || (inForce.openUntilMs <= nowMs && (inForce.leasedUntilMs ?? 0) <= nowMs);
      const isHolder = holder !== undefined && holders.get(target) === holder;
      const isLonger = asked === true && inForce !== undefined && inForce.openUntilMs < breaker.openUntilMs;
      if (!isFree && !isHolder && !isLonger) return { mine: false, inForce };
      set(target, breaker, nowMs);
      holders.delete(target);
      return { mine: true, inForce: breaker };
    },
    async lease(target, { openUntilMs }, { holder, nowMs, untilMs }) {
      const inForce = breakers.get(target);
      if (!inForce || inForce.openUntilMs !== openUntilMs || (inForce.leasedUntilMs ?? 0) > nowMs)
        return { mine: false, inForce };
      const leased = { ...inForce, leasedUntilMs: untilMs };
      breakers.set(target, leased);
      setLatest(holders, target, holder, mostBreakers);
      return { mine: true, inForce: leased };
    },
    async release(target, holder) {
      const inForce = breakers.get(target);
      if (!inForce || holders.get(target) !== holder) return false;
      const { leasedUntilMs: _, ...unleased } = inForce;
      breakers.set(target, unleased);
      return holders.delete(target);
    },
    async close(target, startedAtMs) {
      const inForce = breakers.get(target);
      if (!inForce || inForce.openedAtMs >= startedAtMs) return false;
      holders.delete(target);
      return breakers.delete(target);
    },
  };
}
