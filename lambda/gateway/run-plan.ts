import type { Failure } from '../routing/failure.ts';
import type { PlannedAttempt } from '../routing/plan.ts';
import { backoffMs, mayFit, mostTelling, reactions } from '../routing/reaction.ts';
import { targetName } from '../routing/target-name.ts';
import { canFinish } from '../routing/time-share.ts';
import type { AttemptRecord } from '../telemetry/request-record.ts';
import { askTarget, type FailedTry, type Run, timeLeft } from './ask-target.ts';
import type { AttemptContext, AttemptOutcome } from './attempt.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import type { Tracked } from './tracked-attempt.ts';

export type PlanOutcome = {
  /** The target that answered, or the one whose failure the caller is told. */
  target: PlannedAttempt;
  outcome: AttemptOutcome;
  /** To be told how a streamed answer ended. */
  settle: Tracked['settle'];
};

/** Works through a plan until an answer is ready or every target has failed; each failure decides its next step. */
export async function runPlan(
  plan: readonly PlannedAttempt[],
  context: AttemptContext,
  deps: GatewayDeps,
  records: AttemptRecord[],
): Promise<PlanOutcome | undefined> {
  const run: Run = { context, deps, records, failures: [] };
  for (const [index, target] of plan.entries()) {
    const hindrance = whyPassedOver(target, run);
    if (hindrance) {
      context.passedOver.push({ target: targetName(target), reason: hindrance });
      continue;
    }
    const answer = await askTarget(target, plan[index + 1], run);
    if (answer) return { target, ...answer };
    const latest = run.failures.at(-1);
    if (latest && reactions[latest.failure.kind].next === 'stop') return failed(latest);
  }
  return (await lastChance(run)) ?? whatToTell(run);
}

/** Why a target of the plan is not asked, now that others have failed. */
function whyPassedOver(target: PlannedAttempt, { context, deps, failures }: Run): string | undefined {
  if (failures.some(({ failure, target: other }) => failure.kind === 'context_length' && !mayFit(other, target)))
    return 'not known to hold more than the target for which the request was too long';
  if (failures.length === 0) return undefined;
  if (context.signal.aborted) return 'the caller has gone';
  return canFinish(target, timeLeft(context, deps)) ? undefined : 'the time left is too short for it';
}

/** A vendor may ask for more; so long a caller can be kept waiting instead of being told to come back. */
const defaultLongestWaitMs = 10_000;

/**
 * When all have failed, and one of them only for now: waits as long as it asked for, and asks it once more. Never for
 * longer than somebody would wait, and never when the answer could not come in time.
 */
async function lastChance(run: Run): Promise<PlanOutcome | undefined> {
  const { context, deps, failures } = run;
  const best = failures
    .map((failed) => ({ failed, pauseMs: pauseBefore(failed, run) }))
    .sort((a, b) => a.pauseMs - b.pauseMs)[0];
  if (!best || context.signal.aborted) return undefined;
  const { target } = best.failed;
  if (best.pauseMs > (target.limits.waitMs ?? defaultLongestWaitMs)) return undefined;
  if (!canFinish(target, timeLeft(context, deps), best.pauseMs)) return undefined;
  await deps.sleep(best.pauseMs);
  if (context.signal.aborted) return undefined;
  const answer = await askTarget(target, undefined, run, 'after_waiting');
  return answer && { target, ...answer };
}

function pauseBefore({ failure, atMs }: FailedTry, { deps }: Run): number {
  const { wait } = reactions[failure.kind];
  if (failure.retryAfterMs !== undefined && wait) {
    // A little later than asked for: everybody else was told the same moment.
    return Math.max(0, atMs + failure.retryAfterMs - deps.now()) + backoffMs(1, deps.random());
  }
  return wait === 'backoff' ? backoffMs(2, deps.random()) : Infinity;
}

/** The most telling failure of all, with the soonest time at which another request makes sense. */
function whatToTell({ failures, deps }: Run): PlanOutcome | undefined {
  const told = mostTelling(failures, ({ failure }) => failure.kind);
  if (!told) return undefined;
  const waits = failures.flatMap(({ failure: { retryAfterMs }, atMs }) =>
    retryAfterMs === undefined ? [] : [Math.max(0, atMs + retryAfterMs - deps.now())],
  );
  return waits.length > 0 ? failed(told, { retryAfterMs: Math.min(...waits) }) : failed(told);
}

function failed({ target, failure, secret }: FailedTry, more: Partial<Failure> = {}): PlanOutcome {
  return { target, outcome: { kind: 'failed', failure: { ...failure, ...more }, secret }, settle: () => {} };
}
