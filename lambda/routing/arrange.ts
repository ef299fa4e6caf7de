import type { Candidate } from './candidate.ts';
import { missedWish, type Preferences } from './preferences.ts';
import type { Ranked } from './rank-by-loss.ts';
import { isSurelyCapable } from './requirements.ts';
import type { RoutingRequest } from './routing-request.ts';

/** A candidate in its place. `isLast`: behind the others for what it is, however well it did. */
export type Arranged = Ranked & { isLast?: true };

/** Puts behind the others whom this request or its caller would rather not have, however a strategy ranks them. */
export function arrange(
  ranked: readonly Ranked[],
  request: RoutingRequest,
  preferences: Preferences,
): readonly Arranged[] {
  return named(quickEnough(suitable(ranked, request), preferences), preferences);
}

/** Where what a request needs is known of some, behind them those of which it is not. */
function suitable(ranked: readonly Ranked[], request: RoutingRequest): readonly Arranged[] {
  const matters = (request.needs?.length ?? 0) > 0 || request.inputTokens > 2_000;
  if (!matters) return ranked;
  const able: Arranged[] = [];
  const unsure: Arranged[] = [];
  for (const one of ranked) (isSurelyCapable(one.candidate.target, request) ? able : unsure).push(one);
  return able.length === 0 ? ranked : [...able, ...unsure.map(last)];
}

function quickEnough(arranged: readonly Arranged[], preferences: Preferences): readonly Arranged[] {
  if (!preferences.preferredMaxLatencyMs && !preferences.preferredMinThroughput) return arranged;
  const missed = new Map<Candidate, Arranged>();
  for (const one of arranged) {
    const wish = missedWish(one.candidate, preferences);
    if (wish !== undefined)
      missed.set(one.candidate, last({ ...one, reason: `last, since its ${wish}; ${one.reason}` }));
  }
  return [...arranged.filter(({ candidate }) => !missed.has(candidate)), ...missed.values()];
}

/** The providers that the caller named first, in that order. */
function named(arranged: readonly Arranged[], { order, allowFallbacks }: Preferences): readonly Arranged[] {
  if (!order) return arranged;
  const first = new Map<Candidate, Arranged>();
  for (const [place, provider] of order.entries()) {
    for (const one of arranged) {
      if (one.candidate.target.provider !== provider || first.has(one.candidate)) continue;
      first.set(one.candidate, { ...one, reason: `place ${place + 1} of provider.order` });
    }
  }
  if (first.size === 0) return arranged;
  const others = allowFallbacks === false ? [] : arranged.filter(({ candidate }) => !first.has(candidate));
  return [...first.values(), ...others.map(last)];
}

function last(one: Arranged): Arranged {
  return { ...one, isLast: true };
}
