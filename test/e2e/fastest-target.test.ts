import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type OpenAI from 'openai';
import { everyHost } from '../support/every-host.ts';
import { chunk, done, type ScriptedVendor, startScriptedVendor, stream } from '../support/scripted-vendor.ts';
import { ask, type Callers, type Seen, sdkClient, startCallers } from '../support/sdk-caller.ts';
import type { RunningGateway } from '../support/serve-process.ts';

const longestMs = 60_000;
const callersAtOnce = 4;
const slowMs = 1_500;

/** From now on its first content takes so long. */
function answersAfter(vendor: ScriptedVendor, waitMs: number): void {
  vendor.always(stream(() => pause(waitMs), chunk({ content: 'Hello' }), chunk({}, 'stop'), done));
}

const isWhole = ({ text, finish, error }: Seen) => text === 'Hello' && finish === 'stop' && !error;

/** Resolves when nearly all of the last twenty answers that callers got came from there; says how long that took. */
async function untilMostCameFrom(provider: string, { seen }: Callers): Promise<number> {
  const startedMs = performance.now();
  const before = seen.length;
  while (performance.now() - startedMs < longestMs) {
    const latest = seen.slice(before).slice(-20);
    if (latest.length === 20 && latest.filter((one) => one.provider === provider).length >= 17)
      return performance.now() - startedMs;
    await pause(20);
  }
  const latest = seen.slice(-40).map((one) => one.provider);
  throw new Error(`Within a minute most did not come from ${provider}; the last 40: ${latest.join(', ')}`);
}

describe.each(everyHost)('the fastest target, on $name', ({ start }) => {
  let left: ScriptedVendor;
  let right: ScriptedVendor;
  let mortal: ScriptedVendor;
  let gateway: RunningGateway;
  let client: OpenAI;

  beforeAll(async () => {
    [left, right, mortal] = await Promise.all([startScriptedVendor(), startScriptedVendor(), startScriptedVendor()]);
    const provider = ({ url }: ScriptedVendor) => ({ type: 'openai-compatible', baseUrl: url });
    gateway = await start({
      apiKey: 'sk-of-a-caller',
      config: {
        providers: { left: provider(left), right: provider(right), mortal: provider(mortal) },
        models: {
          fast: { targets: ['left/model', 'right/model'] },
          resumed: { strategy: 'priority', targets: ['mortal/model', 'left/other'], onStreamFailure: 'resume' },
        },
      },
    });
    client = sdkClient(gateway);
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await Promise.all([left, right, mortal].map((vendor) => vendor?.close()));
  });

  /** Every request is the first of another conversation, which is free to go anywhere. */
  let conversation = 0;
  const askAnew = (model: string, onText?: (text: string) => void) =>
    ask(client, { model, stream: true, content: `Hi ${conversation++}`, ...(onText && { onText }) });

  test('traffic moves within a minute when the faster vendor turns slow, and no caller notices when one is killed', async () => {
    answersAfter(left, 50);
    answersAfter(right, 400);
    const callers = startCallers(callersAtOnce, () => askAnew('fast'));
    await untilMostCameFrom('left', callers);

    answersAfter(left, slowMs);
    const movedInMs = await untilMostCameFrom('right', callers);

    // In the moment when it has just taken another request, and callers wait for it.
    await right.sawRequests(right.seen.length + 1);
    const killedAtMs = performance.now();
    await right.close();
    await untilMostCameFrom('left', callers);
    await callers.stop();

    expect(movedInMs).toBeLessThan(longestMs);
    expect(callers.seen.filter((one) => !isWhole(one))).toEqual([]);
    const wereWaiting = callers.seen.filter(
      ({ startedAtMs, tookMs, attempts }) =>
        startedAtMs < killedAtMs && startedAtMs + tookMs > killedAtMs && attempts > 1,
    );
    expect(wereWaiting.length).toBeGreaterThan(0);
    const later = callers.seen.filter(({ startedAtMs }) => startedAtMs > killedAtMs);
    expect(new Set(later.map(({ provider }) => provider))).toEqual(new Set(['left']));
    // The slow one answers them, after at most two attempts in vain on the dead one, which are over at once.
    expect(Math.max(...later.map(({ attempts }) => attempts))).toBeLessThanOrEqual(3);
    expect(Math.max(...later.map(({ tookMs }) => tookMs))).toBeLessThan(slowMs + 2_000);
    const attempts = callers.seen.reduce((sum, one) => sum + one.attempts, 0);
    const unanswered = attempts - left.seen.length - right.seen.length;
    expect(unanswered).toBeLessThanOrEqual(2 * wereWaiting.length + 2 * later.length);
  }, 180_000);

  test('a vendor that is killed in the middle of its answers is not noticed either where streams are resumed', async () => {
    const never = () => new Promise<void>(() => {});
    mortal.always(stream(chunk({ content: 'Hel' }), never));
    answersAfter(left, 50);
    let hearing = 0;
    const allHear = Promise.withResolvers<void>();
    const onText = () => {
      if (++hearing === callersAtOnce) allHear.resolve();
    };

    for (const vendor of [left, mortal]) vendor.seen.length = 0;
    const asked = Promise.all(Array.from({ length: callersAtOnce }, () => askAnew('resumed', onText)));
    await allHear.promise;
    await mortal.close();

    const seen = await asked;
    expect(seen.filter((one) => !isWhole(one))).toEqual([]);
    expect(seen.map(({ provider }) => provider)).toEqual(seen.map(() => 'mortal'));
    expect(Math.max(...seen.map(({ tookMs }) => tookMs))).toBeLessThan(5_000);
    expect([mortal.seen.length, left.seen.length]).toEqual([callersAtOnce, callersAtOnce]);
  }, 60_000);
});
