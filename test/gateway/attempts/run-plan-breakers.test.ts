import { describe, expect, jest, test } from '@jest/globals';

import { planWorld, type Reply } from '../../support/plan-world.ts';

describe('a plan with breakers', () => {
  const down = { provider: 'a' };
  const up = { provider: 'b' };

  /** A world in which the target `a/m` has just failed three times. */
  async function downWorld(replies: Reply[]) {
    const made = planWorld([500, 500, 500, 200, ...replies], {
      secrets: { a: ['a-1'], b: ['b-1'] },
      totalMs: 1_000_000,
    });
    await made.run(down);
    await made.run(down, up);
    made.state.asked.length = 0;
    return made;
  }

  test('asks a target no more, not even once again, after the failure that opens its breaker', async () => {
    const { state, run, records } = planWorld([500, 500, 500, 200], { secrets: { a: ['a-1'], b: ['b-1'] } });
    await run(down);
    await run(down, up);

    expect(state.asked).toEqual(['a a-1', 'a a-1', 'a a-1', 'b b-1']);
    expect(records.at(-1)).toMatchObject({ provider: 'b', outcome: 'answered' });
  });

  test('passes over a target that is down, and says so', async () => {
    const { state, run, context } = await downWorld([200]);

    await run(down, up);

    expect(state.asked).toEqual(['b b-1']);
    expect(context.passedOver.at(-1)).toEqual({ target: 'a/m', reason: 'it is known to be down' });
  });

  test('asks the least bad when all are down', async () => {
    const { state, run, records } = await downWorld([200]);

    const result = await run(down);

    expect(result?.outcome.kind).toBe('buffered');
    expect(state.asked).toEqual(['a a-1']);
    expect(records.at(-1)).toMatchObject({ breaker: 'open' });
  });

  test('lets one request find out whether a target is up again, and closes the breaker when it is', async () => {
    const { state, run, deps, records } = await downWorld([200, 200]);
    state.nowMs += 5_000;

    await Promise.all([run(down, up), run(down, up)]);

    expect(state.asked.toSorted()).toEqual(['a a-1', 'b b-1']);
    expect(records.find(({ provider, breaker }) => provider === 'a' && breaker)).toMatchObject({
      breaker: 'half-open',
      outcome: 'answered',
    });
    expect(deps.breakers.state('a/m')).toBe('closed');
  });

  test('leaves it to the next request to find out when the caller of the one that tried has gone', async () => {
    const { state, run, context, deps, records } = await downWorld(['reset']);
    state.nowMs += 5_000;
    const caller = new AbortController();
    context.signal = caller.signal;
    const { post } = deps.upstream;
    deps.upstream.post = (call) => {
      caller.abort();
      return post(call);
    };

    await run(down, up);
    expect(records.at(-1)).toMatchObject({ provider: 'a', outcome: 'cancelled', breaker: 'half-open' });
    await deps.breakers.settled();

    expect(state.asked).toEqual(['a a-1']);
    expect(deps.breakers.state('a/m')).toBe('half-open');
    expect(await deps.breakers.lease('a/m', 1)).toBeDefined();
  });

  test('leaves it to the next request too when the target could not even be asked', async () => {
    const { state, run, deps } = await downWorld([200]);
    state.nowMs += 5_000;
    deps.secrets.get = async () => ({ b: ['b-1'] });

    const result = await run(down, up);
    await deps.breakers.settled();

    expect(result?.target.provider).toBe('b');
    expect(deps.breakers.state('a/m')).toBe('half-open');
  });

  test('goes on with the next target when the one that was tried is still down, without asking it twice', async () => {
    const { state, run, deps } = await downWorld([500, 200]);
    state.nowMs += 5_000;

    const result = await run(down, up);

    expect(result?.target.provider).toBe('b');
    expect(state.asked).toEqual(['a a-1', 'b b-1']);
    expect(deps.breakers.breaker('a/m')).toMatchObject({ openings: 2, openUntilMs: state.nowMs + 10_000 });
  });

  test.each([
    ['second try', 500],
    ['last chance', 503],
  ])('gives no %s when others have found out meanwhile that the target is down', async (_, reply) => {
    const { state, run, deps } = planWorld([reply, 404, 200], { secrets: { a: ['a-1'], b: ['b-1'] } });
    const down = { sign: 'limited', reason: 'rate_limited', retryAfterMs: 60_000 } as const;
    deps.sleep = async () => deps.breakers.note({ target: 'a/m', startedAtMs: state.nowMs, ...down });

    await run('a', 'b');

    expect(deps.breakers.state('a/m')).toBe('open');
    expect(state.asked).toEqual(['a a-1', 'b b-1']);
  });

  test('waits a minute for an answer of a target that may be up again, while nothing is known of it', async () => {
    const { state, run } = await downWorld(['silence', 200]);
    state.nowMs += 5_000;
    jest.useFakeTimers();
    try {
      const result = run(down, up);
      await jest.advanceTimersByTimeAsync(59_999);
      expect(state.asked).toEqual(['a a-1']);
      await jest.advanceTimersByTimeAsync(1);
      expect(state.asked).toEqual(['a a-1', 'b b-1']);
      expect((await result)?.target.provider).toBe('b');
    } finally {
      jest.useRealTimers();
    }
  });

  test('opens at once when the last key is limited, for as long as the vendor says', async () => {
    const limited = { status: 429, headers: { 'retry-after': '30' } };
    const { state, run, deps } = planWorld([limited, limited, 200]);

    await run('a', 'b');

    expect(state.asked).toEqual(['a a-1', 'a a-2', 'b b-1']);
    expect(deps.breakers.breaker('a/m')).toMatchObject({ reason: 'rate_limited', openUntilMs: state.nowMs + 30_000 });
  });

  test('does not open while another key is left', async () => {
    const { run, deps } = planWorld([{ status: 429, headers: { 'retry-after': '30' } }, 200]);

    await run('a', 'b');

    expect(deps.breakers.state('a/m')).toBe('closed');
  });

  test('opens for a minute when every key is refused, whatever the refreshed secret brings', async () => {
    const { run, deps, state } = planWorld([401, 401, 200]);

    await run('a', 'b');

    expect(deps.breakers.breaker('a/m')).toMatchObject({ reason: 'unauthorized', openUntilMs: state.nowMs + 60_000 });
  });
});
