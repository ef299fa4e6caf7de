import { keepFromBeforeDoubt } from './before-doubt.ts';
import { forgottenAfterMs, type Knowledge, type TargetKnowledge } from './knowledge.ts';
import { addCounters, type Counters, counterGroup, countsAttempts } from './sample-counters.ts';
import type { SampleSlice } from './sample-slice.ts';
import { believedShares } from './surprise.ts';

/** After so long, what was seen counts for half. */
export const longestHalfLifeMs = 300_000;
const shortestHalfLifeMs = 90_000;
/** Failures come and go faster than speed: who was down a minute ago may be as good as ever. */
const outcomesHalfLifeMs = 30_000;
/** So many samples of a kind are enough: where they come fast, new ones push old ones out before these decay. */
const enoughSamples = 40;
/** Traffic is averaged over less time than waits, since breakers ask for it. */
const trafficHalfLifeMs = 60_000;
const shortestWindowMs = 10_000;
/** The busiest ones. What is stored of them is small, and bounded where it is written. */
export const mostTargets = 500;
const negligible = 0.001;

/** Adds what gateways saw since the last fold to what was known, which has grown older meanwhile. */
export function foldScores(previous: Knowledge, slices: readonly SampleSlice[], nowMs: number): Knowledge {
  const isFirst = previous.foldedAtMs === 0;
  const windowStartMs = isFirst ? Math.min(nowMs, ...slices.map(({ startMs }) => startMs)) : previous.foldedAtMs;
  const windowMs = Math.max(nowMs - windowStartMs, 0);
  const halfLifeMs = halfLifeOf(previous);
  const fresh = freshByTarget(slices, nowMs, halfLifeMs);
  const names = new Set([...Object.keys(previous.targets), ...fresh.keys()]);
  const known: [string, TargetKnowledge][] = [];
  for (const name of names) {
    const before = Object.hasOwn(previous.targets, name) ? previous.targets[name] : undefined;
    const target = foldTarget(before, fresh.get(name), { windowMs, isFirst, halfLifeMs });
    if (nowMs - target.updatedAtMs <= forgottenAfterMs) known.push([name, target]);
  }
  known.sort(([, a], [, b]) => weightOf(b) - weightOf(a) || b.updatedAtMs - a.updatedAtMs);
  return { foldedAtMs: nowMs, targets: Object.fromEntries(known.slice(0, mostTargets)) };
}

function weightOf({ counters }: TargetKnowledge): number {
  return counters['attempts'] ?? 0;
}

type Fresh = Omit<TargetKnowledge, 'attemptsPerSecond' | 'counters' | 'beforeDoubt'> & {
  attempts: number;
  counters: Record<string, number>;
};

/** The slices added up by target, each sample with the weight that its age has left it. */
function freshByTarget(slices: readonly SampleSlice[], nowMs: number, halfLifeMs: number): Map<string, Fresh> {
  const fresh = new Map<string, Fresh>();
  for (const { startMs, targets } of slices) {
    // The clock of another machine may be ahead.
    const atMs = Math.min(startMs, nowMs);
    const weight = decay(nowMs - atMs, halfLifeMs);
    for (const [name, { counters, probe }] of Object.entries(targets)) {
      const sum = fresh.get(name) ?? { updatedAtMs: 0, attempts: 0, counters: {} };
      sum.updatedAtMs = Math.max(sum.updatedAtMs, atMs);
      sum.attempts += counters['attempts'] ?? 0;
      addCounters(sum.counters, counters, weight);
      if (probe && probe.atMs >= (sum.probe?.atMs ?? 0)) sum.probe = probe;
      fresh.set(name, sum);
    }
  }
  return fresh;
}

/** The time since the last fold, and how fast what was known then has aged in it. */
type FoldWindow = { windowMs: number; isFirst: boolean; halfLifeMs: number };

/** The more a fleet learns, the sooner it forgets: nobody remembers long what is learnt anew at once. */
function halfLifeOf({ targets }: Knowledge): number {
  const rate = Object.values(targets).reduce((sum, { attemptsPerSecond }) => sum + attemptsPerSecond, 0);
  return Math.max(longestHalfLifeMs / Math.max(rate, 1), shortestHalfLifeMs);
}

function foldTarget(
  before: TargetKnowledge | undefined,
  fresh: Fresh | undefined,
  { windowMs, isFirst, halfLifeMs }: FoldWindow,
): TargetKnowledge {
  const known: Pick<TargetKnowledge, 'counters' | 'beforeDoubt'> = before ?? { counters: {} };
  const believed = believedShares(known.counters, fresh?.counters ?? {});
  const counters = foldCounters(known.counters, fresh?.counters ?? {}, { windowMs, halfLifeMs, believed });
  const decayed = decay(windowMs, longestHalfLifeMs);
  const beforeDoubt = keepFromBeforeDoubt(known, counters, { doubted: believed.keys(), decayed });
  const rate = ((fresh?.attempts ?? 0) * 1000) / Math.max(windowMs, shortestWindowMs);
  const kept = isFirst ? 0 : decay(windowMs, trafficHalfLifeMs);
  const attemptsPerSecond = rounded(kept * (before?.attemptsPerSecond ?? 0) + (1 - kept) * rate);
  const updatedAtMs = Math.max(before?.updatedAtMs ?? 0, fresh?.updatedAtMs ?? 0);
  const probe = fresh?.probe ?? before?.probe;
  return { updatedAtMs, attemptsPerSecond, counters, ...(beforeDoubt && { beforeDoubt }), ...(probe && { probe }) };
}

function foldCounters(
  before: Counters,
  fresh: Counters,
  { windowMs, halfLifeMs, believed }: Omit<FoldWindow, 'isFirst'> & { believed: ReadonlyMap<string, number> },
): Counters {
  const decayedWaits = decay(windowMs, halfLifeMs);
  const decayedOutcomes = decay(windowMs, outcomesHalfLifeMs);
  const old = sampleTotals(before);
  const young = sampleTotals(fresh);
  const sums: Record<string, number> = {};
  for (const name in before) {
    const group = counterGroup(name);
    const decayed = group === '' ? decayedOutcomes : decayedWaits * (believed.get(group) ?? 1);
    const aged = decayed * (old.get(group) ?? 0);
    const room = Math.max(enoughSamples - (young.get(group) ?? 0), 0);
    sums[name] = decayed * (aged > room ? room / aged : 1) * (before[name] ?? 0);
  }
  addCounters(sums, fresh);
  const kept = Object.entries(sums).map(([name, value]): [string, number] => [name, rounded(value)]);
  return Object.fromEntries(kept.filter(([, value]) => value >= negligible));
}

/** How many samples each group of counters holds. */
function sampleTotals(counters: Counters): Map<string, number> {
  const totals = new Map<string, number>();
  for (const name in counters) {
    if (!countsAttempts(name)) continue;
    const group = counterGroup(name);
    totals.set(group, (totals.get(group) ?? 0) + (counters[name] ?? 0));
  }
  return totals;
}

function decay(ageMs: number, halfMs: number): number {
  return 2 ** (-Math.max(ageMs, 0) / halfMs);
}

/** Short when written down. */
function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
