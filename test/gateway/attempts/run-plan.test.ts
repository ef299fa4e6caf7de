import { describe, expect, test } from '@jest/globals';
import type { FailureKind } from '../../../lambda/routing/failure.ts';
import { defaultLimits, type PlannedAttempt } from '../../../lambda/routing/plan.ts';

import { planWorld, type Reply } from '../../support/plan-world.ts';

describe('runPlan', () => {
  test('asks the first target alone when it answers', async () => {
    const { state, run, records } = planWorld([200]);

    const result = await run('a', 'b');

    expect(result).toMatchObject({ target: { provider: 'a' }, outcome: { kind: 'buffered' } });
    expect(state.asked).toEqual(['a a-1']);
    expect(records).toMatchObject([{ provider: 'a', model: 'm', reason: 'r', outcome: 'answered' }]);
  });

  test.each<[string, Reply, string[]]>([
    ['a request that is at fault', 400, ['a a-1']],
    ['a context that is too long', { status: 400, body: { error: { code: 'context_length_exceeded' } } }, ['a a-1']],
    ['a content policy', { status: 400, body: { error: { code: 'content_filter' } } }, ['a a-1']],
    ['a missing model', 404, ['a a-1', 'b b-1']],
    ['an overload, when the others fail too', 503, ['a a-1', 'b b-1', 'a a-1']],
    ['a timeout of the provider', 408, ['a a-1', 'b b-1']],
    ['a redirect', 302, ['a a-1', 'b b-1']],
    ['an answer that is none', { status: 200, body: {} }, ['a a-1', 'b b-1']],
    ['a server error', 500, ['a a-1', 'a a-1', 'b b-1', 'b b-1']],
    ['a broken connection', 'reset', ['a a-1', 'a a-1', 'b b-1', 'b b-1']],
    ['a refused key', 401, ['a a-1', 'a a-2', 'b b-1']],
    ['a rate limit', 429, ['a a-1', 'a a-2', 'b b-1']],
    ['an empty account', 402, ['a a-1', 'a a-2', 'b b-1']],
  ])('after %s asks in turn', async (_, reply, asked) => {
    const { state, run } = planWorld(asked.map(() => reply));

    await run('a', 'b');

    expect(state.asked).toEqual(asked);
  });

  test('asks every target at most twice after server errors, and tells the first', async () => {
    const { state, run, records } = planWorld(Array.from({ length: 20 }, () => 500));

    const result = await run('a', 'b', 'c');

    expect(state.asked.map((asked) => asked[0])).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
    expect(result).toMatchObject({ target: { provider: 'a' }, outcome: { kind: 'failed', failure: { status: 500 } } });
    expect(records).toHaveLength(6);
  });

  test('refreshes the secrets once after a refused key, and uses a key that is new', async () => {
    const secrets = { a: ['old'] };
    const { state, run, deps } = planWorld([401, 200], { secrets });
    const { refresh } = deps.secrets;
    deps.secrets.refresh = async () => {
      secrets.a = ['new'];
      return refresh();
    };

    const result = await run('a');

    expect(result?.outcome.kind).toBe('buffered');
    expect(state.asked).toEqual(['a old', 'a new']);
    expect(state.refreshes).toBe(1);
  });

  test('does not ask again with a key that was just refused or limited', async () => {
    for (const status of [401, 429]) {
      const { state, run } = planWorld([status, 200], { secrets: { a: ['only'] } });

      await run('a');

      expect(state.asked).toEqual(['a only']);
    }
  });

  test('lets limited keys rest as long as the provider says, and refused ones for a minute', async () => {
    const limited = { status: 429, headers: { 'retry-after': '30' } };
    const { state, run } = planWorld([limited, 401, 200, 200, 200]);
    await run('a');

    state.nowMs += 29_999;
    await run('a');
    state.nowMs += 30_001;
    await run('a');

    // All rest: the one that is rested soonest. Then both have rested, and chance, here always 0, takes the first.
    expect(state.asked).toEqual(['a a-1', 'a a-2', 'a a-1', 'a a-1']);
  });

  test('sleeps a little, by chance, before it asks the same target again', async () => {
    const { state, run, deps } = planWorld([500, 200]);
    deps.random = () => 0.5;

    await run('a');

    expect(state.sleeps).toEqual([188]);
  });

  test('waits for a short Retry-After when nobody else is left, and asks once more', async () => {
    const limited = { status: 429, headers: { 'retry-after': '3' } };
    const { state, run, records } = planWorld([limited, 500, 500, 200], { secrets: { a: ['a-1'], b: ['b-1'] } });

    const result = await run('a', 'b');

    expect(result).toMatchObject({ target: { provider: 'a' }, outcome: { kind: 'buffered' } });
    expect(state.asked).toEqual(['a a-1', 'b b-1', 'b b-1', 'a a-1']);
    expect(state.nowMs).toBeGreaterThanOrEqual(1_003_000);
    expect(records.at(-1)).toMatchObject({ outcome: 'answered', retry: 'after_waiting' });
  });

  test('tells what was said last when the wait was in vain', async () => {
    const limited = { status: 429, headers: { 'retry-after': '3' } };
    const { state, run } = planWorld([limited, { status: 429, headers: { 'retry-after': '20' } }], {
      secrets: { a: ['a-1'] },
    });

    const result = await run('a');

    expect(state.asked).toHaveLength(2);
    expect(result?.outcome).toMatchObject({ failure: { retryAfterMs: 20_000 } });
  });

  test.each<[string, Reply, Reply, string[]]>([
    ['other keys', { status: 429, headers: { 'retry-after': '2' } }, 429, ['a a-1', 'a a-2', 'a a-3', 'a a-1']],
    ['a hitch', 503, 500, ['a a-1', 'a a-1']],
  ])('gives a target a single last chance, though %s would be worth more tries', async (_, reply, last, asked) => {
    const replies = [...asked.slice(1).map(() => reply), last, last, last];
    const { state, run } = planWorld(replies, { secrets: { a: ['a-1', 'a-2', 'a-3'] } });

    await run('a');

    expect(state.asked).toEqual(asked);
  });

  test.each([
    ['it is too long to wait for', '6', {}, 60_000],
    ['the operator wants no waiting', '3', { limits: { ...defaultLimits, waitMs: 0 } }, 60_000],
    ['the time would not suffice', '3', {}, 3_050],
    ['an answer usually takes longer than what would be left', '3', { expectedWaitMs: 8_000 }, 10_000],
  ])('does not wait for a Retry-After when %s', async (_, seconds, target, totalMs) => {
    const limited = { status: 429, headers: { 'retry-after': seconds } };
    const { state, run } = planWorld([limited, 200], { secrets: { a: ['a-1'] }, totalMs });

    const result = await run(target);

    expect(state.asked).toEqual(['a a-1']);
    expect(result?.outcome).toMatchObject({ failure: { kind: 'rate_limited', retryAfterMs: Number(seconds) * 1000 } });
  });

  test('does not wait when the caller leaves meanwhile', async () => {
    const { state, run, context, deps } = planWorld([503, 200]);
    const caller = new AbortController();
    context.signal = caller.signal;
    deps.sleep = async () => caller.abort();

    await run('a');

    expect(state.asked).toEqual(['a a-1']);
  });

  test('tells the most telling failure, with the soonest time to come back', async () => {
    const { state, run } = planWorld(
      [
        { status: 429, headers: { 'retry-after': '60' } },
        { status: 429, headers: { 'retry-after': '40' } },
        { status: 503, headers: { 'retry-after': '90' } },
      ],
      { secrets: { a: ['a-1', 'a-2'], b: ['b-1'] }, callMs: 1_000 },
    );

    const result = await run('a', 'b', 'c');

    expect(state.asked).toEqual(['a a-1', 'a a-2', 'b b-1']);
    // The second key had 40 seconds to go, one of which went by with the last target.
    expect(result).toMatchObject({
      target: { provider: 'a' },
      outcome: { failure: { kind: 'rate_limited', retryAfterMs: 39_000 } },
    });
  });

  test.each<[string, Reply[], FailureKind]>([
    ['a server error over a missing model', [404, 500, 500], 'server_error'],
    ['a refused key over a missing model', [404, 401], 'unauthorized'],
    ['an overload over a server error', [500, 500, 503, 503], 'overloaded'],
  ])('tells %s', async (_, replies, kind) => {
    const { run } = planWorld(replies, { secrets: { a: ['a-1'], b: ['b-1'] } });

    expect((await run('a', 'b'))?.outcome).toMatchObject({ failure: { kind } });
  });

  describe('after a request that is too long', () => {
    const tooLong = { status: 400, body: { error: { code: 'context_length_exceeded' } } };

    test.each<[string, Partial<PlannedAttempt>, Partial<PlannedAttempt>, boolean]>([
      ['a larger model', { contextTokens: 8_000 }, { model: 'big', contextTokens: 9_000 }, true],
      ['a model that is no larger', { contextTokens: 8_000 }, { model: 'other', contextTokens: 8_000 }, false],
      ['the same model elsewhere', { contextTokens: 8_000 }, { contextTokens: 9_000 }, false],
      ['a fallback of unknown size', { contextTokens: 8_000 }, { model: 'other', fallback: true }, true],
      ['a fallback for a model of unknown size', {}, { model: 'other', contextTokens: 9_000, fallback: true }, true],
      ['another target of unknown size', { contextTokens: 8_000 }, { model: 'other' }, false],
      [
        'a fallback that is smaller',
        { contextTokens: 9_000 },
        { model: 'o', contextTokens: 8_000, fallback: true },
        false,
      ],
    ])('judges whether to ask %s', async (_, first, second, asked) => {
      const { state, run, context } = planWorld([tooLong, 200]);

      const result = await run(first, { provider: 'b', ...second });

      expect(state.asked).toEqual(asked ? ['a a-1', 'b b-1'] : ['a a-1']);
      expect(result?.outcome.kind).toBe(asked ? 'buffered' : 'failed');
      expect(context.passedOver).toHaveLength(asked ? 0 : 1);
    });
  });

  test('stops at the deadline', async () => {
    const { state, run } = planWorld([503, 200], { callMs: 50, totalMs: 50 });

    const result = await run('a', 'b');

    expect(state.asked).toHaveLength(1);
    expect(result?.outcome.kind).toBe('failed');
  });

  test('does not ask again when the deadline comes while it sleeps', async () => {
    const { state, run } = planWorld([500, 200], { totalMs: 90 });

    await run('a', 'b');

    expect(state.asked).toHaveLength(1);
  });

  test('begins no attempt that cannot end in time', async () => {
    const { state, run, context } = planWorld([503, 200], { callMs: 1_000, totalMs: 5_000 });

    const result = await run('a', { provider: 'b', expectedWaitMs: 4_500 }, { provider: 'c', expectedWaitMs: 1_000 });

    expect(state.asked).toEqual(['a a-1', 'c c-1']);
    expect(result?.target.provider).toBe('c');
    expect(context.passedOver).toEqual([{ target: 'b/m', reason: 'the time left is too short for it' }]);
  });

  test('begins the first attempt however little time there is', async () => {
    const { state, run } = planWorld([200], { totalMs: 1_000 });

    await run({ expectedWaitMs: 5_000 });

    expect(state.asked).toHaveLength(1);
  });

  test('passes over a target without a key, and one that cannot be called', async () => {
    const { state, run, records } = planWorld([200], { secrets: { c: ['c-1'] } });

    const result = await run('a', 'gone', 'c');

    expect(state.asked).toEqual(['c c-1']);
    expect(records.map(({ outcome }) => outcome)).toEqual(['no_secret', 'not_found', 'answered']);
    expect(result?.target.provider).toBe('c');
  });

  test('has nothing to hand back for an empty plan', async () => {
    expect(await planWorld([]).run()).toBeUndefined();
  });

  test('measures what each attempt has shown, and nothing of those that were none', async () => {
    const { state, run } = planWorld([503, 404, 200], { secrets: { b: ['b-1'], c: ['c-1'], a: ['a-1'] }, callMs: 300 });

    await run('gone', 'a', 'b', 'c');

    const common = { streamed: false, promptSize: 'small', retry: false };
    expect(state.samples).toEqual([
      { ...common, target: 'a/m', atMs: 1_000_300, outcome: 'overloaded' },
      { ...common, target: 'b/m', atMs: 1_000_600, outcome: 'not_found' },
      { ...common, target: 'c/m', atMs: 1_000_900, outcome: 'answered', waitMs: 300, outputTokens: 2 },
    ]);
  });

  test('marks second tries', async () => {
    const { state, run, records } = planWorld([500, 200]);

    await run('a');

    expect(state.samples.map(({ retry }) => retry)).toEqual([false, true]);
    expect(records.map(({ retry }) => retry)).toEqual([undefined, 'same_key']);
  });
});
