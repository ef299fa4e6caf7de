import type { ClientDialect, RequestContext } from '../../dialects/dialect.ts';
import { chatOperation } from '../attempts/vendor-request.ts';
import { readClientCall, understood } from '../caller/client-call.ts';
import { severalModels } from '../caller/requested-models.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { answerOperation, noteOperation } from './answer-operation.ts';

/** How the caller speaks, and what the path said of the request. */
export type Conversation = { client: ClientDialect; context: RequestContext };

/** Answers a chat request of any dialect: decode, plan, attempt, relay. Throws `GatewayError` while nothing was sent. */
export async function converse(
  exchange: Exchange,
  { client, context }: Conversation,
  deps: GatewayDeps,
): Promise<void> {
  const { request, timings } = exchange;
  const call = timings.translating(() =>
    understood(() => readClientCall(client, request.body.toString('utf8'), context)),
  );
  noteOperation(exchange, call);
  const several = severalModels(call, exchange);
  if (several) return (await import('./several-models.ts')).converseWithSeveral(call, several, exchange, deps);
  await answerOperation(exchange, { operation: chatOperation(call), client: call.client }, deps);
}
