import { type Counters, cellsByGroup } from './sample-counters.ts';
import { samplesIn, samplesOf, type WaitCell } from './wait-histogram.ts';

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
  const shares = new Map<string, number>();
  const freshCells = cellsByGroup(fresh);
  if (freshCells.size === 0) return shares;
  const knownCells = cellsByGroup(known);
  for (const [group, cells] of freshCells) {
    const beyond = surprise(knownCells.get(group) ?? [], cells) - chance;
    if (beyond > 0) shares.set(group, Math.exp(-beyond / disbelief));
  }
  return shares;
}

/** How many standard deviations the fresh ones lie from the known ones, on average; none where either are missing. */
function surprise(known: readonly WaitCell[], fresh: readonly WaitCell[]): number {
  const total = samplesIn(known);
  const count = samplesIn(fresh);
  if (total === 0 || count === 0) return 0;
  let logits = 0;
  for (const one of fresh) {
    // Half a sample more at either end than there is: nothing is impossible.
    let below = 0.5;
    for (const other of known) {
      if (other.cell < one.cell) below += samplesOf(other);
      else if (other.cell === one.cell) below += samplesOf(other) / 2;
    }
    logits += samplesOf(one) * Math.log(below / (total + 1 - below));
  }
  return Math.abs(logits / count / logitSpread) / Math.sqrt(1 / count + 1 / total);
}
