import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type OpenAI from 'openai';
import type { LocalStack } from '../../local/stack.ts';
import { startStackGateway } from '../support/local-stack-gateway.ts';
import {
  chunk,
  done,
  type ScriptedVendor,
  type SeenRequest,
  startScriptedVendor,
  stream,
} from '../support/scripted-vendor.ts';
import { ask, type Callers, type Seen, sdkClient, startCallers } from '../support/sdk-caller.ts';
import type { RunningGateway } from '../support/serve-process.ts';

const apiKey = 'sk-of-a-caller';
const longestMs = 60_000;
const callersAtOnce = 4;

let left: ScriptedVendor;
let right: ScriptedVendor;
let mortal: ScriptedVendor;
let gateway: RunningGateway & { stack: LocalStack };
let client: OpenAI;

beforeAll(async () => {
  [left, right, mortal] = await Promise.all([startScriptedVendor(), startScriptedVendor(), startScriptedVendor()]);
  const provider = ({ url }: ScriptedVendor) => ({ type: 'openai-compatible', baseUrl: url });
  gateway = await startStackGateway({
    apiKey,
    config: {
      providers: { left: provider(left), right: provider(right), mortal: provider(mortal) },
      models: {
        fast: { targets: ['left/model', 'right/model'] },
        chosen: { strategy: 'priority', targets: ['left/first', 'right/second'] },
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

const waiting = (ms: number) => async () => pause(ms);

/** From now on its first content takes so long. */
function answersAfter(vendor: ScriptedVendor, waitMs: number): void {
  vendor.always(stream(waiting(waitMs), chunk({ content: 'Hello' }), chunk({}, 'stop'), done));
}

/** Every request is the first of another conversation, which is free to go anywhere. */
let conversation = 0;
const askAnew = (model: string, onText?: (text: string) => void) =>
  ask(client, { model, stream: true, content: `Hi ${conversation++}`, ...(onText && { onText }) });

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

describe('the fastest target, on the local stack', () => {
  test('a target of which nothing is known is probed once its model is in demand', async () => {
    answersAfter(left, 0);
    answersAfter(right, 0);
    const fromProber = ({ body }: SeenRequest) => body['max_tokens'] === 16;
    for (let request = 0; request < 3; request++) expect(isWhole(await askAnew('chosen'))).toBe(true);

    const startedMs = Date.now();
    while (!right.seen.some(fromProber) && Date.now() - startedMs < longestMs) await gateway.stack.runSchedules();

    expect(right.seen.filter(fromProber)).toHaveLength(1);
    expect(left.seen.filter(fromProber)).toHaveLength(0);
  }, 90_000);

  test('traffic moves within a minute when the faster vendor turns slow, and no caller notices when one is killed', async () => {
    answersAfter(left, 50);
    answersAfter(right, 400);
    const callers = startCallers(callersAtOnce, () => askAnew('fast'));
    await untilMostCameFrom('left', callers);

    answersAfter(left, 1_500);
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

    const asked = Promise.all(Array.from({ length: callersAtOnce }, () => askAnew('resumed', onText)));
    await allHear.promise;
    await mortal.close();

    const seen = await asked;
    expect(seen.filter((one) => !isWhole(one))).toEqual([]);
    expect(seen.map(({ provider }) => provider)).toEqual(seen.map(() => 'mortal'));
  }, 60_000);
});
