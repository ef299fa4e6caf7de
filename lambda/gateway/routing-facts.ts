import type { RoutingRequest } from '../routing/routing-request.ts';
import type { GatewayRequest } from './exchange.ts';
import type { Operation } from './operation.ts';

/** Rough on purpose: enough to tell short prompts from long ones. */
const bytesPerToken = 4;

/** What of a request matters for choosing a target. */
export function routingRequest(
  { stream }: Pick<Operation, 'stream'>,
  { body }: Pick<GatewayRequest, 'body'>,
): RoutingRequest {
  return {
    stream,
    inputTokens: Math.ceil(body.length / bytesPerToken),
    maxOutputTokens: undefined,
    bodyBytes: body.length,
  };
}
