import type { StreamFailurePolicy } from '../config/stream-failure.ts';
import type { LiveStats } from '../routing/live-stats.ts';
import type { Preferences } from '../routing/preferences.ts';
import type { AttemptContext } from './attempts/attempt.ts';
import { attemptContext } from './attempts/attempt-context.ts';
import { chatOperation } from './attempts/vendor-request.ts';
import { understood } from './caller/client-call.ts';
import { routingWish } from './caller/routing-facts.ts';
import { streamFailurePolicy } from './caller/stream-failure-policy.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import type { Operation } from './operation.ts';
import { type PlannedRequest, planRequest } from './plan-request.ts';

/** A request that has its plan and all that its attempts need, with what the plan was made from. */
export type PreparedRequest = Pick<PlannedRequest, 'plan' | 'model'> & {
  live: LiveStats;
  preferences: Preferences;
  onStreamFailure: StreamFailurePolicy;
  /** Its answer is taken up by another target should it break off. */
  resumes: boolean;
  context: AttemptContext;
};

/** Plans for an operation, with turns from `turn`; throws for whatever in its body or headers cannot be meant. */
export async function prepareRequest(
  operation: Operation,
  exchange: Exchange,
  { turn, ...deps }: GatewayDeps & { turn(counter: string): number | undefined },
): Promise<PreparedRequest> {
  const { timings, request, snapshot } = exchange;
  const wish = timings.translating(() => routingWish(operation, exchange));
  return timings.during('plan', async () => {
    const live = await deps.live();
    const { plan, model, leavesRouting } = planRequest({ name: operation.model, wish, live, turn }, exchange, deps);
    const onStreamFailure = streamFailurePolicy(request, plan, snapshot);
    const resumes = operation.conversation?.stream === true && onStreamFailure === 'resume';
    const asked = wantedOperation(operation, { resumes, passesRouting: leavesRouting });
    const context = attemptContext(asked, exchange, { plan, live, asked: wish.request });
    return { plan, model, live, preferences: wish.request.preferences ?? {}, onStreamFailure, resumes, context };
  });
}

/**
 * A conversation as this plan wants it asked. Where its answer may be taken up it comes as events; what the vocabulary
 * cannot say of the request is a mistake from the start then.
 */
function wantedOperation(
  operation: Operation,
  { resumes, passesRouting }: { resumes: boolean; passesRouting: boolean },
): Operation {
  const { conversation: call } = operation;
  if (!call || !(resumes || passesRouting)) return operation;
  if (resumes) understood(call.request);
  return chatOperation({ ...call, ...(resumes && { asEvents: true }), ...(passesRouting && { passesRouting: true }) });
}
