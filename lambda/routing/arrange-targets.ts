import type { Strategy } from '../config/routing-schema.ts';
import { missedWish, type Preferences } from './preferences.ts';
import type { Ranked } from './rank-by-loss.ts';
import { isSurelyCapable } from './requirements.ts';
import type { RoutingRequest } from './routing-request.ts';

/** A target in its place; any of those with the same `peers` might as well have come first among them. */
export type Arranged = Ranked & { peers: number };

/** Strategies under which a target comes first by its place alone, and never by chance or by what is measured. */
const fixed: readonly Strategy[] = ['priority', 'cost'];

type Wishes = { request: RoutingRequest; preferences: Preferences };

/**
 * Puts what the caller named first, then what is not known to be too slow, then what is known to be able; among equals the
 * order of the strategy stays.
 */
export function arrangeTargets(ranked: readonly Ranked[], strategy: Strategy, wishes: Wishes): Arranged[] {
  const graded = ranked.map((one) => gradedBy(one, strategy, wishes));
  graded.sort((a, b) => a.grade - b.grade);
  let peers = 0;
  return graded.map(({ candidate, reason, grade }, at) => {
    const before = graded[at - 1];
    if (before && (before.grade !== grade || fixed.includes(strategy))) peers++;
    return { candidate, reason, peers };
  });
}

/** The lower, the sooner: what the caller said counts for more than what is known, and that for more than a weight of 0. */
function gradedBy({ candidate, reason }: Ranked, strategy: Strategy, { request, preferences }: Wishes) {
  const { order = [] } = preferences;
  const { target } = candidate;
  const named = order.indexOf(target.provider);
  const place = named < 0 ? order.length : named;
  const missed = missedWish(candidate, preferences);
  const doubts = matters(request) && !isSurelyCapable(target, request);
  const weightless = strategy === 'weighted' && target.weight === 0;
  const grade = 8 * place + (missed === undefined ? 0 : 4) + (doubts ? 2 : 0) + (weightless ? 1 : 0);
  if (named >= 0) return { candidate, grade, reason: `place ${named + 1} of provider.order` };
  return { candidate, grade, reason: missed === undefined ? reason : `last, since its ${missed}; ${reason}` };
}

/** A short prompt without needs is within what every target can do. */
function matters({ needs = [], inputTokens }: RoutingRequest): boolean {
  return needs.length > 0 || inputTokens > 2_000;
}
