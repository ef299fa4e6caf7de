import { remember } from './known-breakers.ts';

/** Gives the next turn, a number that counts up, of whatever takes turns under a name. */
export type Turns = (name: string) => number;

/** The turns of one process. */
export function localTurns(): Turns {
  const taken = new Map<string, number>();
  return (name) => {
    const turn = (taken.get(name) ?? -1) + 1;
    remember(taken, name, turn);
    return turn;
  };
}
