import { findProvider } from '../providers/provider.ts';
import type { Failure } from '../routing/failure.ts';
import type { PlannedAttempt } from '../routing/plan.ts';
import { backoffMs, mostTriesPerTarget, type Retry, reactions } from '../routing/reaction.ts';
import { canFinish, limitsWithin, type TimeLeft } from '../routing/time-share.ts';
import type { AttemptRecord } from '../telemetry/request-record.ts';
import { type AttemptContext, secretsOf } from './attempt.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { type Tracked, trackedAttempt } from './tracked-attempt.ts';

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

/**
 * Asks one target, and once more where its failure makes that sensible: with another key, a fresh secret, or after a
 * hitch. Undefined when it has failed; then the reasons are the last of the run's failures.
 */
export async function askTarget(
  target: PlannedAttempt,
  next: PlannedAttempt | undefined,
  run: Run,
  reason?: AttemptRecord['retry'],
): Promise<Tracked | undefined> {
  const { context, deps, records, failures } = run;
  const used = new Set<Retry>();
  let retry = reason;
  for (let tries = 1; ; tries++) {
    const limits = limitsWithin(target, next, timeLeft(context, deps));
    const tracked = await trackedAttempt({ target, limits, ...(retry && { retry }) }, context, deps, records);
    const { outcome } = tracked;
    if (outcome.kind !== 'failed') return tracked;
    const { failure, secret } = outcome;
    failures.push({ target, failure, secret, atMs: deps.now() });
    restKey(failure, secret, deps);
    const again = reactions[failure.kind].retry;
    if (again === undefined || tries >= mostTriesPerTarget || (again !== 'other_key' && used.has(again)))
      return undefined;
    used.add(again);
    if (!(await readyAgain(again, target, run))) return undefined;
    retry = again;
  }
}

/** Prepares a second try on the same target; false when there is none to be made. */
async function readyAgain(retry: Retry, target: PlannedAttempt, { context, deps }: Run): Promise<boolean> {
  const pauseMs = retry === 'same_key' ? backoffMs(1, deps.random()) : 0;
  if (context.signal.aborted || !canFinish(target, timeLeft(context, deps), pauseMs)) return false;
  if (retry === 'same_key') {
    await deps.sleep(pauseMs);
    return !context.signal.aborted;
  }
  const provider = findProvider(context.snapshot, target.provider);
  if (!provider) return false;
  if (retry === 'fresh_secret') await deps.secrets.refresh();
  return deps.keyRing.hasRested(await secretsOf(provider, deps), deps.now());
}

const restAfterRefusalMs = 60_000;
const restAfterLimitMs = 5_000;
const longestRestMs = 300_000;

function restKey({ kind, retryAfterMs }: Failure, secret: string | undefined, deps: GatewayDeps): void {
  if (secret === undefined) return;
  if (kind === 'unauthorized') deps.keyRing.rest(secret, deps.now() + restAfterRefusalMs);
  if (kind === 'rate_limited') {
    deps.keyRing.rest(secret, deps.now() + Math.min(retryAfterMs ?? restAfterLimitMs, longestRestMs));
  }
}
