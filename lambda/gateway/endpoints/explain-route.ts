import { openAiChatClient } from '../../dialects/openai-chat/openai-chat.ts';
import { strategyOf } from '../../routing/preferences.ts';
import { targetName } from '../../routing/target-name.ts';
import { chatOperation } from '../attempts/vendor-request.ts';
import { readClientCall, understood } from '../caller/client-call.ts';
import { routingWish } from '../caller/routing-facts.ts';
import { type Exchange, sendJson } from '../exchange.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { planRequest } from '../plan-request.ts';

/** Answers a chat request with whom it would be sent to and why, and who is left out and why; asks nobody. */
export async function explainRoute(exchange: Exchange, deps: GatewayDeps): Promise<void> {
  const { request, record, snapshot, sink } = exchange;
  const call = understood(() => readClientCall(openAiChatClient, request.body.toString('utf8'), {}));
  record.requestModel = call.model?.slice(0, 200);
  const operation = chatOperation(call);
  const wish = routingWish(operation, exchange);
  const live = await deps.live();
  const wanted = { name: call.model, wish, live, turn: deps.turns.peek };
  const { plan, model } = planRequest(wanted, exchange, deps);
  const { attempts, leftOut, rule, notes } = plan;
  const scoreOf = (target: string) => (Object.hasOwn(live.scores.targets, target) ? live.scores.targets[target] : null);
  const body = {
    object: 'route',
    model: model.name,
    strategy: strategyOf(model, wish.request.preferences ?? {}),
    ...(rule !== undefined && { rule }),
    configVersion: snapshot.version,
    scoresFoldedAt: live.scores.foldedAtMs > 0 ? new Date(live.scores.foldedAtMs).toISOString() : null,
    attempts: attempts.map(({ provider, model: name, ...attempt }) => ({
      target: targetName({ provider, model: name }),
      ...attempt,
      score: scoreOf(targetName({ provider, model: name })),
    })),
    leftOut: leftOut.map(({ reason, ...target }) => ({ target: targetName(target), reason })),
    notes: notes ?? [],
  };
  await sendJson(sink, 200, body, { 'x-request-id': request.id });
}
