import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { everyHost } from '../support/every-host.ts';
import { answer, completion, type ScriptedVendor, startScriptedVendor } from '../support/scripted-vendor.ts';
import { ask, sdkClient } from '../support/sdk-caller.ts';
import type { RunningGateway } from '../support/serve-process.ts';

const keys = ['a', 'b', 'c', 'd', 'e'];
const requests = 20;

describe.each(everyHost)('a flood of 429s of a provider with several keys, on $name', ({ start }) => {
  let limiting: ScriptedVendor;
  let other: ScriptedVendor;
  let gateway: RunningGateway;
  let client: OpenAI;
  let keysSeen: string[];

  beforeAll(async () => {
    [limiting, other] = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
    const at = ({ url }: ScriptedVendor) => ({ type: 'openai-compatible', baseUrl: url });
    const names = ['helped', 'alone'];
    gateway = await start({
      apiKey: 'sk-test-of-the-caller',
      config: {
        providers: { helped: at(limiting), alone: at(limiting), other: at(other) },
        models: {
          helped: { targets: ['helped/m', 'other/m'], strategy: 'priority' },
          alone: { targets: ['alone/m'] },
        },
        secrets: { ...Object.fromEntries(names.map((name) => [name, keys])), other: 'one' },
      },
    });
    client = sdkClient(gateway);
  }, 60_000);
  beforeEach(() => {
    keysSeen = [];
    limiting.always((request, response) => {
      keysSeen.push(request.headers.authorization ?? '');
      return answer(429, { error: { message: 'slow down' } }, { 'retry-after': '60' })(request, response);
    });
    other.always(answer(200, completion('hi')));
  });
  afterAll(async () => {
    await gateway?.close();
    await Promise.all([limiting, other].map((vendor) => vendor?.close()));
  });

  /** How many environments have answered, once the line of every request to the model is there. */
  async function environments(model: string): Promise<number> {
    const deadline = Date.now() + 5_000;
    for (;;) {
      const lines = gateway.logs().split('\n');
      const completed = lines.filter((line) => line.includes('"RequestCompleted"'));
      if (completed.filter((line) => line.includes(`"requestModel":"${model}"`)).length >= requests)
        return Math.max(1, completed.filter((line) => line.includes('"coldStart":true')).length);
      if (Date.now() > deadline) throw new Error(`Not all ${requests} requests are in the log`);
      await pause(20);
    }
  }

  const timesSeen = () => keys.map((key) => keysSeen.filter((one) => one === `Bearer ${key}`).length);

  test('every caller is served by the next target, and each key is tried once per environment', async () => {
    const seen = [];
    for (let i = 0; i < requests; i++) seen.push(await ask(client, { model: 'helped', stream: false }));

    for (const { text, finish, error, provider, tookMs } of seen) {
      expect({ text, finish, error, provider }).toEqual({
        text: 'hi',
        finish: 'stop',
        error: undefined,
        provider: 'other',
      });
      expect(tookMs).toBeLessThan(3_000);
    }
    expect(Math.min(...timesSeen())).toBeGreaterThanOrEqual(1);
    expect(Math.max(...timesSeen())).toBeLessThanOrEqual(await environments('helped'));
  });

  test('without another target every caller is told at once when to come back, and no key is asked any more', async () => {
    const seen = [];
    for (let i = 0; i < requests; i++) seen.push(await ask(client, { model: 'alone', stream: false }));

    for (const { error, tookMs } of seen) {
      expect(error).toBeInstanceOf(OpenAI.RateLimitError);
      expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
      const retryAfter = Number(error?.headers?.get('retry-after'));
      expect(retryAfter).toBeGreaterThan(30);
      expect(retryAfter).toBeLessThanOrEqual(60);
      expect(tookMs).toBeLessThan(3_000);
    }
    expect(Math.min(...timesSeen())).toBeGreaterThanOrEqual(1);
    expect(Math.max(...timesSeen())).toBeLessThanOrEqual(await environments('alone'));
  });
});
