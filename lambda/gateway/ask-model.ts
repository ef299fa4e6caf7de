import { cloudflareHeaders } from '../providers/cloudflare-gateway.ts';
import { findProvider } from '../providers/provider.ts';
import type { LiveStats } from '../routing/live-stats.ts';
import type { Plan } from '../routing/plan.ts';
import { planAttempts } from '../routing/plan-attempts.ts';
import type { RequestedModel } from '../routing/requested-model.ts';
import type { RoutingRequest } from '../routing/routing-request.ts';
import { promptSize } from '../routing/score.ts';
import { targetName } from '../routing/target-name.ts';
import { type AttemptRecord, shownTargets } from '../telemetry/request-record.ts';
import { resumableRelay } from './answers/resume-stream.ts';
import type { AttemptContext } from './attempts/attempt.ts';
import { wantedKeys } from './attempts/provider-keys.ts';
import { type PlanOutcome, runPlan } from './attempts/run-plan.ts';
import { chatOperation } from './attempts/vendor-request.ts';
import { mayUse } from './caller/authenticate.ts';
import { deadlinesOf } from './caller/caller-deadline.ts';
import { type ClientCall, understood } from './caller/client-call.ts';
import { requireModel } from './caller/models.ts';
import { type RoutingWish, routingWish } from './caller/routing-facts.ts';
import { streamFailurePolicy } from './caller/stream-failure-policy.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { GatewayError } from './gateway-error.ts';
import type { Operation } from './operation.ts';

/** A model, how it was asked, and what came of it. */
export type AskedModel = PlanOutcome & { plan: Plan; context: AttemptContext };

/** Plans for the model that an operation names, and asks until an answer is ready or all targets have failed. */
export async function askModel(
  operation: Operation,
  exchange: Exchange,
  deps: GatewayDeps,
  records: AttemptRecord[],
): Promise<AskedModel> {
  const { timings, request, snapshot, record } = exchange;
  const wish = timings.translating(() => routingWish(operation, exchange));
  const [model, ...alternatives] = requestedModels(operation, wish, exchange);
  const call = operation.conversation;
  const resumes = call?.stream && streamFailurePolicy(request, model, snapshot) === 'resume';
  const live = await timings.during('plan', deps.live);
  const plan = await timings.during('plan', async () => planFor({ model, alternatives, wish, live }, exchange, deps));
  record.plan = shownTargets(plan.attempts);
  if (plan.leftOut.length > 0) record.leftOut = shownTargets(plan.leftOut);
  if (plan.rule !== undefined) record.rule = plan.rule;
  if (plan.attempts.length === 0) throw nobodyLeft(plan);
  const context = attemptContext(resumes ? chatOperation(eventsOf(call)) : operation, plan, exchange, {
    live,
    request: wish.request,
  });
  record.passedOver = context.passedOver;
  const result = await timings.during('upstream', () => runPlan(plan.attempts, context, deps, records));
  if (!result) throw new GatewayError('no_target_available', 'This model has no target.');
  const asked = { ...result, plan, context };
  return resumes ? resumable(asked, deps, records) : asked;
}

/** The call with its answer as events; what the vocabulary cannot say of the request is a mistake from the start. */
function eventsOf(call: ClientCall): ClientCall {
  understood(call.request);
  return { ...call, asEvents: true };
}

function resumable(asked: AskedModel, deps: GatewayDeps, records: AttemptRecord[]): AskedModel {
  const { outcome } = asked;
  if (outcome.kind !== 'streaming' || !outcome.opened) return asked;
  const opened = { ...outcome, opened: outcome.opened };
  return { ...asked, outcome: { ...outcome, relay: resumableRelay({ ...asked, outcome: opened }, deps, records) } };
}

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

const mostReasons = 5;

function nobodyLeft({ leftOut }: Plan): GatewayError {
  const reasons = leftOut.slice(0, mostReasons).map((target) => `${targetName(target)}: ${target.reason}`);
  return new GatewayError('no_target_available', `No target can take this request. ${reasons.join('; ')}.`);
}

export type Wanted = {
  model: RequestedModel;
  alternatives: readonly RequestedModel[];
  wish: RoutingWish;
  live: LiveStats;
};

/** Makes the plan; throws for wishes that no target of the model can be trusted with. */
export function planFor(
  { model, alternatives, wish, live }: Wanted,
  { snapshot, caller }: Pick<Exchange, 'snapshot' | 'caller'>,
  deps: Pick<GatewayDeps, 'now' | 'random' | 'turns'>,
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
    nowMs: deps.now(),
    entropy: deps.random(),
    turn: model.strategy === 'round-robin' ? deps.turns.next(`model#${model.name}`) : undefined,
    mayUse: caller.models && ((name) => mayUse(caller, name)),
    readsRoutingFields,
  });
}

function attemptContext(
  operation: Operation,
  plan: Plan,
  { request, snapshot, timings }: Exchange,
  known: { live: LiveStats; request: RoutingRequest },
): AttemptContext {
  return {
    operation,
    snapshot,
    forwardedHeaders: forwardedHeaders(request.headers),
    dropsUnsupported: request.headers['x-sluice-unsupported-parameters'] === 'drop',
    keyRange: wantedKeys(request),
    ...deadlinesOf(request, plan.attempts[0]?.limits.totalMs ?? 0, operation.stream),
    promptSize: promptSize(known.request.inputTokens),
    live: known.live,
    passedOver: [],
    signal: request.signal,
    timings,
  };
}

/** Headers that carry a request's meaning to a vendor; credentials and the caller's own accounts stay here. */
const meaningfulHeaders = ['openai-beta', 'anthropic-beta', 'anthropic-version', ...cloudflareHeaders];

function forwardedHeaders(headers: Exchange['request']['headers']): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const name of meaningfulHeaders) {
    const value = headers[name];
    if (value !== undefined) forwarded[name] = value;
  }
  return forwarded;
}
