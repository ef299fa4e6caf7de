import { cloudflareHeaders } from '../providers/cloudflare-gateway.ts';
import type { LiveStats } from '../routing/live-stats.ts';
import type { Plan } from '../routing/plan.ts';
import type { RoutingRequest } from '../routing/routing-request.ts';
import { promptSize } from '../routing/score.ts';
import { targetName } from '../routing/target-name.ts';
import { type AttemptRecord, shownTargets } from '../telemetry/request-record.ts';
import { resumableRelay } from './answers/resume-stream.ts';
import type { AttemptContext } from './attempts/attempt.ts';
import { wantedKeys } from './attempts/provider-keys.ts';
import { type PlanOutcome, runPlan } from './attempts/run-plan.ts';
import { chatOperation } from './attempts/vendor-request.ts';
import { deadlinesOf } from './caller/caller-deadline.ts';
import { type ClientCall, understood } from './caller/client-call.ts';
import { routingWish } from './caller/routing-facts.ts';
import { streamFailurePolicy } from './caller/stream-failure-policy.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { GatewayError } from './gateway-error.ts';
import type { Operation } from './operation.ts';
import { planFor, requestedModels } from './plan-request.ts';

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
  const models = requestedModels(operation, wish, exchange);
  const live = await timings.during('plan', deps.live);
  const plan = await timings.during('plan', async () =>
    planFor({ models, wish, live }, exchange, { ...deps, turn: deps.turns.next }),
  );
  record.plan = shownTargets(plan.attempts);
  if (plan.leftOut.length > 0) record.leftOut = shownTargets(plan.leftOut);
  if (plan.rule !== undefined) record.rule = plan.rule;
  if (plan.attempts.length === 0) throw nobodyLeft(plan);
  const call = operation.conversation;
  const resumes = call?.stream && streamFailurePolicy(request, plan, snapshot) === 'resume';
  const context = attemptContext(resumes ? chatOperation(eventsOf(call)) : operation, plan, exchange, {
    live,
    request: wish.request,
  });
  record.passedOver = context.passedOver;
  const result = await timings.during('upstream', () => runPlan(plan.attempts, context, deps, records));
  if (!result) throw noTarget();
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

function noTarget(): GatewayError {
  return new GatewayError('no_target_available', 'This model has no target.');
}

const mostReasons = 5;

/** Those that are down are never all left out: nobody is left when all fail this request's own needs and limits. */
function nobodyLeft({ leftOut }: Plan): GatewayError {
  if (leftOut.length === 0) return noTarget();
  const reasons = leftOut.slice(0, mostReasons).map((target) => `${targetName(target)}: ${target.reason}`);
  return new GatewayError('no_target_matches', `No target can take this request. ${reasons.join('; ')}.`);
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
