import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { recordByName } from '../../lambda/config/snapshot.ts';
import { openAiChatClient } from '../../lambda/dialects/openai-chat/openai-chat.ts';
import type { AttemptContext } from '../../lambda/gateway/attempt.ts';
import { readClientCall } from '../../lambda/gateway/client-call.ts';
import type { GatewayDeps } from '../../lambda/gateway/gateway-deps.ts';
import { runPlan } from '../../lambda/gateway/run-plan.ts';
import { newTimings } from '../../lambda/gateway/timings.ts';
import { type UpstreamCall, UpstreamError } from '../../lambda/providers/upstream.ts';
import { defaultLimits } from '../../lambda/routing/plan.ts';
import type { AttemptRecord } from '../../lambda/telemetry/request-record.ts';
import { coreDeps } from '../support/core.ts';
import { completion } from '../support/scripted-vendor.ts';
import { aSnapshot } from '../support/snapshots.ts';

type Reply = number | 'reset' | { status: number; body?: object; headers?: Record<string, string> };

const snapshot = aSnapshot({
  providers: recordByName(
    ['a', 'b', 'c'].map((name) => [name, { type: 'openai', baseUrl: `http://${name}.example/v1` }] as const),
  ),
});
const twoKeys = { a: ['a-1', 'a-2'], b: ['b-1'], c: ['c-1'] };

/** A world whose vendors reply in this order, and whose clock stands still but for what sleeps and calls take. */
function world(replies: Reply[], { secrets = twoKeys as Record<string, string[]>, callMs = 0, totalMs = 60_000 } = {}) {
  const state = { nowMs: 1_000_000, refreshes: 0, sleeps: [] as number[], asked: [] as string[] };
  const post = (call: UpstreamCall) => {
    state.nowMs += callMs;
    state.asked.push(`${call.origin.hostname[0]} ${call.headers['authorization']?.slice('Bearer '.length)}`);
    const reply = replies.shift() ?? 200;
    const response =
      reply === 'reset' ? Promise.reject(new UpstreamError('connection', 'reset')) : Promise.resolve(message(reply));
    return { response, abort: () => {} };
  };
  const fields: Partial<GatewayDeps> = {
    upstream: { post, get: post, close: () => {} },
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
  };
  const { deps } = coreDeps(snapshot, fields);
  const text = '{"model":"x","messages":[{"role":"user","content":"hi"}]}';
  const call = readClientCall(openAiChatClient, text, {});
  const { signal } = new AbortController();
  const context: AttemptContext = {
    call,
    snapshot,
    forwardedHeaders: {},
    dropsUnsupported: false,
    deadlineMs: state.nowMs + totalMs,
    signal,
    timings: newTimings(() => 0),
  };
  const records: AttemptRecord[] = [];
  const run = async (...providers: string[]) => {
    const plan = providers.map((provider) => ({ provider, model: 'm', limits: defaultLimits, reason: 'r' }));
    return runPlan(plan, context, deps, records);
  };
  return { state, run, records, context, deps };
}

function message(reply: Exclude<Reply, 'reset'>): IncomingMessage {
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
    ['an overload', 503, ['a a-1', 'b b-1']],
    ['a timeout of the provider', 408, ['a a-1', 'b b-1']],
    ['a redirect', 302, ['a a-1', 'b b-1']],
    ['an answer that is none', { status: 200, body: {} }, ['a a-1', 'b b-1']],
    ['a server error', 500, ['a a-1', 'a a-1', 'b b-1']],
    ['a broken connection', 'reset', ['a a-1', 'a a-1', 'b b-1']],
    ['a refused key', 401, ['a a-1', 'a a-2', 'b b-1']],
    ['a rate limit', 429, ['a a-1', 'a a-2', 'b b-1']],
    ['an empty account', 402, ['a a-1', 'a a-2', 'b b-1']],
  ])('after %s asks %s', async (_, reply, asked) => {
    const { state, run } = world([reply, reply, 200]);

    await run('a', 'b');

    expect(state.asked).toEqual(asked);
  });

  test('asks every target at most twice, and hands back the last failure', async () => {
    const { state, run, records } = world(Array.from({ length: 20 }, () => 500));

    const result = await run('a', 'b', 'c');

    expect(state.asked.map((asked) => asked[0])).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
    expect(result).toMatchObject({ target: { provider: 'c' }, outcome: { kind: 'failed', failure: { status: 500 } } });
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

    expect(state.sleeps).toEqual([200]);
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
});
