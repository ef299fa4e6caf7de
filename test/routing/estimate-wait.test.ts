import { describe, expect, test } from '@jest/globals';
import { estimateWait, failureShare, type WaitQuestion, waitQuestion } from '../../lambda/routing/estimate-wait.ts';
import { emptyScores, type TargetScore, type WaitSummary } from '../../lambda/routing/score.ts';

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

describe('an estimate', () => {
  test('needs nothing but its own kind where a dozen of that are known', () => {
    const others = { medium: wait(40, 7_000), large: wait(40, 7_000) };

    expect(estimateWait(scoreOf({ small: wait(12, 100), ...others }), question)).toMatchObject({
      samples: 12,
      p50Ms: 100,
    });
    expect(estimateWait(scoreOf({ small: wait(11, 100), ...others }), question)!.p50Ms).toBeGreaterThan(1_000);
  });

  test('counts for a tenth where only the other mode was measured', () => {
    const paced = { outputTokensPerSecond: { samples: 40, mean: 50, p50: 50 } };
    const streams = { ...scoreOf({ small: wait(40, 100) }), ...paced };
    const answers = { ...scoreOf({}, { small: { ...wait(40, 7_000), meanOutputTokens: 300 } }), ...paced };

    // 300 tokens take six seconds.
    expect(estimateWait(streams, { ...question, streamed: false })).toMatchObject({ samples: 4, p50Ms: 6_100 });
    expect(estimateWait(answers, question)!.samples).toBe(4);
    expect(estimateWait(answers, question)!.p50Ms).toBe(1_400);
  });

  test('is never less than a fifth of what was measured, however much shorter the answer', () => {
    const buffered = { ...wait(40, 2_000), meanOutputTokens: 1_000 };
    const known = { ...scoreOf({}, { small: buffered }), outputTokensPerSecond: { samples: 40, mean: 50, p50: 50 } };

    expect(estimateWait(known, { ...question, streamed: false })!.p50Ms).toBe(400);
  });

  test('expects a paragraph or two, or as much as the caller allows', () => {
    const tokens = (maxOutputTokens?: number) =>
      waitQuestion({ stream: false, inputTokens: 9, maxOutputTokens }, emptyScores, 0).outputTokens;

    expect([tokens(), tokens(4_000), tokens(20)]).toEqual([300, 300, 20]);
  });
});

test('the share of attempts that fail is neither zero nor one where few were made', () => {
  const outcomes = (attempts: number, failures: number) => ({
    ...scoreOf({}),
    outcomes: { attempts, failures, timeouts: 0, rateLimited: 0 },
  });

  expect(failureShare(undefined)).toBeCloseTo(0.01);
  expect(failureShare(outcomes(2, 2))).toBeCloseTo(0.175);
  expect(failureShare(outcomes(990, 99))).toBeCloseTo(0.0991);
  expect(failureShare(outcomes(1e6, 1e6))).toBe(0.99);
});

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
