import { attemptLimits, hedgeTerms } from './attempt-limits.ts';
import { costMicroUsd } from './cost.ts';
import type { PlanInput, PlannedAttempt } from './plan.ts';
import type { Settled } from './settle-breakers.ts';

/** How a target is asked that stands before `next` in the plan. */
export function plannedAttempt(
  { candidate: { target, wait }, reason, model, fallbackOf, breaker }: Settled,
  next: Settled | undefined,
  { snapshot: { settings }, request }: Pick<PlanInput, 'snapshot' | 'request'>,
): PlannedAttempt {
  const policy = model.unsupportedParameters ?? settings.unsupportedParameters;
  const limits = attemptLimits(model.timeouts, settings.timeouts ?? {}, wait, request);
  const attempt: PlannedAttempt = { provider: target.provider, model: target.model, limits, reason };
  if (policy === 'drop' && !request.preferences?.requireParameters) attempt.dropsUnsupported = true;
  if (target.continuesPartial) attempt.continuesPartial = true;
  if (wait) attempt.expectedWaitMs = Math.round(wait.p50Ms);
  const cost = costMicroUsd(target, request);
  if (cost !== undefined) attempt.costMicroUsd = Math.round(cost);
  if (target.contextTokens !== undefined) attempt.contextTokens = target.contextTokens;
  if (fallbackOf !== undefined) attempt.fallback = true;
  if (breaker) attempt.breaker = breaker;
  // Nobody who asks for one model is helped out by another, nor by a target that may be down.
  const helper = next && next.model === model && !next.breaker ? next.candidate : undefined;
  const hedge = breaker ? undefined : hedgeTerms(model.hedge, wait, helper);
  if (hedge) attempt.hedge = hedge;
  return attempt;
}
