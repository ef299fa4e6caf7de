/** Things to undo when a stack closes or fails to start: the last one first, each at most once. */
export type Cleanup = { add(undo: () => Promise<void> | void): void; run(): Promise<void> };

/** Collects what a start has to undo. */
export function createCleanup(): Cleanup {
  const steps: (() => Promise<void> | void)[] = [];
  return {
    add: (undo) => void steps.push(undo),
    async run() {
      for (let undo = steps.pop(); undo; undo = steps.pop()) await undo();
    },
  };
}
