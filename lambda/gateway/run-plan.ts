import { findProvider } from '../providers/provider.ts';
import { nextSteps } from '../routing/failure.ts';
import type { PlannedAttempt } from '../routing/plan.ts';
import type { AttemptRecord } from '../telemetry/request-record.ts';
import { type AttemptContext, type AttemptOutcome, attemptTarget, secretsOf } from './attempt.ts';
import type { GatewayDeps } from './gateway-deps.ts';

export type PlanOutcome = {
  /** The target that answered, or the one that failed last. */
  target: PlannedAttempt;
  outcome: AttemptOutcome;
};

const restAfterRefusalMs = 60_000;
const restAfterLimitMs = 5_000;
const longestRestMs = 300_000;

/** Works through a plan until an answer is ready or every target has failed; each failure decides its next step. */
export async function runPlan(
  plan: readonly PlannedAttempt[],
  context: AttemptContext,
  deps: GatewayDeps,
  records: AttemptRecord[],
): Promise<PlanOutcome | undefined> {
  let last: PlanOutcome | undefined;
  for (const target of plan) {
    last = { target, outcome: await recordedAttempt(target, context, deps, records) };
    if (last.outcome.kind !== 'failed') return last;
    if (await deservesAnother(target, last.outcome, context, deps)) {
      last = { target, outcome: await recordedAttempt(target, context, deps, records) };
      if (last.outcome.kind !== 'failed') return last;
      restKey(last.outcome, deps);
    }
    if (nextSteps[last.outcome.failure.kind] === 'stop' || deps.now() >= context.deadlineMs) return last;
  }
  return last;
}

async function recordedAttempt(
  target: PlannedAttempt,
  context: AttemptContext,
  deps: GatewayDeps,
  records: AttemptRecord[],
): Promise<AttemptOutcome> {
  const startedAtMs = deps.now();
  const outcome = await attemptTarget(target, context, deps);
  const failure = outcome.kind === 'failed' ? outcome.failure : undefined;
  records.push({
    provider: target.provider,
    model: target.model,
    reason: target.reason,
    startedAtMs,
    durationMs: deps.now() - startedAtMs,
    outcome: failure?.kind ?? 'answered',
    status: failure?.status,
    detail: failure?.detail,
  });
  return outcome;
}

type FailedAttempt = Extract<AttemptOutcome, { kind: 'failed' }>;

/** Whether the same target is asked once more: with another key, a fresh secret, or after a hitch of the provider. */
async function deservesAnother(
  target: PlannedAttempt,
  { failure, secret }: FailedAttempt,
  context: AttemptContext,
  deps: GatewayDeps,
): Promise<boolean> {
  restKey({ failure, secret }, deps);
  const step = nextSteps[failure.kind];
  if (step === 'same_target') {
    // A moment, never in step with other requests; short, since somebody waits.
    await deps.sleep(100 + 200 * deps.random());
    return !context.signal.aborted && deps.now() < context.deadlineMs;
  }
  if (step !== 'other_key' && step !== 'refresh_secret') return false;
  const provider = findProvider(context.snapshot, target.provider);
  if (!provider) return false;
  if (step === 'refresh_secret') await deps.secrets.refresh();
  return deps.keyRing.hasRested(await secretsOf(provider, deps), deps.now());
}

function restKey({ failure, secret }: Pick<FailedAttempt, 'failure' | 'secret'>, deps: GatewayDeps): void {
  if (secret === undefined) return;
  if (failure.kind === 'unauthorized') deps.keyRing.rest(secret, deps.now() + restAfterRefusalMs);
  if (failure.kind === 'rate_limited') {
    deps.keyRing.rest(secret, deps.now() + Math.min(failure.retryAfterMs ?? restAfterLimitMs, longestRestMs));
  }
}
