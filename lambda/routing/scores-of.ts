import type { Knowledge, TargetKnowledge } from './knowledge.ts';
import { type Counters, cellsByGroup, waitGroup } from './sample-counters.ts';
import type { BufferedWait, PromptSize, RareWaits, Scores, TargetScore, WaitSummary } from './score.ts';
import { cellStart, mean, type Piece, quantile, samplesIn, type WaitCell, waitDistribution } from './wait-histogram.ts';

const promptSizes: readonly PromptSize[] = ['small', 'medium', 'large'];

/** What planning needs of the knowledge. */
export function scoresOf({ foldedAtMs, targets }: Knowledge): Scores {
  const scores = Object.entries(targets).map(([name, target]) => [name, scoreOf(target)]);
  return { foldedAtMs, targets: Object.fromEntries(scores) };
}

function scoreOf({ updatedAtMs, attemptsPerSecond, counters, beforeDoubt, probe }: TargetKnowledge): TargetScore {
  const streamed: Partial<Record<PromptSize, WaitSummary>> = {};
  const buffered: Partial<Record<PromptSize, BufferedWait>> = {};
  const cells = cellsByGroup(counters);
  const waits = (group: string) => summary(cells.get(group), beforeDoubt?.[group]);
  for (const size of promptSizes) {
    const streams = waits(waitGroup(true, size));
    if (streams) streamed[size] = streams;
    const group = waitGroup(false, size);
    const answers = waits(group);
    if (answers) buffered[size] = { ...answers, ...meanTokens(counters, group) };
  }
  const { attempts = 0, failures = 0, timeouts = 0, rateLimited = 0, retries = 0 } = counters;
  const pace = paceOf(cells.get('p'));
  return {
    updatedAtMs,
    streamed,
    buffered,
    ...(pace && { outputTokensPerSecond: pace }),
    outcomes: { attempts, failures, timeouts, rateLimited },
    attemptsPerSecond,
    retryShare: attempts > 0 ? rounded(retries / attempts) : 0,
    ...(probe && { probe }),
  };
}

function summary(cells: readonly WaitCell[] | undefined, beforeDoubt: RareWaits | undefined): WaitSummary | undefined {
  const pieces = waitDistribution(cells ?? []);
  if (!cells || pieces.length === 0) return undefined;
  const at = (share: number) => rounded(quantile(pieces, share));
  return {
    samples: rounded(samplesIn(cells)),
    meanMs: rounded(mean(pieces)),
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    ...(beforeDoubt && { beforeDoubt }),
  };
}

function meanTokens(counters: Counters, group: string): Pick<BufferedWait, 'meanOutputTokens'> {
  const counted = counters[`${group}.counted`] ?? 0;
  return counted > 0 ? { meanOutputTokens: rounded((counters[`${group}.tokens`] ?? 0) / counted) } : {};
}

function paceOf(cells: readonly WaitCell[] = []): TargetScore['outputTokensPerSecond'] {
  const samples = cells.reduce((sum, { answered }) => sum + answered, 0);
  if (samples === 0) return undefined;
  const pieces: Piece[] = cells.map(({ cell, answered }) => ({
    from: cellStart(cell),
    to: cellStart(cell + 1),
    share: answered / samples,
  }));
  return { samples: rounded(samples), mean: rounded(mean(pieces)), p50: rounded(quantile(pieces, 0.5)) };
}

/** Three digits behind the point: finer than any measurement, and short when written down. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
