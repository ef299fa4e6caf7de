import type { TargetFacts } from '../config/snapshot.ts';
import type { RoutingRequest } from './routing-request.ts';

/** Answers are about so long when nothing else is known. */
const usualOutputTokens = 300;

/** What a request costs about, in millionths of a US dollar; undefined when the price is unknown. */
export function costMicroUsd(
  { price }: TargetFacts,
  { inputTokens, maxOutputTokens = Infinity }: Pick<RoutingRequest, 'inputTokens' | 'maxOutputTokens'>,
): number | undefined {
  return price && inputTokens * price.input + Math.min(maxOutputTokens, usualOutputTokens) * price.output;
}
