import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type OpenAI from 'openai';
import { everyHost } from '../support/every-host.ts';
import {
  answer,
  chunk,
  done,
  type Script,
  type ScriptedVendor,
  startScriptedVendor,
  stream,
} from '../support/scripted-vendor.ts';
import { ask, sdkClient } from '../support/sdk-caller.ts';
import type { RunningGateway } from '../support/serve-process.ts';

const usualMs = 250;
const saysAfter = (text: string, waitMs: number): Script =>
  stream(() => pause(waitMs), chunk({ content: text }), chunk({}, 'stop'), done);

/** More than a p95 is founded on: what is known grows old before it is looked at. */
const enoughSamples = 18;

type Planned = {
  target: string;
  hedge?: { afterMs: number };
  score: { streamed: { small?: { samples: number } } } | null;
};

/** Says nothing until the gateway hangs up; `left` then resolves. */
function silentUntilLeft(): { script: Script; left: Promise<void> } {
  const { promise: left, resolve } = Promise.withResolvers<void>();
  return { left, script: (_, response) => void response.once('close', resolve) };
}

describe.each(everyHost)('hedging on $name, with the p95 that is learnt from real requests', ({ start }) => {
  let usual: ScriptedVendor;
  let helper: ScriptedVendor;
  let limited: ScriptedVendor;
  let gateway: RunningGateway;
  let client: OpenAI;
  let afterMs: number;

  beforeAll(async () => {
    [usual, helper, limited] = await Promise.all([startScriptedVendor(), startScriptedVendor(), startScriptedVendor()]);
    const at = ({ url }: ScriptedVendor) => ({ type: 'openai-compatible', baseUrl: url });
    const priced = (target: string) => ({ target, price: { input: 1, output: 1 } });
    const model = (targets: string[], hedge: object) => ({
      strategy: 'priority',
      targets: targets.map(priced),
      hedge,
    });
    gateway = await start({
      apiKey: 'sk-of-a-caller',
      config: {
        providers: { usual: at(usual), helper: at(helper), limited: at(limited) },
        models: {
          hedged: model(['usual/m', 'helper/m'], { maxShare: 1 }),
          capped: model(['usual/rarely', 'helper/m'], {}),
          behind: model(['limited/m', 'usual/m', 'helper/m'], { maxShare: 1 }),
        },
      },
    });
    client = sdkClient(gateway);
  }, 60_000);
  // What is known grows old, so each test begins with as much as a p95 is founded on.
  beforeEach(async () => {
    answerAsUsual();
    afterMs = await learn();
    for (const vendor of [usual, helper, limited]) vendor.seen.length = 0;
  }, 90_000);
  afterAll(async () => {
    await gateway?.close();
    await Promise.all([usual, helper, limited].map((vendor) => vendor?.close()));
  });

  function answerAsUsual(): void {
    usual.always(saysAfter('usual', usualMs));
    helper.always(saysAfter('helped', usualMs / 3));
    limited.always(answer(429, { error: { message: 'slow down' } }, { 'retry-after': '1' }));
  }

  /** Asks all targets until their waits have come back from the table; says after how long a helper would be started. */
  async function learn(): Promise<number> {
    answerAsUsual();
    const deadline = Date.now() + 60_000;
    for (;;) {
      await Promise.all(
        ['usual/m', 'usual/rarely', 'helper/m'].flatMap((model) => [1, 2, 3].map(() => streamed(model))),
      );
      const plans = (await Promise.all(['hedged', 'capped'].map(plan))).flat();
      if (plans.every(({ score }) => (score?.streamed.small?.samples ?? 0) >= enoughSamples))
        return plans[0]?.hedge?.afterMs ?? Number.NaN;
      if (Date.now() > deadline) throw new Error('The p95 was not learnt within a minute');
    }
  }

  /** The attempts that would be made now, with what is known of their targets. */
  async function plan(model: string): Promise<Planned[]> {
    const body = { model, stream: true, messages: [{ role: 'user', content: 'hi' }] };
    return (await client.post<{ attempts: Planned[] }>('/route', { body })).attempts;
  }

  /** What the log says of the request to `hedged`, once it does. */
  async function hedgedLine(): Promise<Record<string, unknown>> {
    const deadline = Date.now() + 5_000;
    for (;;) {
      const lines = gateway.logs().split('\n');
      const line = lines.find((one) => one.includes('"RequestCompleted"') && one.includes('"hedge":true'));
      if (line) return JSON.parse(line.slice(line.indexOf('{')));
      if (Date.now() > deadline) throw new Error('The log has no line of a request that was helped out');
      await pause(20);
    }
  }

  const streamed = (model: string) => ask(client, { model, stream: true });
  const asked = () => [usual.seen.length, helper.seen.length];

  test('a target that is silent for longer than that is helped out, and sees its connection closed', async () => {
    const silent = silentUntilLeft();
    usual.always(silent.script);

    const { text, finish, error, provider, tookMs } = await streamed('hedged');
    await silent.left;

    expect(afterMs).toBeGreaterThanOrEqual(usualMs * 0.9);
    expect(afterMs).toBeLessThan(1_000);
    expect({ text, finish, error, provider }).toEqual({
      text: 'helped',
      finish: 'stop',
      error: undefined,
      provider: 'helper',
    });
    expect(tookMs).toBeGreaterThanOrEqual(afterMs * 0.8);
    expect(tookMs).toBeLessThan(afterMs + 3_000);
    expect(asked()).toEqual([1, 1]);
    expect((await hedgedLine())['attempts']).toMatchObject([
      { provider: 'usual', outcome: 'cancelled' },
      { provider: 'helper', outcome: 'answered', hedge: true },
    ]);
  });

  test('a target that answers as usual is not helped out', async () => {
    usual.always(saysAfter('usual', 0));

    expect(await streamed('hedged')).toMatchObject({ text: 'usual', error: undefined, provider: 'usual', attempts: 1 });
    expect(asked()).toEqual([1, 0]);
  });

  test('never after a rate limit: the slow target is waited for', async () => {
    usual.always(saysAfter('late', 3 * afterMs));
    const planned = await plan('behind');

    const { text, error, provider, tookMs, attempts } = await streamed('behind');

    // But for the limit it would have been helped out.
    expect(planned[1]).toMatchObject({ target: 'usual/m', hedge: { maxShare: 1 } });
    expect(planned[1]?.hedge?.afterMs).toBeLessThan(2 * afterMs);
    expect({ text, error, provider, attempts }).toEqual({
      text: 'late',
      error: undefined,
      provider: 'usual',
      attempts: 2,
    });
    expect(tookMs).toBeGreaterThanOrEqual(3 * afterMs - 10);
    expect(limited.seen).toHaveLength(1);
    expect(asked()).toEqual([1, 0]);
  });

  test('never for more than its share of the requests', async () => {
    usual.always(saysAfter('late', 5 * afterMs));

    expect(await streamed('capped')).toMatchObject({ text: 'late', error: undefined, provider: 'usual', attempts: 1 });
    expect(asked()).toEqual([1, 0]);
  });
});
