import type { Failure } from '../../routing/failure.ts';
import type { PlannedAttempt } from '../../routing/plan.ts';
import { backoffMs, mostTelling, reactions } from '../../routing/reaction.ts';
import { targetName } from '../../routing/target-name.ts';
import { canFinish } from '../../routing/time-share.ts';
import type { AttemptRecord } from '../../telemetry/request-record.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { admitTarget } from './admit-target.ts';
import { askHedged, type Helper } from './ask-hedged.ts';
import { type Asking, affords, askTarget, type FailedTry, finalFailure, type Run, timeLeft } from './ask-target.ts';
import type { AttemptContext, AttemptOutcome } from './attempt.ts';
import type { Tracked } from './tracked-attempt.ts';

export type PlanOutcome = {
  /** The target that answered, or the one whose failure the caller is told. */
  target: PlannedAttempt;
  outcome: AttemptOutcome;
  /** What is remembered of the attempt that answered. */
  record?: AttemptRecord;
  /** To be told how a streamed answer ended. */
  settle: Tracked['settle'];
};

/**
 * Works through a plan until an answer is ready or every target has failed; each failure decides its next step. While
 * another target stands by, nothing is waited for, and none that is down is asked.
 */
export async function runPlan(
  plan: readonly PlannedAttempt[],
  context: AttemptContext,
  deps: GatewayDeps,
  records: AttemptRecord[],
): Promise<PlanOutcome | undefined> {
  const run: Run = { context, deps, records, failures: [] };
  const { standby } = context;
  const asked = new Set<PlannedAttempt>();
  let leastBad: PlannedAttempt | undefined;
  for (const [index, planned] of plan.entries()) {
    if (asked.has(planned)) continue;
    const admission = await admitTarget(planned, run);
    if ('passedOver' in admission) {
      context.passedOver.push({ target: targetName(planned), reason: admission.passedOver });
      if (admission.isDown) leastBad ??= planned;
      continue;
    }
    const [next, afterNext = standby] = plan.slice(index + 1);
    const helper = next && { target: next, next: afterNext };
    const answer = await ask({ ...admission, next: next ?? standby }, helper, asked, run);
    if (answer) return answer;
    const final = finalFailure(run);
    if (final) return failed(final);
  }
  if (standby) return whatToTell(run);
  // All of them are down, or so it seems: then rather one of them than none.
  if (leastBad && run.failures.length === 0) return runPlan([{ ...leastBad, breaker: 'open' }], context, deps, records);
  return (await lastChance(run)) ?? whatToTell(run);
}

/** Asks a target, by terms that allow it the helper besides; notes in `asked` when that was done. */
async function ask(
  asking: Asking,
  helper: Helper | undefined,
  asked: Set<PlannedAttempt>,
  run: Run,
): Promise<PlanOutcome | undefined> {
  const { target, lease } = asking;
  const { hedge } = target;
  if (hedge && helper && !lease) {
    return askHedged(asking, { hedge, helper, started: () => asked.add(helper.target) }, run);
  }
  const tracked = await askTarget(asking, run);
  return tracked && { target, ...tracked };
}

/** A vendor may ask for more; so long a caller can be kept waiting instead of being told to come back. */
const defaultLongestWaitMs = 5_000;

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
  if (!canFinish(target, timeLeft(context, deps), best.pauseMs) || !affords(target, run)) return undefined;
  await deps.sleep(best.pauseMs);
  if (context.signal.aborted || !isFree(target, run)) return undefined;
  const answer = await askTarget({ target, retry: 'after_waiting', last: true }, run);
  return answer && { target, ...answer };
}

/** Another request may have found out meanwhile that it is down. */
function isFree(target: PlannedAttempt, { deps }: Run): boolean {
  return target.breaker !== undefined || deps.breakers.state(targetName(target)) !== 'open';
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
  // Of each key of each target only what was said last.
  const latest = new Map(failures.map((tried) => [`${targetName(tried.target)} ${tried.secret}`, tried]));
  const waits = [...latest.values()].flatMap(({ failure: { retryAfterMs }, atMs }) =>
    retryAfterMs === undefined ? [] : [Math.max(0, atMs + retryAfterMs - deps.now())],
  );
  return waits.length > 0 ? failed(told, { retryAfterMs: Math.min(...waits) }) : failed(told);
}

function failed({ target, failure, secret }: FailedTry, more: Partial<Failure> = {}): PlanOutcome {
  return { target, outcome: { kind: 'failed', failure: { ...failure, ...more }, secret }, settle: () => {} };
}
