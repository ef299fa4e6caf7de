import { cloudflareHeaders } from '../providers/cloudflare-gateway.ts';
import type { LiveStats } from '../routing/live-stats.ts';
import { type Plan, planAttempts } from '../routing/plan.ts';
import type { RequestedModel } from '../routing/requested-model.ts';
import { promptSize } from '../routing/score.ts';
import { type AttemptRecord, shownTargets } from '../telemetry/request-record.ts';
import type { AttemptContext } from './attempt.ts';
import { deadlinesOf } from './caller-deadline.ts';
import { type ClientCall, understood } from './client-call.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { GatewayError } from './gateway-error.ts';
import { requireModel } from './models.ts';
import type { Operation } from './operation.ts';
import { wantedKeys } from './provider-keys.ts';
import { resumableRelay } from './resume-stream.ts';
import { routingRequest } from './routing-facts.ts';
import { type PlanOutcome, runPlan } from './run-plan.ts';
import { streamFailurePolicy } from './stream-failure-policy.ts';
import { chatOperation } from './vendor-request.ts';

/** A model, how it was asked, and what came of it. */
export type AskedModel = PlanOutcome & { plan: Plan; context: AttemptContext };

/** Plans for the model that an operation names, and asks until an answer is ready or all targets have failed. */
export async function askModel(
  operation: Operation,
  exchange: Exchange,
  deps: GatewayDeps,
  records: AttemptRecord[],
): Promise<AskedModel> {
  const { timings, request, caller, snapshot, record } = exchange;
  const model = requireModel(snapshot, operation.model, caller);
  const call = operation.conversation;
  const resumes = call?.stream && streamFailurePolicy(request, model, snapshot) === 'resume';
  const live = await timings.during('plan', deps.live);
  const plan = await timings.during('plan', async () => planFor({ model, operation, live }, exchange, deps));
  record.plan = shownTargets(plan.attempts);
  if (plan.leftOut.length > 0) record.leftOut = shownTargets(plan.leftOut);
  const context = attemptContext(resumes ? chatOperation(eventsOf(call)) : operation, plan, exchange, live);
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

type Wanted = { model: RequestedModel; operation: Operation; live: LiveStats };

function planFor(
  { model, operation, live }: Wanted,
  { request, snapshot }: Exchange,
  deps: Pick<GatewayDeps, 'now' | 'random'>,
): Plan {
  return planAttempts({
    snapshot,
    model,
    live,
    request: routingRequest(operation, request),
    nowMs: deps.now(),
    entropy: deps.random(),
  });
}

function attemptContext(
  operation: Operation,
  plan: Plan,
  { request, snapshot, timings }: Exchange,
  live: LiveStats,
): AttemptContext {
  return {
    operation,
    snapshot,
    forwardedHeaders: forwardedHeaders(request.headers),
    dropsUnsupported: request.headers['x-sluice-unsupported-parameters'] === 'drop',
    keyRange: wantedKeys(request),
    ...deadlinesOf(request, plan.attempts[0]?.limits.totalMs ?? 0, operation.stream),
    promptSize: promptSize(routingRequest(operation, request).inputTokens),
    live,
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
