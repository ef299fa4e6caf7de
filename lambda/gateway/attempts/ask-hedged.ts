import { UpstreamError } from '../../providers/upstream.ts';
import type { HedgeTerms, PlannedAttempt } from '../../routing/plan.ts';
import { targetName } from '../../routing/target-name.ts';
import { canFinish } from '../../routing/time-share.ts';
import { type Asking, askTarget, finalFailure, type Run, timeLeft } from './ask-target.ts';
import { lostRace, type Tracked } from './tracked-attempt.ts';

/** A target that has answered. */
export type Answered = Tracked & { target: PlannedAttempt };

/** One of two targets that are asked at the same time. */
type Racer = { answer: Promise<Answered | undefined>; stop(): void };

/** The target to start besides, and the one behind it. */
export type Helper = { target: PlannedAttempt; next: PlannedAttempt | undefined };

/**
 * Asks one target, and when it stays silent for longer than usual, the next one too: the first content wins, and the
 * loser is called off. `started` hears of the second target before it is asked. Undefined when both have failed.
 */
export async function askHedged(
  asking: Asking,
  { hedge, helper, started }: { hedge: HedgeTerms; helper: Helper; started: () => void },
  run: Run,
): Promise<Answered | undefined> {
  const { hedges } = run.deps;
  const name = targetName(asking.target);
  hedges.earn(name, hedge.maxShare);
  const first = startRacer(asking, run);
  if (await endsWithin(first.answer, hedge.afterMs)) return first.answer;
  if (!isWorthIt(asking.target, hedge, helper.target, run)) return first.answer;
  const isUp = run.deps.breakers.state(targetName(helper.target)) === 'closed';
  if (!isUp || !hedges.spend(name)) return first.answer;
  started();
  return winnerOf(first, startRacer({ ...helper, hedge: true }, run), run);
}

function startRacer(asking: Asking, run: Run): Racer {
  const { target } = asking;
  const called = new AbortController();
  const signal = AbortSignal.any([run.context.signal, called.signal]);
  const answer = askTarget(asking, { ...run, context: { ...run.context, signal } });
  return {
    answer: answer.then((tracked) => tracked && { ...tracked, target }),
    stop: () => called.abort(lostRace),
  };
}

/** What must hold besides the budget: no limit met, a known price that is worth it, and a target that is not slow too. */
function isWorthIt(target: PlannedAttempt, hedge: HedgeTerms, other: PlannedAttempt, run: Run): boolean {
  const { context, deps, failures } = run;
  const isLimited = failures.some(({ failure }) => failure.kind === 'rate_limited');
  const [cost, otherCost] = [target.costMicroUsd, other.costMicroUsd];
  const isAffordable = cost !== undefined && otherCost !== undefined && otherCost <= cost * hedge.maxCostFactor;
  const isQuick = other.expectedWaitMs === undefined || other.expectedWaitMs <= hedge.afterMs;
  return !context.signal.aborted && !isLimited && isAffordable && isQuick && canFinish(other, timeLeft(context, deps));
}

async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function winnerOf(first: Racer, second: Racer, run: Run): Promise<Answered | undefined> {
  const earliest = await Promise.race([first, second].map(async (racer) => ({ racer, answer: await racer.answer })));
  const other = earliest.racer === first ? second : first;
  // The caller's own fault is the answer too. But of the helper nobody asked for its verdict: the first may think better.
  const isFinal = earliest.racer === first && finalFailure(run) !== undefined;
  if (!earliest.answer && !isFinal) return other.answer;
  other.stop();
  const late = await other.answer.catch(() => undefined);
  if (late) discard(late);
  return earliest.answer;
}

/** Two answers at the same moment: one of them is not needed. */
function discard({ outcome, settle }: Answered): void {
  if (outcome.kind !== 'streaming') return;
  settle({ failure: { kind: 'cancelled', detail: 'Another target was faster' } });
  outcome.guard.stop();
  outcome.exchange.abort(new UpstreamError('connection', 'Another target was faster'));
}
