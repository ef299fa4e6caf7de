import type { ModelTarget } from '../config/snapshot.ts';
import { type Breaker, type BreakerState, breakerState } from './breaker.ts';
import { type Estimate, estimateWait, failureShare, type WaitQuestion } from './estimate-wait.ts';
import type { LiveStats } from './live-stats.ts';
import { withOwnWaits } from './own-waits.ts';
import type { TargetScore } from './score.ts';
import { targetName } from './target-name.ts';

/** A target that may be asked, with what is known of it. */
export type Candidate = {
  target: ModelTarget;
  /** `provider/model`. */
  name: string;
  score: TargetScore | undefined;
  breaker: Breaker | undefined;
  state: BreakerState;
  wait: Estimate | undefined;
  /** Share of attempts that fail, cautiously. */
  failures: number;
};

export function candidateOf(
  target: ModelTarget,
  { scores, breakers, own }: LiveStats,
  question: WaitQuestion,
  nowMs: number,
): Candidate {
  const name = targetName(target);
  const score = Object.hasOwn(scores.targets, name) ? scores.targets[name] : undefined;
  const breaker = Object.hasOwn(breakers, name) ? breakers[name] : undefined;
  const wait = score && estimateWait(score, question);
  return {
    target,
    name,
    score,
    breaker,
    state: breakerState(breaker, nowMs),
    wait: wait && withOwnWaits(wait, own?.get(name), { streamed: question.streamed, nowMs }),
    failures: failureShare(score),
  };
}
