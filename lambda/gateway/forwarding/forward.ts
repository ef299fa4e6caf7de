import { openAiChatClient } from '../../dialects/openai-chat/openai-chat.ts';
import type { EndpointName } from '../../dialects/vendor-endpoint.ts';
import { understood } from '../caller/client-call.ts';
import { answerOperation } from '../endpoints/answer-operation.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { readForwardCall } from './forward-call.ts';
import { forwardOperation } from './forward-operation.ts';

/** Answers a request for something besides a conversation, by the same way: plan, attempts, relay. */
export async function forward(exchange: Exchange, endpoint: EndpointName, deps: GatewayDeps): Promise<void> {
  const { request, timings } = exchange;
  const call = timings.translating(() => understood(() => readForwardCall(endpoint, request)));
  await answerOperation(exchange, { operation: forwardOperation(call), client: openAiChatClient }, deps);
}
