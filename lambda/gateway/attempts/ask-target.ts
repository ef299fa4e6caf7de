import { healthSign, isAboutKey } from '../../routing/breaker.ts';
import type { Failure } from '../../routing/failure.ts';
import type { PlannedAttempt } from '../../routing/plan.ts';
import { backoffMs, mostTriesPerTarget, type Retry, reactions } from '../../routing/reaction.ts';
import { targetName } from '../../routing/target-name.ts';
import { canFinish, limitsWithin, type TimeLeft } from '../../routing/time-share.ts';
import type { AttemptRecord } from '../../telemetry/request-record.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import type { AttemptContext } from './attempt.ts';
import type { Lease } from './leases.ts';
import { hasRestedKey, restKey } from './provider-keys.ts';
import { lostRace, type Tracked, trackedAttempt } from './tracked-attempt.ts';

/** One request on its way through its plan. */
export type Run = {
  context: AttemptContext;
  deps: GatewayDeps;
  records: AttemptRecord[];
  /** All tries so far, in their order. */
  failures: FailedTry[];
};

export type FailedTry = { target: PlannedAttempt; failure: Failure; secret: string | undefined; atMs: number };

export function timeLeft({ operation, answerByMs }: AttemptContext, { now }: Pick<GatewayDeps, 'now'>): TimeLeft {
  return { streamed: operation.stream, untilAnswerMs: answerByMs - now() };
}

/** How a target is asked: before which other one, with which right, and why again. */
export type Asking = {
  target: PlannedAttempt;
  next?: PlannedAttempt | undefined;
  lease?: Lease | undefined;
  retry?: AttemptRecord['retry'];
  /** This is its last chance: it is not asked again, whatever becomes of it. */
  last?: true;
  /** It is started besides a target that is silent. */
  hedge?: true;
};

/** The failure that ends the request, whatever other targets there are: it is the caller's own. */
export function finalFailure({ failures }: Pick<Run, 'failures'>): FailedTry | undefined {
  return failures.findLast(({ failure }) => reactions[failure.kind].next === 'stop');
}

/** Asks one target with all the tries that make sense. A lease that they did not put to use goes back. */
export async function askTarget(asking: Asking, run: Run): Promise<Tracked | undefined> {
  const { target, lease } = asking;
  let answer: Tracked | undefined;
  try {
    answer = await tryTarget(asking, run);
    return answer;
  } finally {
    if (lease && !answer) run.deps.breakers.giveBack(targetName(target), lease);
  }
}

/**
 * Asks one target, and once more where its failure makes that sensible: with another key, a fresh secret, or after a
 * hitch. Undefined when it has failed; then the reasons are the last of the run's failures.
 */
async function tryTarget(asking: Asking, run: Run): Promise<Tracked | undefined> {
  const { target, next, lease, last, hedge } = asking;
  const { context, deps, records, failures } = run;
  const mostTries = last ? 1 : mostTriesPerTarget;
  const used = new Set<Retry>();
  let { retry } = asking;
  for (let tries = 1; ; tries++) {
    const startedAtMs = deps.now();
    const limits = limitsWithin(target, next, timeLeft(context, deps));
    const tracked = await trackedAttempt({ target, limits, lease, retry, hedge }, context, deps, records);
    const { outcome } = tracked;
    if (outcome.kind !== 'failed') return tracked;
    if (context.signal.reason === lostRace) return undefined;
    const { failure, secret } = outcome;
    failures.push({ target, failure, secret, atMs: deps.now() });
    restKey(failure, { secret, target }, deps);
    const again = reactions[failure.kind].retry;
    const mayRetry = again !== undefined && tries < mostTries && (again === 'other_key' || !used.has(again));
    if (!mayRetry || !(await readyAgain(again, target, run))) {
      await noteKeysLeft({ target, failure, startedAtMs, lease }, run);
      return undefined;
    }
    used.add(again);
    retry = again;
  }
}

/** Prepares a second try on the same target; false when there is none to be made. */
async function readyAgain(retry: Retry, target: PlannedAttempt, run: Run): Promise<boolean> {
  const { context, deps } = run;
  const pauseMs = retry === 'same_key' ? backoffMs(1, deps.random()) : 0;
  if (context.signal.aborted || !canFinish(target, timeLeft(context, deps), pauseMs)) return false;
  if (retry === 'same_key') {
    if (isDown(target, deps) || !affords(target, run)) return false;
    await deps.sleep(pauseMs);
    return !context.signal.aborted && !isDown(target, deps);
  }
  if (retry === 'fresh_secret') await deps.secrets.refresh();
  return hasRestedKey(target, { keyRange: context.keyRange, tried: triedKeys(target, run) }, run);
}

/** The keys that this request was limited or refused with: however short their rest, none of them is another key. */
function triedKeys(target: PlannedAttempt, { failures }: Run): string[] {
  const name = targetName(target);
  return failures.flatMap(({ target: asked, failure: { kind }, secret }) =>
    secret !== undefined && targetName(asked) === name && isAboutKey(healthSign(kind)) ? [secret] : [],
  );
}

/** Whether the budget of the target has a second try left; takes it. */
export function affords(target: PlannedAttempt, { context, deps }: Run): boolean {
  const name = targetName(target);
  return deps.retries.spend(name, context.live.scores.targets[name]);
}

/** The failure of the attempt itself may have been the one too many. */
function isDown(target: PlannedAttempt, { breakers }: GatewayDeps): boolean {
  return target.breaker !== 'open' && breakers.state(targetName(target)) === 'open';
}

type GivenUp = Pick<FailedTry, 'target' | 'failure'> & { startedAtMs: number; lease: Lease | undefined };

/** A limited or refused key is the key's affair, unless it was the last one. */
async function noteKeysLeft({ target, failure, startedAtMs, lease }: GivenUp, run: Run): Promise<void> {
  const sign = healthSign(failure.kind);
  if (!isAboutKey(sign)) return;
  run.deps.breakers.note({
    target: targetName(target),
    sign,
    reason: failure.kind,
    startedAtMs,
    retryAfterMs: failure.retryAfterMs,
    // Whichever keys this caller wanted: the breaker is everybody's.
    otherKeyLeft: await hasRestedKey(target, { tried: triedKeys(target, run) }, run),
    lease,
  });
}
