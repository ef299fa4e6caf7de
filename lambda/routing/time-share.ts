import type { Limits, PlannedAttempt } from './plan.ts';

/** The time that a request has left: until its first content (buffered: until the whole answer). */
export type TimeLeft = { streamed: boolean; untilAnswerMs: number };

/** Less than this is no time in which anybody could answer. */
const leastUsefulMs = 100;

/**
 * The limits of an attempt, so that it leaves time for the targets behind it: while there are others, it may use up half
 * of what is left, or all but twice what the next one usually needs, whichever is more.
 */
export function limitsWithin(
  { limits }: Pick<PlannedAttempt, 'limits'>,
  next: Pick<PlannedAttempt, 'expectedWaitMs'> | undefined,
  { streamed, untilAnswerMs }: TimeLeft,
): Limits {
  const reserved = next ? Math.min(untilAnswerMs / 2, 2 * (next.expectedWaitMs ?? Infinity)) : 0;
  const shareMs = Math.max(Math.floor(untilAnswerMs - reserved), 1);
  if (streamed) return { ...limits, firstContentMs: Math.min(limits.firstContentMs, shareMs) };
  return next || limits.answerMs ? { ...limits, answerMs: Math.min(limits.answerMs ?? Infinity, shareMs) } : limits;
}

/** Whether it makes sense to begin an attempt, perhaps after a pause: one that cannot end in time is not begun. */
export function canFinish(
  { expectedWaitMs = 0 }: Pick<PlannedAttempt, 'expectedWaitMs'>,
  { untilAnswerMs }: TimeLeft,
  pauseMs = 0,
): boolean {
  return untilAnswerMs - pauseMs >= Math.max(expectedWaitMs, leastUsefulMs);
}

/** So many times the usual wait, and at least so long, is no mere bad luck any more. */
const timesUsual = 5;
const leastFairMs = { streamed: 10_000, buffered: 30_000 };

/**
 * How long a target is waited for at least before its silence counts against it: a caller in a hurry must not make
 * everybody else believe that a target is down, nor may a target that is down hide behind callers who do not wait for
 * its full limit.
 */
export function fairWaitMs(
  { limits, expectedWaitMs }: Pick<PlannedAttempt, 'limits' | 'expectedWaitMs'>,
  streamed: boolean,
): number {
  const limitMs = streamed ? limits.firstContentMs : (limits.answerMs ?? limits.firstContentMs);
  if (expectedWaitMs === undefined) return limitMs;
  return Math.min(limitMs, Math.max(timesUsual * expectedWaitMs, leastFairMs[streamed ? 'streamed' : 'buffered']));
}
