import { factsOfRequest, type RequestFacts } from '../../dialects/request-facts.ts';
import { hashed } from '../../routing/draw.ts';
import type { RoutingRequest } from '../../routing/routing-request.ts';
import type { Exchange, GatewayRequest } from '../exchange.ts';
import type { Operation } from '../operation.ts';
import { readModels, readPreferences } from './caller-preferences.ts';
import { understood } from './client-call.ts';

/** Rough on purpose: enough to tell short prompts from long ones. */
const bytesPerToken = 4;
/** What vendors take for a picture or a minute of sound, about. */
const tokensPerMedia = 1_000;

/** A request as planning sees it, and the models that the caller wants tried one after the other. */
export type RoutingWish = { request: RoutingRequest; models: readonly string[] };

/** Reads what of a request matters for choosing a target; throws `invalid_request` for preferences that cannot be meant. */
export function routingWish(
  operation: Operation,
  { request, caller }: Pick<Exchange, 'request' | 'caller'>,
): RoutingWish {
  const facts = factsOf(operation);
  const preferences = readPreferences(facts?.provider);
  const session = request.headers['x-session-id'];
  return {
    models: readModels(facts?.models),
    request: {
      stream: operation.stream,
      inputTokens: inputTokens(request, facts),
      maxOutputTokens: facts?.maxOutputTokens,
      bodyBytes: request.body.length,
      keyLabel: caller.label,
      headers: request.headers,
      ...(preferences && { preferences }),
      ...(session && { session }),
      ...(facts && {
        needs: facts.needs,
        thinks: facts.thinks,
        ...(facts.opening !== undefined && { conversation: String(hashed(facts.opening)) }),
        ...(facts.user !== undefined && { user: facts.user }),
        ...(facts.metadata && { metadata: facts.metadata }),
      }),
    },
  };
}

function factsOf({ conversation }: Operation): RequestFacts | undefined {
  if (!conversation) return undefined;
  return conversation.facts ?? factsOfRequest(understood(conversation.request));
}

/** An estimate from the size of what is to be read; pictures in the body are no text. */
export function inputTokens({ body }: Pick<GatewayRequest, 'body'>, facts?: RequestFacts): number {
  const { mediaCharacters = 0, mediaCount = 0 } = facts ?? {};
  return Math.ceil(Math.max(body.length - mediaCharacters, 0) / bytesPerToken) + mediaCount * tokensPerMedia;
}
