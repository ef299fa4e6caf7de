import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startStackGateway } from '../support/local-stack-gateway.ts';
import { answer, completion, type ScriptedVendor, startScriptedVendor } from '../support/scripted-vendor.ts';
import { type RunningGateway, startServeProcess } from '../support/serve-process.ts';

const apiKey = 'sk-test-of-the-caller';
const messages = [{ role: 'user', content: 'hi' }];
const passed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([
  // A minute: long enough for intervals of 5, 10, 15 and 15 seconds.
  { name: 'npm run serve', start: startServeProcess, everyMs: 3_000, mostTries: 4 },
  { name: 'npm start, the stack under the runtime client', start: startStackGateway, everyMs: 300, mostTries: 1 },
])('$name, between two vendors', ({ start, everyMs, mostTries }) => {
  let first: ScriptedVendor;
  let second: ScriptedVendor;
  let gateway: RunningGateway;

  beforeAll(async () => {
    [first, second] = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
    const compatible = { type: 'openai-compatible' };
    const config = {
      providers: {
        first: { ...compatible, baseUrl: first.url },
        second: { ...compatible, baseUrl: second.url },
        limited: { ...compatible, baseUrl: first.url },
      },
      models: {
        moving: { targets: ['first/m', 'second/m'], strategy: 'priority' },
        flooded: { targets: ['limited/m', 'second/m'], strategy: 'priority' },
      },
      secrets: { first: 'one', second: 'two', limited: ['a', 'b', 'c', 'd', 'e'] },
    };
    gateway = await start({ config, apiKey });
  }, 60_000);
  afterEach(() => {
    first.seen.length = 0;
    second.seen.length = 0;
  });
  afterAll(async () => {
    await gateway.close();
    await Promise.all([first.close(), second.close()]);
  });

  async function ask(model: string): Promise<{ status: number; provider: string | null }> {
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ model, messages });
    const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body });
    await response.arrayBuffer();
    return { status: response.status, provider: response.headers.get('x-sluice-provider') };
  }

  /** How many environments have answered, once the line of every request to the model is there. */
  async function environments(model: string, requests: number): Promise<number> {
    const deadline = Date.now() + 5_000;
    for (;;) {
      const lines = gateway.logs().split('\n');
      const completed = lines.filter((line) => line.includes('"RequestCompleted"'));
      if (completed.filter((line) => line.includes(`"requestModel":"${model}"`)).length >= requests)
        return Math.max(1, completed.filter((line) => line.includes('"coldStart":true')).length);
      if (Date.now() > deadline) throw new Error(`Not all ${requests} requests are in the log`);
      await passed(20);
    }
  }

  test('no caller notices that the preferred one dies, it is asked once per interval, and it is back soon after', async () => {
    const deadAtMs: number[] = [];
    first.always((request, response) => {
      deadAtMs.push(Date.now());
      return answer(500, { error: { message: 'dead' } })(request, response);
    });
    second.always(answer(200, completion('hi')));

    const answers: { status: number; provider: string | null }[] = [];
    for (let i = 0; i < 20; i++) {
      answers.push(await ask('moving'));
      await passed(everyMs);
    }

    expect(answers).toEqual(Array.from({ length: 20 }, () => ({ status: 200, provider: 'second' })));
    // The third failure opens the breaker. Another environment may fail once before it has heard of that.
    const others = (await environments('moving', 20)) - 1;
    const afterMs = deadAtMs.slice(3).map((atMs, index) => atMs - (deadAtMs[index + 2] as number));
    const tries = afterMs.filter((ms) => ms >= 5_000);
    expect(afterMs.length - tries.length).toBeLessThanOrEqual(others);
    expect(tries.length).toBeGreaterThanOrEqual(1);
    expect(tries.length).toBeLessThanOrEqual(mostTries);

    first.always(answer(200, completion('hi')));
    const upAtMs = Date.now();
    while ((await ask('moving')).provider !== 'first' && Date.now() - upAtMs < 30_000) await passed(200);
    expect(Date.now() - upAtMs).toBeLessThan(20_000);
    expect((await ask('moving')).provider).toBe('first');
    expect(gateway.logs()).toMatch(/"BreakerOpened".*"reason":"server_error"/);
    // Lines are written a little later.
    while (!gateway.logs().includes('"BreakerClosed"') && Date.now() - upAtMs < 30_000) await passed(20);
    expect(gateway.logs()).toContain('"BreakerClosed"');
  }, 120_000);

  test('a flood of 429s with several keys reaches each key once per environment, and every caller is served', async () => {
    const keys: string[] = [];
    first.always((request, response) => {
      keys.push(request.headers.authorization ?? '');
      return answer(429, { error: { message: 'slow down' } }, { 'retry-after': '60' })(request, response);
    });
    second.always(answer(200, completion('hi')));

    const answers = [];
    for (let i = 0; i < 20; i++) answers.push(await ask('flooded'));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const times = ['a', 'b', 'c', 'd', 'e'].map((key) => keys.filter((one) => one === `Bearer ${key}`).length);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...times)).toBeLessThanOrEqual(await environments('flooded', 20));
  });
});
