import { cloudflareHeaders } from '../../providers/cloudflare-gateway.ts';
import type { LiveStats } from '../../routing/live-stats.ts';
import type { Plan } from '../../routing/plan.ts';
import type { RoutingRequest } from '../../routing/routing-request.ts';
import { promptSize } from '../../routing/score.ts';
import { deadlinesOf } from '../caller/caller-deadline.ts';
import type { Exchange } from '../exchange.ts';
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
  // Who leaves nothing out must not be asked to.
  const mayDrop = !asked.preferences?.requireParameters;
  return {
    operation,
    snapshot,
    forwardedHeaders: forwardedHeaders(headers),
    dropsUnsupported: mayDrop && headers['x-sluice-unsupported-parameters'] === 'drop',
    keyRange: wantedKeys(request),
    ...deadlinesOf(request, plan.attempts[0]?.limits.totalMs ?? 0, operation.stream),
    promptSize: promptSize(asked.inputTokens),
    live,
    passedOver: [],
    signal,
    timings,
  };
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
