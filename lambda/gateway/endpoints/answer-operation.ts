import type { ClientDialect } from '../../dialects/dialect.ts';
import type { AttemptRecord } from '../../telemetry/request-record.ts';
import { deliverAnswer } from '../answers/deliver-answer.ts';
import { askModel } from '../ask-model.ts';
import { failureError } from '../attempts/failure-error.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import type { Operation } from '../operation.ts';

/** The name is the caller's text, of any length. */
const longestLoggedModel = 200;

/** Puts into the record what is wanted. */
export function noteOperation({ record }: Exchange, { model, stream }: Pick<Operation, 'model' | 'stream'>): void {
  record.requestModel = model?.slice(0, longestLoggedModel);
  record.stream = stream;
}

/** What is wanted, and the dialect in which its caller is told of failures. */
export type WantedAnswer = { operation: Operation; client: ClientDialect };

/** Plans, asks until somebody answers, and sends the answer. Throws `GatewayError` while nothing was sent. */
export async function answerOperation(
  exchange: Exchange,
  { operation, client }: WantedAnswer,
  deps: GatewayDeps,
): Promise<void> {
  const { record, request } = exchange;
  noteOperation(exchange, operation);
  const attempts: AttemptRecord[] = [];
  record.attempts = attempts;
  const { target, outcome, settle } = await askModel(operation, exchange, deps, attempts);
  record.provider = target.provider;
  record.targetModel = target.model;
  if (outcome.kind === 'failed') throw failureError(outcome.failure, target);
  record.timeToFirstChunkMs = deps.now() - request.receivedAtMs;
  await deliverAnswer(exchange, { target, client, outcome, settle });
}
