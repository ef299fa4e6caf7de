import type { Plan } from '../routing/plan.ts';
import { targetName } from '../routing/target-name.ts';
import { type AttemptRecord, type RequestRecord, shownTargets } from '../telemetry/request-record.ts';
import { resumableRelay } from './answers/resume-stream.ts';
import type { AttemptContext } from './attempts/attempt.ts';
import { attemptContext } from './attempts/attempt-context.ts';
import { type PlanOutcome, runPlan } from './attempts/run-plan.ts';
import { chatOperation } from './attempts/vendor-request.ts';
import { understood } from './caller/client-call.ts';
import { routingWish } from './caller/routing-facts.ts';
import { streamFailurePolicy } from './caller/stream-failure-policy.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { GatewayError } from './gateway-error.ts';
import type { Operation } from './operation.ts';
import { planRequest } from './plan-request.ts';

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
  const { live, plan, leavesRouting } = await timings.during('plan', async () => {
    const wanted = { name: operation.model, wish, live: await deps.live(), turn: deps.turns.next };
    return { live: wanted.live, ...planRequest(wanted, exchange, deps) };
  });
  notePlan(record, plan);
  if (plan.attempts.length === 0) throw nobodyLeft(plan);
  const resumes = operation.conversation?.stream === true && streamFailurePolicy(request, plan, snapshot) === 'resume';
  const asking = wantedOperation(operation, { resumes, passesRouting: leavesRouting });
  const context = attemptContext(asking, exchange, { plan, live, asked: wish.request });
  record.passedOver = context.passedOver;
  const result = await timings.during('upstream', () => runPlan(plan.attempts, context, deps, records));
  if (!result) throw noTarget();
  const asked = { ...result, plan, context };
  return resumes ? resumable(asked, deps, records) : asked;
}

function notePlan(record: RequestRecord, { attempts, leftOut, rule }: Plan): void {
  record.plan = shownTargets(attempts);
  if (leftOut.length > 0) record.leftOut = shownTargets(leftOut);
  if (rule !== undefined) record.rule = rule;
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
