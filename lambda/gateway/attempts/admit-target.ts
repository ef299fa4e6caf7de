import { breakerState, probeLimitMs } from '../../routing/breaker.ts';
import type { PlannedAttempt } from '../../routing/plan.ts';
import { mayFit } from '../../routing/reaction.ts';
import { targetName } from '../../routing/target-name.ts';
import { canFinish } from '../../routing/time-share.ts';
import { type Run, timeLeft } from './ask-target.ts';
import type { Lease } from './leases.ts';

/** Whether a target of the plan is asked now that its turn has come; `isDown` when only its breaker speaks against it. */
export type Admission = { target: PlannedAttempt; lease?: Lease } | { passedOver: string; isDown?: true };

/** Looks once more before a target is asked: others have failed since the plan was made, and breakers have moved. */
export async function admitTarget(planned: PlannedAttempt, run: Run): Promise<Admission> {
  const hindrance = hindranceOf(planned, run);
  if (hindrance !== undefined) return { passedOver: hindrance };
  const { breakers, now } = run.deps;
  const name = targetName(planned);
  const breaker = breakers.breaker(name);
  const state = breakerState(breaker, now());
  if (!breaker || state === 'closed' || planned.breaker === 'open') return { target: planned };
  if (state === 'open') return { passedOver: 'it is known to be down', isDown: true };
  const target = probing(planned, run);
  const lease = await breakers.lease(name, longestWaitMs(target) + leaseMarginMs);
  return lease
    ? { target, lease }
    : { passedOver: 'another request is finding out whether it is up again', isDown: true };
}

/** For connecting, and for the outcome to be written. */
const leaseMarginMs = 5_000;

function hindranceOf(target: PlannedAttempt, { context, deps, failures }: Run): string | undefined {
  if (failures.some(({ failure, target: other }) => failure.kind === 'context_length' && !mayFit(other, target)))
    return 'not known to hold more than the target for which the request was too long';
  if (failures.length === 0) return undefined;
  if (context.signal.aborted) return 'the caller has gone';
  return canFinish(target, timeLeft(context, deps)) ? undefined : 'the time left is too short for it';
}

/** Nobody knows how long a buffered answer takes; twice this it may take to show that the target is up again. */
const unknownAnswerMs = 30_000;

/** The target with the limits of an attempt that finds out, behind which everybody else is waiting. */
function probing(target: PlannedAttempt, { context, deps }: Run): PlannedAttempt {
  const { limits } = target;
  const name = targetName(target);
  const breaker = deps.breakers.breaker(name);
  const score = context.live.scores.targets[name];
  const within = (p95Ms: number | undefined, limitMs: number) =>
    breaker ? probeLimitMs(breaker, p95Ms, limitMs) : limitMs;
  const usual = score?.[context.operation.stream ? 'streamed' : 'buffered'][context.promptSize]?.p95Ms;
  const probe = context.operation.stream
    ? { firstContentMs: within(usual, limits.firstContentMs) }
    : { answerMs: within(usual ?? unknownAnswerMs, limits.answerMs ?? limits.totalMs) };
  return { ...target, breaker: 'half-open', limits: { ...limits, ...probe } };
}

function longestWaitMs({ limits }: PlannedAttempt): number {
  return limits.connectMs + Math.max(limits.firstContentMs, limits.answerMs ?? 0);
}
