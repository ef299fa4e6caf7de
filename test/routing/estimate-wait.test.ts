import { describe, expect, test } from '@jest/globals';
import { estimateWait, type WaitQuestion } from '../../lambda/routing/estimate-wait.ts';
import type { TargetScore, WaitSummary } from '../../lambda/routing/score.ts';

const question: WaitQuestion = { streamed: true, size: 'small', outputTokens: 300, freshness: 1 };
const wait = (samples: number, ms: number): WaitSummary => ({
  ...{ samples, meanMs: ms, p50Ms: ms, p90Ms: ms, p95Ms: ms, p99Ms: ms },
  beforeDoubt: { samples: 30, p95Ms: 10 * ms, p99Ms: 20 * ms },
});
const scoreOf = (streamed: TargetScore['streamed'], buffered: TargetScore['buffered'] = {}): TargetScore => ({
  ...{ updatedAtMs: 0, attemptsPerSecond: 1, retryShare: 0, streamed, buffered },
  outcomes: { attempts: 40, failures: 0, timeouts: 0, rateLimited: 0 },
});
const beforeDoubt = (score: TargetScore, asked: Partial<WaitQuestion> = {}) =>
  estimateWait(score, { ...question, ...asked })!.beforeDoubt;

describe('what was rare before a doubt', () => {
  test('is that of the same kind of request, whatever is known of others', () => {
    const known = scoreOf({ small: wait(2, 100), medium: wait(40, 700) });

    expect(beforeDoubt(known)).toEqual({ samples: 30, p95Ms: 1_000, p99Ms: 2_000 });
  });

  test('counts for less when it is of another kind, and is longer for longer prompts', () => {
    const known = scoreOf({ small: wait(40, 100) });

    expect(beforeDoubt(known, { size: 'large' })).toEqual({ samples: 4.5, p95Ms: 2_500, p99Ms: 5_000 });
  });

  test('counts for less the older it is', () => {
    const known = scoreOf({ small: wait(40, 100) });

    expect(beforeDoubt(known, { freshness: 0.5 })).toEqual({ samples: 15, p95Ms: 1_000, p99Ms: 2_000 });
  });

  test('is of an answer of the expected length', () => {
    const buffered = { ...wait(40, 1_000), meanOutputTokens: 100 };
    const known = { ...scoreOf({}, { small: buffered }), outputTokensPerSecond: { samples: 40, mean: 50, p50: 50 } };

    // 200 more tokens take four seconds.
    expect(beforeDoubt(known, { streamed: false })).toEqual({ samples: 30, p95Ms: 14_000, p99Ms: 24_000 });
  });
});
