/** What a request spends its time on until its answer begins. */
export type Phase = 'auth' | 'plan' | 'upstream' | 'translate';

/** Where the time of one request went, by a clock that never jumps. Translating counts for itself, wherever it happens. */
export type Timings = {
  during<T>(phase: Phase, work: () => Promise<T>): Promise<T>;
  translating<T>(work: () => T): T;
  add(phase: Phase, ms: number): void;
  /** Milliseconds of the phases so far. */
  spentMs(): Readonly<Partial<Record<Phase, number>>>;
};

/** Starts with nothing spent; `monotonicMs` is a clock with parts of a millisecond. */
export function newTimings(monotonicMs: () => number): Timings {
  const spent: Partial<Record<Phase, number>> = {};
  const add = (phase: Phase, ms: number) => {
    spent[phase] = (spent[phase] ?? 0) + Math.max(0, ms);
  };
  return {
    add,
    async during(phase, work) {
      const startedMs = monotonicMs();
      const translatedMs = spent.translate ?? 0;
      try {
        return await work();
      } finally {
        add(phase, monotonicMs() - startedMs - ((spent.translate ?? 0) - translatedMs));
      }
    },
    translating(work) {
      const startedMs = monotonicMs();
      try {
        return work();
      } finally {
        add('translate', monotonicMs() - startedMs);
      }
    },
    spentMs: () => spent,
  };
}

const phases: readonly Phase[] = ['auth', 'plan', 'upstream', 'translate'];

/** The header of that name (https://www.w3.org/TR/server-timing/); phases that were not reached are left out. */
export function serverTiming(timings: Timings): string {
  const spent = timings.spentMs();
  let header = '';
  for (const phase of phases) {
    const ms = spent[phase];
    if (ms !== undefined) header += `${header === '' ? '' : ', '}${phase};dur=${ms.toFixed(1)}`;
  }
  return header;
}
