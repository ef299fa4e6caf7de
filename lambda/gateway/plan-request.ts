import { findProvider } from '../providers/provider.ts';
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
import type { Operation } from './operation.ts';

/** The model that is asked for, and those that the caller wants tried after it. */
export function requestedModels(
  { model }: Pick<Operation, 'model'>,
  { models }: RoutingWish,
  { snapshot, caller }: Pick<Exchange, 'snapshot' | 'caller'>,
): [RequestedModel, ...RequestedModel[]] {
  const [first, ...others] = model === undefined ? models : [model, ...models.filter((name) => name !== model)];
  const main = requireModel(snapshot, first, caller);
  // There the names are the vendor's, which tries them itself.
  if (main.targets.every(({ provider }) => findProvider(snapshot, provider)?.readsRoutingFields)) return [main];
  return [main, ...others.map((name) => requireModel(snapshot, name, caller))];
}

/** The model that is asked for and those that the caller wants tried after it, with what is wished and known. */
export type Wanted = {
  models: readonly [RequestedModel, ...RequestedModel[]];
  wish: RoutingWish;
  live: LiveStats;
};

/** Makes the plan, with turns from `turn`; throws for wishes that no target of the model can be trusted with. */
export function planFor(
  { models: [model, ...alternatives], wish, live }: Wanted,
  { snapshot, caller }: Pick<Exchange, 'snapshot' | 'caller'>,
  { now, random, turn }: Pick<GatewayDeps, 'now' | 'random'> & { turn: (name: string) => number | undefined },
): Plan {
  const readsRoutingFields = (provider: string) => findProvider(snapshot, provider)?.readsRoutingFields ?? false;
  const { foreign, request } = wish;
  const [unknown] = foreign;
  if (unknown !== undefined && !model.targets.every(({ provider }) => readsRoutingFields(provider))) {
    throw new GatewayError('invalid_request', `"provider.${unknown}" cannot be honoured for this model.`, {
      param: `provider.${unknown}`,
    });
  }
  return planAttempts({
    snapshot,
    model,
    alternatives,
    live,
    request,
    nowMs: now(),
    entropy: random(),
    turn: (name) => turn(`model#${name}`),
    mayUse: caller.models && ((name) => mayUse(caller, name)),
    readsRoutingFields,
  });
}
