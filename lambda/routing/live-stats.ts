import type { Breakers } from './breaker.ts';
import type { OwnWaits } from './own-waits.ts';
import { emptyScores, type Scores } from './score.ts';

/** What gateways know of the targets at the moment, beside the configuration. */
export type LiveStats = {
  scores: Scores;
  breakers: Breakers;
  /** What this gateway has seen itself a moment ago. */
  own?: OwnWaits;
};

/** Nothing measured yet, nothing known to be down. */
export const emptyLiveStats: LiveStats = { scores: emptyScores, breakers: {} };
