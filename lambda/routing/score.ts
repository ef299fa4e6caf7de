/** How much a target must read before its first word; it decides the wait, so it is measured apart. */
export type PromptSize = 'small' | 'medium' | 'large';

/** Upper ends of the sizes, in input tokens. */
const smallBelow = 2_000;
const mediumBelow = 16_000;

export function promptSize(inputTokens: number): PromptSize {
  if (inputTokens < smallBelow) return 'small';
  return inputTokens < mediumBelow ? 'medium' : 'large';
}

/**
 * A distribution of waits in milliseconds. `samples` is a weight that decays with age: what was seen once, long ago,
 * counts for less than one. A wait that was given up counts as "at least this long".
 */
export type WaitSummary = {
  samples: number;
  meanMs: number;
  p50Ms: number;
  p90Ms: number;
  p95Ms: number;
  p99Ms: number;
  /** Present where a doubt has left less than that: what was rare before it. */
  beforeDoubt?: RareWaits;
};

/** What one wait in twenty, and one in a hundred, lasts longer than. `samples` decays with age alone. */
export type RareWaits = { samples: number; p95Ms: number; p99Ms: number };

/** Absent tokens are unknown: no vendor's answer said how long it was. */
export type BufferedWait = WaitSummary & { meanOutputTokens?: number };

/** What the fleet knows of one target. What is absent is unknown: neither zero nor perfect. */
export type TargetScore = {
  /** When it was last heard of, by traffic or by a probe. */
  updatedAtMs: number;
  /** Time to the first content of streamed answers. */
  streamed: Readonly<Partial<Record<PromptSize, WaitSummary>>>;
  /** Duration of whole buffered answers, and how long those answers were on average. */
  buffered: Readonly<Partial<Record<PromptSize, BufferedWait>>>;
  /** Pace of streamed answers after their first content. */
  outputTokensPerSecond?: { samples: number; mean: number; p50: number };
  /** Attempts of the last minutes, decaying: all of them, and how many failed for which reason of the target's. */
  outcomes: { attempts: number; failures: number; timeouts: number; rateLimited: number };
  /** Attempts of the whole fleet per second, lately. */
  attemptsPerSecond: number;
  /** Share of them that were second tries on this same target. */
  retryShare: number;
  /** What the last probe saw of the vendor's promises. */
  probe?: { atMs: number; streams?: boolean; echoesModel?: boolean; reportsUsage?: boolean };
};

/** The scores of all targets that were heard of, by target name (`provider/model`), as gateways poll them. */
export type Scores = { foldedAtMs: number; targets: Readonly<Record<string, TargetScore>> };

export const emptyScores: Scores = { foldedAtMs: 0, targets: {} };
