/** Whether all answers of a stream have finished, of which there may be several (`n`) that end one by one. */
export type ChoiceWatch = {
  begin(choice: number): void;
  finish(choice: number): void;
  /** True while one that has begun has not finished: a stream that ends then is cut. */
  areOpen(): boolean;
};

export function watchChoices(): ChoiceWatch {
  const begun = new Set<number>();
  const finished = new Set<number>();
  return {
    begin: (choice) => void begun.add(choice),
    finish: (choice) => void finished.add(choice),
    areOpen: () => [...begun].some((choice) => !finished.has(choice)),
  };
}
