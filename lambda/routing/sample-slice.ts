import type { AttemptSample } from './attempt-sample.ts';
import { addCounters, type Counters, countersOf } from './sample-counters.ts';
import type { TargetScore } from './score.ts';

/** What was seen of one target in a slice of time. */
export type TargetSamples = { counters: Counters; probe?: NonNullable<TargetScore['probe']> };

/** What one gateway saw in a slice of time that began at `startMs`, by target name. */
export type SampleSlice = { startMs: number; targets: Readonly<Record<string, TargetSamples>> };

const sliceMs = 10_000;
/** Callers choose names of models; that many targets between two writes are enough for everybody else. */
const mostTargets = 200;
const longestTargetName = 256;

/** Adds samples up in memory until they are taken to be written. */
export type SampleBuffer = {
  add(sample: AttemptSample): void;
  /** What was promised and kept, as a probe saw it. */
  addProbe(target: string, probe: NonNullable<TargetScore['probe']>): void;
  /** Gives everything away. */
  take(): SampleSlice[];
};

type OpenTarget = { counters: Record<string, number>; probe?: NonNullable<TargetScore['probe']> };

export function createSampleBuffer(): SampleBuffer {
  let slices = new Map<number, Map<string, OpenTarget>>();
  let targets = 0;

  function entry(target: string, atMs: number): OpenTarget | undefined {
    const startMs = Math.floor(atMs / sliceMs) * sliceMs;
    const slice = slices.get(startMs) ?? new Map<string, OpenTarget>();
    slices.set(startMs, slice);
    const known = slice.get(target);
    if (known || targets >= mostTargets || target.length > longestTargetName) return known;
    const opened = { counters: {} };
    slice.set(target, opened);
    targets++;
    return opened;
  }

  return {
    add(sample) {
      const open = entry(sample.target, sample.atMs);
      if (open) addCounters(open.counters, countersOf(sample));
    },
    addProbe(target, probe) {
      const open = entry(target, probe.atMs);
      if (open) open.probe = probe;
    },
    take() {
      const taken = [...slices].map(([startMs, slice]) => ({ startMs, targets: Object.fromEntries(slice) }));
      slices = new Map();
      targets = 0;
      return taken.filter((slice) => Object.keys(slice.targets).length > 0);
    },
  };
}
