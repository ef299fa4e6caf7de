import type { AttemptSample } from './attempt-sample.ts';
import { healthSign } from './breaker.ts';
import type { PromptSize } from './score.ts';
import { cellOf, type WaitCell } from './wait-histogram.ts';

/**
 * Counts of what attempts showed of one target: numbers by short names, so that those of many gateways add up name by
 * name. Waits: mode (`s`treamed, `b`uffered), prompt size (`s`, `m`, `l`), fate and cell, such as `ss=52`. Pace: `p=` and
 * the cell of tokens per second. The rest is in full words.
 */
export type Counters = Readonly<Record<string, number>>;

/** How a wait ended: `=` answered, `>` timed out, `~` given up for a reason that is not the target's. */
export type Fate = '=' | '>' | '~';

/** What the counters of one kind of wait begin with: `ss`, `bl`. */
export function waitGroup(streamed: boolean, size: PromptSize): string {
  return `${streamed ? 's' : 'b'}${size[0]}`;
}

/** What a counter belongs to: the kind of wait, the pace (`p`), or the outcomes (empty). */
export function counterGroup(name: string): string {
  return /^(?:[sb][sml]|p)(?=[=>~.])/.exec(name)?.[0] ?? '';
}

/** The counters of waits and pace as cells in ascending order, by the group they belong to. */
export function cellsByGroup(counters: Counters): Map<string, WaitCell[]> {
  const groups = new Map<string, Map<number, WaitCell>>();
  for (const [name, weight] of Object.entries(counters)) {
    const [, group, fate, digits] = /^([a-z]+)([=>~])(\d+)$/.exec(name) ?? [];
    if (group === undefined) continue;
    const cells = groups.get(group) ?? new Map<number, WaitCell>();
    groups.set(group, cells);
    const cell = cells.get(Number(digits)) ?? { cell: Number(digits), answered: 0, timedOut: 0, cancelled: 0 };
    cell[fate === '=' ? 'answered' : fate === '>' ? 'timedOut' : 'cancelled'] += weight;
    cells.set(cell.cell, cell);
  }
  return new Map([...groups].map(([name, cells]) => [name, [...cells.values()].sort((a, b) => a.cell - b.cell)]));
}

/** Whether a counter counts attempts, each once within its group, and not something about them. */
export function countsAttempts(name: string): boolean {
  return name === 'attempts' || /^[a-z]+[=>~]/.test(name);
}

/** An answer that came all at once was not written as it was sent: its pace is taken over the whole time. */
const atOnceShare = 0.1;
/** Shorter answers say little about the pace. */
const leastPacedTokens = 16;

/** What one attempt adds to the counters of its target. */
export function countersOf(sample: AttemptSample): Counters {
  const { outcome, waitMs, outputTokens, streamed } = sample;
  const counters: Record<string, number> = {};
  const group = waitGroup(streamed, sample.promptSize);
  if (waitMs !== undefined) counters[`${group}${fateOf(outcome)}${cellOf(waitMs)}`] = 1;
  if (!streamed && outcome === 'answered' && outputTokens !== undefined) {
    counters[`${group}.tokens`] = outputTokens;
    counters[`${group}.counted`] = 1;
  }
  const pace = paceOf(sample);
  if (pace !== undefined) counters[`p=${cellOf(pace)}`] = 1;
  const sign = healthSign(outcome);
  if (sign === 'neither') return counters;
  counters['attempts'] = 1;
  if (sign !== 'up') counters['failures'] = 1;
  if (outcome === 'timeout') counters['timeouts'] = 1;
  if (outcome === 'rate_limited') counters['rateLimited'] = 1;
  if (sample.retry) counters['retries'] = 1;
  if (sample.probe) counters['probes'] = 1;
  if (sample.other) counters['others'] = 1;
  return counters;
}

function fateOf(outcome: AttemptSample['outcome']): Fate {
  if (outcome === 'answered') return '=';
  return outcome === 'timeout' ? '>' : '~';
}

/** Tokens per second; of answers that were streamed to their end. */
function paceOf({ streamed, outcome, waitMs = 0, outputTokens = 0, generationMs }: AttemptSample): number | undefined {
  if (!streamed || outcome !== 'answered' || generationMs === undefined) return undefined;
  if (outputTokens < leastPacedTokens) return undefined;
  const tookMs = generationMs < atOnceShare * waitMs ? waitMs + generationMs : generationMs;
  return (outputTokens * 1000) / Math.max(tookMs, 1);
}

/** Adds `more`, times `weight`, to `sums`. */
export function addCounters(sums: Record<string, number>, more: Counters, weight = 1): void {
  for (const name in more) sums[name] = (sums[name] ?? 0) + weight * (more[name] ?? 0);
}
