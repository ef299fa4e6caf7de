import { findProvider } from '../providers/provider.ts';
import { applyRules } from '../routing/apply-rules.ts';
import type { LiveStats } from '../routing/live-stats.ts';
import type { Plan } from '../routing/plan.ts';
import { planAttempts } from '../routing/plan-attempts.ts';
import type { RequestedModel } from '../routing/requested-model.ts';
import { mayUse } from './caller/authenticate.ts';
import { requireModel } from './caller/models.ts';
import type { RoutingWish } from './caller/routing-facts.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { GatewayError } from './gateway-error.ts';

/** A request as it is planned: the model as its caller named it, what is wished and known, and where turns come from. */
export type Wanted = {
  name: string | undefined;
  wish: RoutingWish;
  live: LiveStats;
  turn(counter: string): number | undefined;
};

/** `model` is as its rules made it; `leavesRouting`: `models` and `provider` of the body are its vendor's to read. */
export type PlannedRequest = { plan: Plan; model: RequestedModel; leavesRouting: boolean };

/** Makes the plan; throws for models that the caller may not use, and for wishes that nobody can be trusted with. */
export function planRequest(
  { name, wish, live, turn }: Wanted,
  { snapshot, caller }: Pick<Exchange, 'snapshot' | 'caller'>,
  { now, random }: Pick<GatewayDeps, 'now' | 'random'>,
): PlannedRequest {
  const { request, models } = wish;
  const entropy = random();
  const [first, ...others] = name === undefined ? models : [name, ...models.filter((other) => other !== name)];
  const ruled = applyRules(requireModel(snapshot, first, caller), snapshot.models, request, entropy);
  const readsRouting = (provider: string) => findProvider(snapshot, provider)?.readsRoutingFields ?? false;
  // There the names are the vendor's, which tries them itself.
  const leavesRouting = ruled.model.targets.every(({ provider }) => readsRouting(provider));
  if (!leavesRouting) refuseForeign(wish);
  const plan = planAttempts({
    ...ruled,
    snapshot,
    alternatives: leavesRouting ? [] : others.map((other) => requireModel(snapshot, other, caller)),
    live,
    request,
    nowMs: now(),
    entropy,
    turn,
    mayUse: caller.models && ((other) => mayUse(caller, other)),
    leavesRouting: leavesRouting ? readsRouting : undefined,
  });
  return { plan, model: ruled.model, leavesRouting };
}

function refuseForeign({ request: { preferences } }: RoutingWish): void {
  const field = preferences?.foreign?.[0];
  if (field === undefined) return;
  const param = `provider.${field}`;
  throw new GatewayError('invalid_request', `"${param}" cannot be honoured for this model.`, { param });
}
