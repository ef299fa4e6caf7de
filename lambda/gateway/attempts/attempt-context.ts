import { cloudflareHeaders } from '../../providers/cloudflare-gateway.ts';
import type { LiveStats } from '../../routing/live-stats.ts';
import type { Plan } from '../../routing/plan.ts';
import type { RoutingRequest } from '../../routing/routing-request.ts';
import { promptSize } from '../../routing/score.ts';
import { deadlinesOf } from '../caller/caller-deadline.ts';
import type { Exchange } from '../exchange.ts';
import { GatewayError } from '../gateway-error.ts';
import type { Operation } from '../operation.ts';
import type { AttemptContext } from './attempt.ts';
import { wantedKeys } from './provider-keys.ts';

/** What is known of a request when it has been planned. */
export type Known = { plan: Plan; live: LiveStats; asked: RoutingRequest };

/** What all attempts of a request share; throws for headers that cannot be meant. */
export function attemptContext(
  operation: Operation,
  { request, snapshot, timings }: Exchange,
  { plan, live, asked }: Known,
): AttemptContext {
  const { headers, signal } = request;
  return {
    operation,
    snapshot,
    forwardedHeaders: forwardedHeaders(headers),
    // Who wants all parameters honoured cannot want any left out.
    dropsUnsupported: wantedDrop(headers) && !asked.preferences?.requireParameters,
    keyRange: wantedKeys(request),
    ...deadlinesOf(request, plan.attempts[0]?.limits.totalMs ?? 0, operation.stream),
    promptSize: promptSize(asked.inputTokens),
    live,
    passedOver: [],
    signal,
    timings,
  };
}

const unsupportedHeader = 'x-sluice-unsupported-parameters';

/** What the caller says of parameters that a vendor cannot honour; undefined when it says nothing. */
function wantedDrop(headers: Exchange['request']['headers']): boolean | undefined {
  const asked = headers[unsupportedHeader]?.trim().toLowerCase();
  if (asked === undefined) return undefined;
  if (asked === 'drop' || asked === 'reject') return asked === 'drop';
  throw new GatewayError('invalid_request', `The header ${unsupportedHeader} must be drop or reject.`, {
    param: unsupportedHeader,
  });
}

/** Headers that carry a request's meaning to a vendor; credentials and the caller's own accounts stay here. */
const meaningfulHeaders = ['openai-beta', 'anthropic-beta', 'anthropic-version', ...cloudflareHeaders];

function forwardedHeaders(headers: Exchange['request']['headers']): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const name of meaningfulHeaders) {
    const value = headers[name];
    if (value !== undefined) forwarded[name] = value;
  }
  return forwarded;
}
