import { openAiChatClient } from '../../dialects/openai-chat/openai-chat.ts';
import { strategyOf } from '../../routing/preferences.ts';
import { targetName } from '../../routing/target-name.ts';
import { answerHeaders } from '../answers/answer-headers.ts';
import { chatOperation } from '../attempts/vendor-request.ts';
import { type ClientCall, readClientCall, understood } from '../caller/client-call.ts';
import { severalModels } from '../caller/requested-models.ts';
import { type Exchange, sendJson } from '../exchange.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { callerError, GatewayError } from '../gateway-error.ts';
import { prepareRequest } from '../prepare-request.ts';
import { noteOperation } from './answer-operation.ts';

/** Answers a chat request with whom it would be sent to and why, and who is left out and why; asks nobody. */
export async function explainRoute(exchange: Exchange, deps: GatewayDeps): Promise<void> {
  const { request, record, timings, sink } = exchange;
  const call = understood(() => readClientCall(openAiChatClient, request.body.toString('utf8'), {}));
  noteOperation(exchange, call);
  const several = severalModels(call, exchange);
  const body = several ? await routesOf(several, call, exchange, deps) : await routeOf(call, exchange, deps);
  await sendJson(sink, 200, body, answerHeaders(record, timings));
}

/** A route for each model; as in the answer to a chat, one that cannot be had does not hide the others. */
async function routesOf(models: readonly string[], call: ClientCall, exchange: Exchange, deps: GatewayDeps) {
  const routes = models.map((model) =>
    routeOf({ ...call, model }, exchange, deps).catch((thrown: unknown) => {
      if (!(thrown instanceof GatewayError)) throw thrown;
      const { message, type, param, code } = callerError(thrown, exchange.record.requestId);
      return { object: 'route', model, error: { message, type, param, code } };
    }),
  );
  return { object: 'list', data: await Promise.all(routes) };
}

async function routeOf(call: ClientCall, exchange: Exchange, deps: GatewayDeps) {
  const prepared = await prepareRequest(chatOperation(call), exchange, { ...deps, turn: deps.turns.peek });
  const { plan, model, live, preferences, onStreamFailure } = prepared;
  const { attempts, leftOut, rule, notes } = plan;
  const scoreOf = (target: string) => (Object.hasOwn(live.scores.targets, target) ? live.scores.targets[target] : null);
  return {
    object: 'route',
    model: model.name,
    strategy: strategyOf(model, preferences),
    ...(rule !== undefined && { rule }),
    ...(call.stream && { onStreamFailure }),
    configVersion: exchange.snapshot.version,
    scoresFoldedAt: live.scores.foldedAtMs > 0 ? new Date(live.scores.foldedAtMs).toISOString() : null,
    attempts: attempts.map(({ provider, model: name, ...attempt }) => ({
      target: targetName({ provider, model: name }),
      ...attempt,
      score: scoreOf(targetName({ provider, model: name })),
    })),
    leftOut: leftOut
      .filter(({ isForbidden }) => !isForbidden)
      .map((target) => ({ target: targetName(target), reason: target.reason })),
    notes: notes ?? [],
  };
}
