import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { recordByName } from '../../../lambda/config/snapshot.ts';
import { openAiChatClient } from '../../../lambda/dialects/openai-chat/openai-chat.ts';
import type { AttemptContext } from '../../../lambda/gateway/attempts/attempt.ts';
import { createHedgeBudget } from '../../../lambda/gateway/attempts/hedge-budget.ts';
import { runPlan } from '../../../lambda/gateway/attempts/run-plan.ts';
import { chatOperation } from '../../../lambda/gateway/attempts/vendor-request.ts';
import { readClientCall } from '../../../lambda/gateway/caller/client-call.ts';
import { newTimings } from '../../../lambda/gateway/timings.ts';
import type { AttemptSample } from '../../../lambda/routing/attempt-sample.ts';
import { emptyLiveStats } from '../../../lambda/routing/live-stats.ts';
import { defaultLimits, type HedgeTerms, type PlannedAttempt } from '../../../lambda/routing/plan.ts';
import type { AttemptRecord } from '../../../lambda/telemetry/request-record.ts';
import { collectingSink, coreDeps } from '../../support/core.ts';
import {
  answer,
  chunk,
  done,
  role,
  type Script,
  type ScriptedVendor,
  startScriptedVendor,
  stream,
} from '../../support/scripted-vendor.ts';
import { aSnapshot } from '../../support/snapshots.ts';

let slow: ScriptedVendor;
let quick: ScriptedVendor;
const cores: (() => void)[] = [];

beforeAll(async () => {
  [slow, quick] = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
});
afterEach(() => {
  for (const close of cores.splice(0)) close();
  slow.seen.length = 0;
  quick.seen.length = 0;
});
afterAll(() => Promise.all([slow.close(), quick.close()]));

const says = (content: string): Script => stream(role, chunk({ content }), chunk({}, 'stop'), done);
/** Silent until the gateway leaves; `left` says that it has. */
function silentUntilLeft(): { script: Script; left: Promise<void> } {
  let leave = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  return { script: (_, response) => void response.once('close', leave), left };
}

const terms: HedgeTerms = { afterMs: 30, maxShare: 1, maxCostFactor: 2 };
type Fields = { first?: Partial<PlannedAttempt>; second?: Partial<PlannedAttempt>; hedge?: Partial<HedgeTerms> };

/** A gateway with two targets, the first of which may be helped out by the second. */
function gateway({ first = {}, second = {}, hedge = {} }: Fields = {}) {
  const providers = [
    ['slow', slow.url],
    ['quick', quick.url],
  ] as const;
  const snapshot = aSnapshot({
    providers: recordByName(
      providers.map(([name, baseUrl]) => [name, { type: 'openai-compatible', baseUrl }] as const),
    ),
  });
  const samples: AttemptSample[] = [];
  const { deps, close } = coreDeps(snapshot, { measure: (sample) => void samples.push(sample) });
  cores.push(close);
  const usual = { model: 'm', limits: defaultLimits, reason: 'r', costMicroUsd: 100 };
  const plan: PlannedAttempt[] = [
    { ...usual, provider: 'slow', hedge: { ...terms, ...hedge }, ...first },
    { ...usual, provider: 'quick', ...second },
  ];
  const run = async () => {
    const text = '{"model":"x","stream":true,"messages":[{"role":"user","content":"hi"}]}';
    const context: AttemptContext = {
      operation: chatOperation(readClientCall(openAiChatClient, text, {})),
      snapshot,
      forwardedHeaders: {},
      dropsUnsupported: false,
      keyRange: undefined,
      deadlineMs: Date.now() + 10_000,
      answerByMs: Date.now() + 10_000,
      promptSize: 'small',
      live: emptyLiveStats,
      passedOver: [],
      signal: new AbortController().signal,
      timings: newTimings(() => 0),
    };
    const records: AttemptRecord[] = [];
    const result = await runPlan(plan, context, deps, records);
    const sink = collectingSink();
    if (result?.outcome.kind === 'streaming') {
      const { failure, usage } = await result.outcome.relay(sink, result.outcome.guard);
      result.settle({ failure, usage });
      result.outcome.guard.stop();
    }
    return { result, records, text: sink.text() };
  };
  return { run, samples, deps };
}

describe('a target that is silent for longer than usual', () => {
  test('is helped out by the next one, whose content wins; it is called off, and that is no failure', async () => {
    const silent = silentUntilLeft();
    slow.always(silent.script);
    quick.always(says('quick'));
    const { run, samples, deps } = gateway();

    const { result, records, text } = await run();

    expect(text).toContain('quick');
    expect(result).toMatchObject({ target: { provider: 'quick' }, record: { hedge: true } });
    await silent.left;
    expect(records).toMatchObject([
      { provider: 'slow', outcome: 'cancelled', detail: expect.stringMatching(/faster; what this one cost is not/) },
      { provider: 'quick', outcome: 'answered', hedge: true },
    ]);
    expect(samples.find(({ target }) => target === 'slow/m')).toMatchObject({
      outcome: 'cancelled',
      waitMs: expect.any(Number),
    });
    expect(deps.breakers.state('slow/m')).toBe('closed');
  });

  test('still wins when its content comes first', async () => {
    const silent = silentUntilLeft();
    quick.always(silent.script);
    slow.always(async (request, response) => {
      await quick.sawRequests(1);
      await says('late but first')(request, response);
    });

    const { result, records, text } = await gateway().run();

    expect(text).toContain('late but first');
    await silent.left;
    expect(result?.record).toMatchObject({ provider: 'slow', outcome: 'answered' });
    expect(records.map(({ provider, outcome }) => `${provider} ${outcome}`).sort()).toEqual([
      'quick cancelled',
      'slow answered',
    ]);
  });

  test('wins over a helper whose answer has come when it is called off; that answer is dropped', async () => {
    const { run, samples, deps } = gateway();
    const asked = Promise.withResolvers<void>();
    const late = Promise.withResolvers<IncomingMessage>();
    const body = Readable.from([role + chunk({ content: 'too late' })], { objectMode: false });
    const headers = { 'content-type': 'text/event-stream' };
    const abort = () => late.resolve(Object.assign(body, { statusCode: 200, headers }) as unknown as IncomingMessage);
    const { post } = deps.upstream;
    const postToBoth: typeof post = (call) => {
      if (!quick.url.includes(`:${call.origin.port}`)) return post(call);
      asked.resolve();
      return { response: late.promise, abort };
    };
    deps.upstream = { ...deps.upstream, post: postToBoth };
    slow.always(async (request, response) => {
      await asked.promise;
      await says('first')(request, response);
    });

    const { text, records } = await run();

    expect(text).toContain('first');
    expect(records).toMatchObject([{ provider: 'slow' }, { outcome: 'answered', brokeOff: 'cancelled' }]);
    expect(samples.map(({ target, outcome }) => `${target} ${outcome}`)).toEqual([
      'quick/m cancelled',
      'slow/m answered',
    ]);
  });

  test('is waited for when the helper fails, and the helper is not asked again', async () => {
    quick.always(answer(503, {}));
    slow.always(async (request, response) => {
      await quick.sawRequests(1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await says('after all')(request, response);
    });

    const { text, records } = await gateway().run();

    expect(text).toContain('after all');
    expect(records.map(({ provider }) => provider).sort()).toEqual(['quick', 'slow']);
  });

  describe('and whose helper refuses the request', () => {
    /** A gateway whose first target goes on by its script when it has taken in what the helper said. */
    function refusing(refusal: Script, then: Script) {
      const made = gateway();
      quick.always(refusal);
      slow.always(async (request, response) => {
        while (made.samples.length === 0) await new Promise((resolve) => setImmediate(resolve));
        await then(request, response);
      });
      return made;
    }

    test.each([
      ['rejected', answer(400, { error: { message: 'too hot' } })],
      ['content_policy', answer(400, { error: { code: 'content_filter' } })],
    ])('is waited for: %s', async (outcome, refusal) => {
      const { text, records } = await refusing(refusal, says('after all')).run();

      expect(text).toContain('after all');
      expect(records).toMatchObject([{ outcome: 'answered' }, { outcome, hedge: true }]);
    });

    test('leaves the caller with the refusal when it fails too', async () => {
      const refusal = answer(400, { error: { message: 'too hot' } });

      const { result } = await refusing(refusal, answer(503, {})).run();

      expect(result?.outcome).toMatchObject({ failure: { kind: 'rejected' } });
      expect(slow.seen).toHaveLength(1);
    });
  });

  test('that then fails leaves the request to the helper', async () => {
    let answerNow = () => {};
    const gate = new Promise<void>((resolve) => {
      answerNow = resolve;
    });
    quick.always(async (request, response) => {
      await gate;
      await says('helped')(request, response);
    });
    slow.always(async (request, response) => {
      await quick.sawRequests(1);
      await answer(503, {})(request, response);
      answerNow();
    });

    expect((await gateway().run()).text).toContain('helped');
  });

  test('that finds the request at fault ends it for both', async () => {
    const silent = silentUntilLeft();
    quick.always(silent.script);
    slow.always(async (request, response) => {
      await quick.sawRequests(1);
      await answer(400, { error: { message: 'too hot' } })(request, response);
    });

    const { result } = await gateway().run();

    expect(result?.outcome).toMatchObject({ failure: { kind: 'rejected' } });
    await silent.left;
  });
});

describe('no other target is started besides', () => {
  test.each<[string, Fields]>([
    ['where the answer comes in time', { hedge: { afterMs: 5_000 } }],
    ['where the operator wants no hedging', { first: { hedge: undefined } as unknown as Partial<PlannedAttempt> }],
    ['where the other one costs too much', { second: { costMicroUsd: 201 } }],
    ['where a price is unknown', { second: { costMicroUsd: undefined } as unknown as Partial<PlannedAttempt> }],
    ['where the other one is slow as well', { second: { expectedWaitMs: 31 } }],
    ['beyond its share of the requests', { hedge: { maxShare: 0.5 } }],
  ])('%s', async (_, fields) => {
    slow.always(async (request, response) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      await says('alone')(request, response);
    });

    const { text } = await gateway(fields).run();

    expect(text).toContain('alone');
    expect(quick.seen).toEqual([]);
  });

  test('where the other one is known to be down', async () => {
    slow.always(async (request, response) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      await says('alone')(request, response);
    });
    const { run, deps } = gateway();
    const limited = { sign: 'limited', reason: 'rate_limited', startedAtMs: 0, retryAfterMs: 60_000 } as const;
    deps.breakers.note({ target: 'quick/m', ...limited });

    expect((await run()).text).toContain('alone');
    expect(quick.seen).toEqual([]);
  });

  test('after a rate limit', async () => {
    slow.next(answer(429, {}, { 'retry-after': '60' }), async (request, response) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      await says('second key')(request, response);
    });
    const { run, deps } = gateway();
    const secrets = { slow: ['one', 'two'], quick: ['three'] };
    deps.secrets = { get: async () => secrets, refresh: async () => secrets };

    expect((await run()).text).toContain('second key');
    expect(quick.seen).toEqual([]);
  });
});

test('the share of requests that are helped out is never exceeded', () => {
  const budget = createHedgeBudget();
  let started = 0;
  for (let requests = 1; requests <= 1_000; requests++) {
    budget.earn('a/m', 0.05);
    if (budget.spend('a/m')) started++;
    expect(started).toBeLessThanOrEqual(requests * 0.05 + 1e-9);
  }
  expect(started).toBe(50);
});
