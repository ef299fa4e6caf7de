import type { ClientDialect, RequestContext } from '../dialects/dialect.ts';
import type { AttemptRecord } from '../telemetry/request-record.ts';
import { askModel } from './ask-model.ts';
import { readClientCall, understood } from './client-call.ts';
import { deliverAnswer } from './deliver-answer.ts';
import type { Exchange } from './exchange.ts';
import { failureError } from './failure-error.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { severalModels } from './requested-models.ts';
import { converseWithSeveral } from './several-models.ts';
import { chatOperation } from './vendor-request.ts';

/** How the caller speaks, and what the path said of the request. */
export type Conversation = { client: ClientDialect; context: RequestContext };

/** The name is the caller's text, of any length. */
const longestLoggedModel = 200;

/** Answers a chat request of any dialect: decode, plan, attempt, relay. Throws `GatewayError` while nothing was sent. */
export async function converse(
  exchange: Exchange,
  { client, context }: Conversation,
  deps: GatewayDeps,
): Promise<void> {
  const { request, record, timings } = exchange;
  const call = timings.translating(() =>
    understood(() => readClientCall(client, request.body.toString('utf8'), context)),
  );
  record.requestModel = call.model?.slice(0, longestLoggedModel);
  record.stream = call.stream;
  const several = severalModels(call, exchange);
  if (several) return converseWithSeveral(call, several, exchange, deps);
  const attempts: AttemptRecord[] = [];
  record.attempts = attempts;
  const { target, outcome, settle } = await askModel(chatOperation(call), exchange, deps, attempts);
  record.provider = target.provider;
  record.targetModel = target.model;
  if (outcome.kind === 'failed') throw failureError(outcome.failure, target);
  record.timeToFirstChunkMs = deps.now() - request.receivedAtMs;
  await deliverAnswer(exchange, { target, client: call.client, outcome, settle });
}
