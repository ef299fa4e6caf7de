/** Counters that the whole fleet counts on. */
export type TurnStore = {
  /** Takes so many turns at once; gives the number of the first, counted from 0. */
  take(name: string, count: number): Promise<number>;
};
