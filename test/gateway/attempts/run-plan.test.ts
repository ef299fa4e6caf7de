import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, expect, jest, test } from '@jest/globals';
import { recordByName } from '../../../lambda/config/snapshot.ts';
import { openAiChatClient } from '../../../lambda/dialects/openai-chat/openai-chat.ts';
import type { AttemptContext } from '../../../lambda/gateway/attempts/attempt.ts';
import { runPlan } from '../../../lambda/gateway/attempts/run-plan.ts';
import { chatOperation } from '../../../lambda/gateway/attempts/vendor-request.ts';
import { readClientCall } from '../../../lambda/gateway/caller/client-call.ts';
import type { GatewayDeps } from '../../../lambda/gateway/gateway-deps.ts';
import { newTimings } from '../../../lambda/gateway/timings.ts';
import { type UpstreamCall, UpstreamError } from '../../../lambda/providers/upstream.ts';
import type { AttemptSample } from '../../../lambda/routing/attempt-sample.ts';
import type { FailureKind } from '../../../lambda/routing/failure.ts';
import { emptyLiveStats } from '../../../lambda/routing/live-stats.ts';
import { defaultLimits, type PlannedAttempt } from '../../../lambda/routing/plan.ts';
import type { AttemptRecord } from '../../../lambda/telemetry/request-record.ts';
import { closedBreakers, coreDeps } from '../../support/core.ts';
import { completion } from '../../support/scripted-vendor.ts';
import { aSnapshot } from '../../support/snapshots.ts';

type Reply = number | 'reset' | 'silence' | { status: number; body?: object; headers?: Record<string, string> };

const snapshot = aSnapshot({
  providers: recordByName(
    ['a', 'b', 'c'].map((name) => [name, { type: 'openai', baseUrl: `http://${name}.example/v1` }] as const),
  ),
});
const twoKeys = { a: ['a-1', 'a-2'], b: ['b-1'], c: ['c-1'] };

/** A world whose vendors reply in this order, and whose clock stands still but for what sleeps and calls take. */
function world(replies: Reply[], { secrets = twoKeys as Record<string, string[]>, callMs = 0, totalMs = 60_000 } = {}) {
  const state = {
    nowMs: 1_000_000,
    refreshes: 0,
    sleeps: [] as number[],
    asked: [] as string[],
    samples: [] as AttemptSample[],
  };
  const post = (call: UpstreamCall) => {
    state.nowMs += callMs;
    state.asked.push(`${call.origin.hostname[0]} ${call.headers['authorization']?.slice('Bearer '.length)}`);
    const reply = replies.shift() ?? 200;
    if (reply === 'silence') {
      const { promise, reject } = Promise.withResolvers<IncomingMessage>();
      return { response: promise, abort: reject };
    }
    const response =
      reply === 'reset' ? Promise.reject(new UpstreamError('connection', 'reset')) : Promise.resolve(message(reply));
    return { response, abort: () => {} };
  };
  const fields: Partial<GatewayDeps> = {
    upstream: { post, get: post, send: (_, call) => post(call), close: () => {} },
    secrets: {
      get: async () => secrets,
      refresh: async () => {
        state.refreshes++;
        return secrets;
      },
    },
    now: () => state.nowMs,
    random: () => 0,
    sleep: async (ms) => {
      state.sleeps.push(ms);
      state.nowMs += ms;
    },
    measure: (sample) => void state.samples.push(sample),
  };
  const { deps } = coreDeps(snapshot, fields);
  const text = '{"model":"x","messages":[{"role":"user","content":"hi"}]}';
  const call = readClientCall(openAiChatClient, text, {});
  const { signal } = new AbortController();
  const context: AttemptContext = {
    operation: chatOperation(call),
    snapshot,
    forwardedHeaders: {},
    dropsUnsupported: false,
    keyRange: undefined,
    deadlineMs: state.nowMs + totalMs,
    answerByMs: state.nowMs + totalMs,
    promptSize: 'small',
    live: emptyLiveStats,
    passedOver: [],
    signal,
    timings: newTimings(() => 0),
  };
  const records: AttemptRecord[] = [];
  const run = async (...targets: (string | Partial<PlannedAttempt>)[]) => {
    const plan = targets.map((target) => ({
      provider: 'a',
      model: 'm',
      limits: defaultLimits,
      reason: 'r',
      ...(typeof target === 'string' ? { provider: target } : target),
    }));
    return runPlan(plan, context, deps, records);
  };
  return { state, run, records, context, deps };
}

function message(reply: Exclude<Reply, 'reset' | 'silence'>): IncomingMessage {
  const { status, body, headers = {} } = typeof reply === 'number' ? { status: reply, body: undefined } : reply;
  const answer = body ?? (status === 200 ? completion('hi') : { error: { message: 'no' } });
  const stream = new PassThrough();
  stream.end(JSON.stringify(answer));
  return Object.assign(stream, { statusCode: status, headers }) as unknown as IncomingMessage;
}

describe('runPlan', () => {
  test('asks the first target alone when it answers', async () => {
    const { state, run, records } = world([200]);

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
    const { state, run } = world(asked.map(() => reply));

    await run('a', 'b');

    expect(state.asked).toEqual(asked);
  });

  test('asks every target at most twice after server errors, and tells the first', async () => {
    const { state, run, records } = world(Array.from({ length: 20 }, () => 500));

    const result = await run('a', 'b', 'c');

    expect(state.asked.map((asked) => asked[0])).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
    expect(result).toMatchObject({ target: { provider: 'a' }, outcome: { kind: 'failed', failure: { status: 500 } } });
    expect(records).toHaveLength(6);
  });

  test('refreshes the secrets once after a refused key, and uses a key that is new', async () => {
    const secrets = { a: ['old'] };
    const { state, run, deps } = world([401, 200], { secrets });
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
      const { state, run } = world([status, 200], { secrets: { a: ['only'] } });

      await run('a');

      expect(state.asked).toEqual(['a only']);
    }
  });

  test('lets limited keys rest as long as the provider says, and refused ones for a minute', async () => {
    const limited = { status: 429, headers: { 'retry-after': '30' } };
    const { state, run } = world([limited, 401, 200, 200, 200]);
    await run('a');

    state.nowMs += 29_999;
    await run('a');
    state.nowMs += 30_001;
    await run('a');

    // All rest: the one that is rested soonest. Then both have rested, and chance, here always 0, takes the first.
    expect(state.asked).toEqual(['a a-1', 'a a-2', 'a a-1', 'a a-1']);
  });

  test('sleeps a little, by chance, before it asks the same target again', async () => {
    const { state, run, deps } = world([500, 200]);
    deps.random = () => 0.5;

    await run('a');

    expect(state.sleeps).toEqual([188]);
  });

  test('waits for a short Retry-After when nobody else is left, and asks once more', async () => {
    const limited = { status: 429, headers: { 'retry-after': '3' } };
    const { state, run, records } = world([limited, 500, 500, 200], { secrets: { a: ['a-1'], b: ['b-1'] } });

    const result = await run('a', 'b');

    expect(result).toMatchObject({ target: { provider: 'a' }, outcome: { kind: 'buffered' } });
    expect(state.asked).toEqual(['a a-1', 'b b-1', 'b b-1', 'a a-1']);
    expect(state.nowMs).toBeGreaterThanOrEqual(1_003_000);
    expect(records.at(-1)).toMatchObject({ outcome: 'answered', retry: 'after_waiting' });
  });

  test('tells what was said last when the wait was in vain', async () => {
    const limited = { status: 429, headers: { 'retry-after': '3' } };
    const { state, run } = world([limited, { status: 429, headers: { 'retry-after': '20' } }], {
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
    const { state, run } = world(replies, { secrets: { a: ['a-1', 'a-2', 'a-3'] } });

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
    const { state, run } = world([limited, 200], { secrets: { a: ['a-1'] }, totalMs });

    const result = await run(target);

    expect(state.asked).toEqual(['a a-1']);
    expect(result?.outcome).toMatchObject({ failure: { kind: 'rate_limited', retryAfterMs: Number(seconds) * 1000 } });
  });

  test('does not wait when the caller leaves meanwhile', async () => {
    const { state, run, context, deps } = world([503, 200]);
    const caller = new AbortController();
    context.signal = caller.signal;
    deps.sleep = async () => caller.abort();

    await run('a');

    expect(state.asked).toEqual(['a a-1']);
  });

  test('tells the most telling failure, with the soonest time to come back', async () => {
    const { state, run } = world(
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
    const { run } = world(replies, { secrets: { a: ['a-1'], b: ['b-1'] } });

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
      const { state, run, context } = world([tooLong, 200]);

      const result = await run(first, { provider: 'b', ...second });

      expect(state.asked).toEqual(asked ? ['a a-1', 'b b-1'] : ['a a-1']);
      expect(result?.outcome.kind).toBe(asked ? 'buffered' : 'failed');
      expect(context.passedOver).toHaveLength(asked ? 0 : 1);
    });
  });

  test('stops at the deadline', async () => {
    const { state, run } = world([503, 200], { callMs: 50, totalMs: 50 });

    const result = await run('a', 'b');

    expect(state.asked).toHaveLength(1);
    expect(result?.outcome.kind).toBe('failed');
  });

  test('does not ask again when the deadline comes while it sleeps', async () => {
    const { state, run } = world([500, 200], { totalMs: 90 });

    await run('a', 'b');

    expect(state.asked).toHaveLength(1);
  });

  test('begins no attempt that cannot end in time', async () => {
    const { state, run, context } = world([503, 200], { callMs: 1_000, totalMs: 5_000 });

    const result = await run('a', { provider: 'b', expectedWaitMs: 4_500 }, { provider: 'c', expectedWaitMs: 1_000 });

    expect(state.asked).toEqual(['a a-1', 'c c-1']);
    expect(result?.target.provider).toBe('c');
    expect(context.passedOver).toEqual([{ target: 'b/m', reason: 'the time left is too short for it' }]);
  });

  test('begins the first attempt however little time there is', async () => {
    const { state, run } = world([200], { totalMs: 1_000 });

    await run({ expectedWaitMs: 5_000 });

    expect(state.asked).toHaveLength(1);
  });

  test('passes over a target without a key, and one that cannot be called', async () => {
    const { state, run, records } = world([200], { secrets: { c: ['c-1'] } });

    const result = await run('a', 'gone', 'c');

    expect(state.asked).toEqual(['c c-1']);
    expect(records.map(({ outcome }) => outcome)).toEqual(['no_secret', 'not_found', 'answered']);
    expect(result?.target.provider).toBe('c');
  });

  test('has nothing to hand back for an empty plan', async () => {
    expect(await world([]).run()).toBeUndefined();
  });

  test('measures what each attempt has shown, and nothing of those that were none', async () => {
    const { state, run } = world([503, 404, 200], { secrets: { b: ['b-1'], c: ['c-1'], a: ['a-1'] }, callMs: 300 });

    await run('gone', 'a', 'b', 'c');

    const common = { streamed: false, promptSize: 'small', retry: false };
    expect(state.samples).toEqual([
      { ...common, target: 'a/m', atMs: 1_000_300, outcome: 'overloaded' },
      { ...common, target: 'b/m', atMs: 1_000_600, outcome: 'not_found' },
      { ...common, target: 'c/m', atMs: 1_000_900, outcome: 'answered', waitMs: 300, outputTokens: 2 },
    ]);
  });

  test('marks second tries', async () => {
    const { state, run, records } = world([500, 200]);

    await run('a');

    expect(state.samples.map(({ retry }) => retry)).toEqual([false, true]);
    expect(records.map(({ retry }) => retry)).toEqual([undefined, 'same_key']);
  });

  describe('with breakers', () => {
    const down = { provider: 'a' };
    const up = { provider: 'b' };

    /** A world in which the target `a/m` has just failed three times. */
    async function downWorld(replies: Reply[]) {
      const made = world([500, 500, 500, 200, ...replies], { secrets: { a: ['a-1'], b: ['b-1'] }, totalMs: 1_000_000 });
      await made.run(down);
      await made.run(down, up);
      made.state.asked.length = 0;
      return made;
    }

    test('asks a target no more, not even once again, after the failure that opens its breaker', async () => {
      const { state, run, records } = world([500, 500, 500, 200], { secrets: { a: ['a-1'], b: ['b-1'] } });
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
      const { state, run, deps } = world([reply, 404, 200], { secrets: { a: ['a-1'], b: ['b-1'] } });
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
      const { state, run, deps } = world([limited, limited, 200]);

      await run('a', 'b');

      expect(state.asked).toEqual(['a a-1', 'a a-2', 'b b-1']);
      expect(deps.breakers.breaker('a/m')).toMatchObject({ reason: 'rate_limited', openUntilMs: state.nowMs + 30_000 });
    });

    test('does not open while another key is left', async () => {
      const { run, deps } = world([{ status: 429, headers: { 'retry-after': '30' } }, 200]);

      await run('a', 'b');

      expect(deps.breakers.state('a/m')).toBe('closed');
    });

    test('opens for a minute when every key is refused, whatever the refreshed secret brings', async () => {
      const { run, deps, state } = world([401, 401, 200]);

      await run('a', 'b');

      expect(deps.breakers.breaker('a/m')).toMatchObject({ reason: 'unauthorized', openUntilMs: state.nowMs + 60_000 });
    });
  });

  describe('with several keys', () => {
    const limited = { status: 429, headers: { 'retry-after': '30' } };
    const manyKeys = { a: ['a-1', 'a-2', 'a-3', 'a-4', 'a-5'], b: ['b-1'] };

    test('takes up to three of them when they are limited, and the next request takes none of these', async () => {
      const { state, run } = world([limited, limited, limited, 200, limited, limited, 200], { secrets: manyKeys });

      await run('a', 'b');
      await run('a', 'b');

      expect(state.asked).toEqual(['a a-1', 'a a-2', 'a a-3', 'b b-1', 'a a-4', 'a a-5', 'b b-1']);
    });

    test('lets a key rest for five minutes at most, whatever the vendor asks for', async () => {
      const forAnHour = { status: 429, headers: { 'retry-after': '3600' } };
      const { state, run } = world([forAnHour], { totalMs: 1_000_000 });
      await run('a');

      state.nowMs += 299_999;
      await run('a');
      state.nowMs += 1;
      await run('a');

      expect(state.asked).toEqual(['a a-1', 'a a-2', 'a a-2', 'a a-1']);
    });

    test('asks nobody while all keys rest as the vendor has asked, and says when to come back', async () => {
      const { state, run, records } = world(
        Array.from({ length: 9 }, () => limited),
        { secrets: { a: ['a-1', 'a-2'] } },
      );
      await run('a');
      state.asked.length = 0;
      state.nowMs += 10_000;

      const result = await run('a');

      expect(state.asked).toEqual([]);
      expect(result?.outcome).toMatchObject({ failure: { kind: 'rate_limited', retryAfterMs: 20_000 } });
      expect(records.at(-1)).toMatchObject({ outcome: 'rate_limited', detail: 'Its keys rest, as it has asked for' });
    });

    test('goes on asking with the key that is rested soonest when nobody has said until when', async () => {
      const { state, run } = world([429, 200], { secrets: { a: ['a-1'] } });
      await run('a');

      await run('a');

      expect(state.asked).toEqual(['a a-1', 'a a-1']);
    });

    test('keeps a key that is limited for one model for the others', async () => {
      const { state, run } = world([limited, limited, 200, 200], { secrets: { a: ['a-1', 'a-2'], b: ['b-1'] } });

      await run('a', 'b');
      await run({ provider: 'a', model: 'other' });

      expect(state.asked.at(-1)).toBe('a a-1');
    });

    test.each([
      ['an empty account', { status: 429, body: { error: { code: 'insufficient_quota' } } }],
      ['a refused key', 401],
    ])('takes a key of %s for no other model either', async (_, reply) => {
      const { state, run } = world([reply, 200, 200], { secrets: { a: ['a-1', 'a-2'] } });

      await run('a');
      await run({ provider: 'a', model: 'other' });

      expect(state.asked).toEqual(['a a-1', 'a a-2', 'a a-2']);
    });

    test('lets a model that is forbidden to a key not keep the key from other models', async () => {
      const { state, run } = world([403, 403, 200], { secrets: { a: ['a-1', 'a-2'] } });

      await run('a');
      await run({ provider: 'a', model: 'other' });

      expect(state.asked.at(-1)).toBe('a a-1');
    });

    test('takes the keys that the caller wants, and tells which', async () => {
      const { state, run, context, records } = world([429, 200], { secrets: manyKeys });
      context.keyRange = { from: 2, to: 3 };

      await run('a');

      expect(state.asked).toEqual(['a a-2', 'a a-3']);
      expect(records.map(({ key }) => key)).toEqual([2, 3]);
    });

    test('keeps nobody else away from a target when the only key that a caller wants is limited', async () => {
      const { run, context, deps } = world([limited], { secrets: manyKeys });
      context.keyRange = { from: 2, to: 2 };

      await run('a');

      expect(deps.breakers.state('a/m')).toBe('closed');
    });

    test('fails when the caller wants a key that is not there', async () => {
      const { state, run, context } = world([], { secrets: manyKeys });
      context.keyRange = { from: 7, to: 7 };

      const result = await run('a');

      expect(state.asked).toEqual([]);
      expect(result?.outcome).toMatchObject({
        failure: { kind: 'unsupported', detail: 'There is no key at place 7.' },
      });
    });

    test('asks a limited provider no more than its keys, however many requests come at once', async () => {
      const { state, run } = world(
        Array.from({ length: 99 }, () => limited),
        { secrets: { a: manyKeys.a } },
      );

      for (let i = 0; i < 20; i++) await run('a');

      expect(state.asked).toHaveLength(5);
    });
  });

  describe('with a budget of second tries', () => {
    test('tries again as long as there is a reserve, then goes straight to the next target', async () => {
      const { state, run, deps } = world(Array.from({ length: 8 }, () => 500));
      deps.breakers = closedBreakers();

      for (let i = 0; i < 4; i++) await run('a');

      // Three second tries, and a fifth of one from each attempt.
      expect(state.asked).toHaveLength(8);
      await run('a');
      expect(state.asked).toHaveLength(9);
    });

    test('gives no last chance without a reserve, and waits for none', async () => {
      const { state, run, deps } = world([503, 200]);
      while (deps.retries.spend('a/m', undefined));

      await run('a');

      expect(state.asked).toEqual(['a a-1']);
      expect(state.sleeps).toEqual([]);
    });
  });
});
