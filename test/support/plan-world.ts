import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { recordByName } from '../../lambda/config/snapshot.ts';
import { openAiChatClient } from '../../lambda/dialects/openai-chat/openai-chat.ts';
import type { AttemptContext } from '../../lambda/gateway/attempts/attempt.ts';
import { runPlan } from '../../lambda/gateway/attempts/run-plan.ts';
import { chatOperation } from '../../lambda/gateway/attempts/vendor-request.ts';
import { readClientCall } from '../../lambda/gateway/caller/client-call.ts';
import type { GatewayDeps } from '../../lambda/gateway/gateway-deps.ts';
import { newTimings } from '../../lambda/gateway/timings.ts';
import { type UpstreamCall, UpstreamError } from '../../lambda/providers/upstream.ts';
import type { AttemptSample } from '../../lambda/routing/attempt-sample.ts';
import { emptyLiveStats } from '../../lambda/routing/live-stats.ts';
import { defaultLimits, type PlannedAttempt } from '../../lambda/routing/plan.ts';
import type { AttemptRecord } from '../../lambda/telemetry/request-record.ts';
import { coreDeps } from './core.ts';
import { completion } from './scripted-vendor.ts';
import { aSnapshot } from './snapshots.ts';

/** A status, an answer, or none. */
export type Reply = number | 'reset' | 'silence' | { status: number; body?: object; headers?: Record<string, string> };

const snapshot = aSnapshot({
  providers: recordByName(
    ['a', 'b', 'c'].map((name) => [name, { type: 'openai', baseUrl: `http://${name}.example/v1` }] as const),
  ),
});
const twoKeys = { a: ['a-1', 'a-2'], b: ['b-1'], c: ['c-1'] };

/** What a plan is run in: a world whose vendors reply in this order, and whose clock stands still but for what sleeps and calls take. */
export function planWorld(
  replies: Reply[],
  { secrets = twoKeys as Record<string, string[]>, callMs = 0, totalMs = 60_000 } = {},
) {
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
