import type { AttemptSample } from './attempt-sample.ts';
import { type Estimate, withTimes } from './estimate-wait.ts';
import { setLatest } from './set-latest.ts';

/** A wait that this gateway has just seen itself, perhaps before the fleet knows of it. */
export type OwnWait = { atMs: number; streamed: boolean; waitMs: number };

/** The latest of them, by target name. */
export type OwnWaits = ReadonlyMap<string, readonly OwnWait[]>;

const mostKept = 8;
const mostTargets = 200;
/** By then the scores hold it too. */
const newsForMs = 12_000;
/** One sample alone says a quarter of what many would. */
const doubtSamples = 3;
/** Less is chance. */
const leastFactor = 1.5;

/** Remembers the wait of an attempt; the oldest targets are forgotten. */
export function rememberWait(waits: Map<string, readonly OwnWait[]>, sample: AttemptSample): void {
  const { target, atMs, streamed, waitMs, outcome } = sample;
  if (waitMs === undefined || (outcome !== 'answered' && outcome !== 'timeout')) return;
  const kept = [...(waits.get(target) ?? []), { atMs, streamed, waitMs }].slice(-mostKept);
  setLatest(waits, target, kept, mostTargets);
}

/**
 * The estimate, made longer where this gateway's own latest waits are far beyond what the fleet knew: the scores are
 * seconds old. Compared by the logarithm, so that a single odd one does not count for much.
 */
export function withOwnWaits(
  wait: Estimate,
  own: readonly OwnWait[] | undefined,
  { streamed, nowMs }: { streamed: boolean; nowMs: number },
): Estimate {
  let count = 0;
  let logarithms = 0;
  for (const { atMs, streamed: kind, waitMs } of own ?? []) {
    if (kind !== streamed || nowMs - atMs > newsForMs) continue;
    count++;
    logarithms += Math.log(Math.max(waitMs, 1) / Math.max(wait.p50Ms, 1));
  }
  if (count === 0) return wait;
  const factor = Math.exp(logarithms / (count + doubtSamples));
  if (factor < leastFactor) return wait;
  return withTimes(wait, (ms) => ms * factor);
}
