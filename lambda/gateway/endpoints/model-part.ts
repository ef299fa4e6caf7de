import type { ChoiceError, ModelChoice, ModelUsage } from '../../dialects/openai-chat/merge-answers.ts';
import { addUsage } from '../../dialects/usage.ts';
import type { AttemptRecord, RequestRecord } from '../../telemetry/request-record.ts';
import { noteError } from '../answers/deliver-answer.ts';
import { askModel } from '../ask-model.ts';
import { failureError } from '../attempts/failure-error.ts';
import { chatOperation } from '../attempts/vendor-request.ts';
import type { ClientCall } from '../caller/client-call.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { asGatewayError, callerError, causeOf, type FaultDomain, GatewayError } from '../gateway-error.ts';
import { newTimings } from '../timings.ts';

/** One of several models, how it is asked, and what becomes known of it. */
export type Part = ModelChoice & { call: ClientCall; exchange: Exchange; attempts: AttemptRecord[] };

/** A request of its own, as far as asking goes; what is measured and remembered of it comes together at the end. */
export function partOf(choice: ModelChoice, call: ClientCall, exchange: Exchange, deps: GatewayDeps): Part {
  const { requestId, method, path, receivedAtMs } = exchange.record;
  const attempts: AttemptRecord[] = [];
  const record: RequestRecord = { requestId, method, path, receivedAtMs, attempts };
  return {
    ...choice,
    attempts,
    call: { ...call, model: choice.model, wantsUsage: false },
    exchange: { ...exchange, record, timings: newTimings(deps.monotonicMs), metadata: false },
  };
}

/** The answer of one model that is ready to be sent; throws when it has none. */
export async function askPart({ call, exchange, attempts }: Part, deps: GatewayDeps) {
  const { record } = exchange;
  const { target, outcome, settle } = await askModel(chatOperation(call), exchange, deps, attempts);
  record.provider = target.provider;
  record.targetModel = target.model;
  if (outcome.kind === 'failed') throw failureError(outcome.failure, target);
  return { target, outcome, settle };
}

/** Puts down why a model has no answer, or not all of it. */
export function failPart({ exchange: { record } }: Part, thrown: unknown): GatewayError {
  const error = asGatewayError(thrown);
  noteError(record, error);
  record.cause = causeOf(error);
  return error;
}

export function choiceError(error: GatewayError, { exchange }: Part): ChoiceError {
  const { message, type, param, code } = callerError(error, exchange.record.requestId);
  return { message, type, param, code };
}

export function usageOf({ model, exchange: { record } }: Part): ModelUsage {
  return { model, responseModel: record.responseModel, usage: record.usage };
}

/** What the log says of the whole request: the attempts of all models, their usage, and the first error among them. */
export function mergeRecords(record: RequestRecord, parts: readonly Part[]): void {
  record.attempts = parts.flatMap(({ model, attempts, exchange }) => {
    const { usage } = exchange.record;
    const answered = attempts.findLast(({ outcome }) => outcome === 'answered');
    if (answered && usage) answered.usage ??= usage;
    return attempts.map((attempt) => ({ requestModel: model, ...attempt }));
  });
  const [first, ...others] = parts.flatMap(({ exchange }) => exchange.record.usage ?? []);
  record.usage = first && others.reduce(addUsage, first);
  record.plan = parts.flatMap(({ exchange }) => exchange.record.plan ?? []);
  const failed = parts.find(({ exchange }) => exchange.record.errorCode !== undefined)?.exchange.record;
  if (failed?.errorCode) record.errorCode = failed.errorCode;
  if (failed?.faultDomain) record.faultDomain = failed.faultDomain;
  if (failed?.cause) record.cause = failed.cause;
}

export type FailedPart = { part: Part; error: GatewayError };

/** The first whose error says what to change, else what to wait for; the message has them all. */
const tellingFirst: readonly FaultDomain[] = ['caller', 'policy', 'provider', 'gateway'];

export function noneAnswered(record: RequestRecord, failed: readonly FailedPart[]): GatewayError {
  const inOrder = failed.toSorted((a, b) => a.part.index - b.part.index);
  const place = ({ error }: FailedPart) => tellingFirst.indexOf(error.faultDomain);
  const { part, error } = inOrder.toSorted((a, b) => place(a) - place(b))[0] as FailedPart;
  const { provider, targetModel } = part.exchange.record;
  Object.assign(record, provider ? { provider } : {}, targetModel ? { targetModel } : {});
  const messages = inOrder.map((one) => `${one.part.model}: ${one.error.message}`);
  return new GatewayError(error.code, `None of the models answered. ${messages.join(' ')}`, error.details);
}
