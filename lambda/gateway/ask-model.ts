import type { Plan } from '../routing/plan.ts';
import { targetName } from '../routing/target-name.ts';
import { type AttemptRecord, type RequestRecord, shownTargets } from '../telemetry/request-record.ts';
import { resumableRelay } from './answers/resume-stream.ts';
import type { AttemptContext } from './attempts/attempt.ts';
import { type PlanOutcome, runPlan } from './attempts/run-plan.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { GatewayError } from './gateway-error.ts';
import type { Operation } from './operation.ts';
import { prepareRequest } from './prepare-request.ts';

/** A model, how it was asked, and what came of it. */
export type AskedModel = PlanOutcome & { plan: Plan; context: AttemptContext };

/** Plans for the model that an operation names, and asks until an answer is ready or all targets have failed. */
export async function askModel(
  operation: Operation,
  exchange: Exchange,
  deps: GatewayDeps,
  records: AttemptRecord[],
): Promise<AskedModel> {
  const { timings, record } = exchange;
  const { plan, context, resumes } = await prepareRequest(operation, exchange, { ...deps, turn: deps.turns.next });
  notePlan(record, plan);
  if (plan.attempts.length === 0) throw nobodyLeft(plan);
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
  const told = leftOut.filter(({ isForbidden }) => !isForbidden);
  if (told.length === 0) return noTarget();
  const reasons = told.slice(0, mostReasons).map((target) => `${targetName(target)}: ${target.reason}`);
  return new GatewayError('no_target_matches', `No target can take this request. ${reasons.join('; ')}.`);
}
