import { type Counters, cellsByGroup } from './sample-counters.ts';
import type { RareWaits } from './score.ts';
import { quantile, samplesIn, type WaitCell, waitDistribution } from './wait-histogram.ts';

/** What was rare before a doubt, by the kind of wait. */
export type BeforeDoubt = Readonly<Record<string, RareWaits>>;

type Remembered = { counters: Counters; beforeDoubt?: BeforeDoubt };

/** With so many left, or learnt anew, what was known before the doubt is not needed; and with so few it is of no use. */
const enoughAgain = 25;
const useless = 5;

/**
 * A doubt leaves a few fresh waits, of which no high percentile can be told, and in a steady world it was chance. So those
 * from before it are kept, and grow old by time alone, until as much is known again.
 */
export function keepFromBeforeDoubt(
  before: Remembered,
  after: Counters,
  { doubted, decayed }: { doubted: Iterable<string>; decayed: number },
): BeforeDoubt | undefined {
  const groups = new Set([...Object.keys(before.beforeDoubt ?? {}), ...doubted]);
  groups.delete('p');
  if (groups.size === 0) return undefined;
  const known = cellsByGroup(before.counters);
  const left = cellsByGroup(after);
  const kept: Record<string, RareWaits> = {};
  for (const group of groups) {
    const was = before.beforeDoubt?.[group] ?? rareOf(known.get(group) ?? []);
    const samples = was.samples * decayed;
    if (samples < useless || samplesIn(left.get(group) ?? []) >= Math.min(samples, enoughAgain)) continue;
    kept[group] = { ...was, samples: Math.round(samples * 100) / 100 };
  }
  return Object.keys(kept).length > 0 ? kept : undefined;
}

function rareOf(cells: readonly WaitCell[]): RareWaits {
  const pieces = waitDistribution(cells);
  const at = (share: number) => Math.round(quantile(pieces, share));
  return { samples: samplesIn(cells), p95Ms: at(0.95), p99Ms: at(0.99) };
}
