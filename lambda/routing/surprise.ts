import { type Counters, counterGroup } from './sample-counters.ts';

/** The spread of the logits of evenly distributed shares: divided by it, they are told in standard deviations. */
const logitSpread = Math.PI / Math.sqrt(3);
/** Up to so many standard deviations from what was known is chance. */
const chance = 1.3;
/** For each so many beyond that, what was known counts for e times less. */
const disbelief = 0.5;

/**
 * The shares, by group, of what was known that still count after fresh waits (or paces) have come in; groups whose fresh
 * ones are like the known ones are absent. Without that, a target which has changed is taken for its old self until that
 * has decayed, and nobody looks at one that has recovered. Fresh ones are compared by their ranks among the known ones: a
 * tail that was there before surprises nobody, and where little is known, nothing is surprising.
 */
export function believedShares(known: Counters, fresh: Counters): ReadonlyMap<string, number> {
  const knownCells = cellsByGroup(known);
  const shares = new Map<string, number>();
  for (const [group, cells] of cellsByGroup(fresh)) {
    const before = knownCells.get(group);
    const beyond = before ? surprise(before, cells) - chance : 0;
    if (beyond > 0) shares.set(group, Math.exp(-beyond / disbelief));
  }
  return shares;
}

/** How many samples fell into each cell of a scale. */
type Cells = ReadonlyMap<number, number>;

/** How many standard deviations the fresh ones lie from the known ones, on average. */
function surprise(known: Cells, fresh: Cells): number {
  const total = samplesOf(known);
  const count = samplesOf(fresh);
  let logits = 0;
  for (const [cell, samples] of fresh) {
    // Half a sample more at either end than there is: nothing is impossible.
    let below = 0.5;
    for (const [other, more] of known) below += other < cell ? more : other === cell ? more / 2 : 0;
    logits += samples * Math.log(below / (total + 1 - below));
  }
  return Math.abs(logits / count / logitSpread) / Math.sqrt(1 / count + 1 / total);
}

function samplesOf(cells: Cells): number {
  let sum = 0;
  for (const samples of cells.values()) sum += samples;
  return sum;
}

/** What was waited for until an answer or a timeout, which lasted as long at least. */
function cellsByGroup(counters: Counters): Map<string, Map<number, number>> {
  const groups = new Map<string, Map<number, number>>();
  for (const [name, samples] of Object.entries(counters)) {
    const digits = /[=>](\d+)$/.exec(name)?.[1];
    if (digits === undefined) continue;
    const group = counterGroup(name);
    const cells = groups.get(group) ?? new Map<number, number>();
    groups.set(group, cells.set(Number(digits), (cells.get(Number(digits)) ?? 0) + samples));
  }
  return groups;
}
