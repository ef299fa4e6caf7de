import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { everyHost } from '../support/every-host.ts';
import { answer, completion, startScriptedVendor } from '../support/scripted-vendor.ts';
import { ask, type Seen, sdkClient } from '../support/sdk-caller.ts';
import type { GatewayOptions, RunningGateway } from '../support/serve-process.ts';

/** Pairs of requests, each of which may go to another environment: twenty requests in a minute. */
const pairs = 10;
const everyMs = 6_100;
/** So many have answered before the target dies. */
const environments = 2;
/** How long the breaker stays open after each failure in a row. */
const intervalsMs = [5_000, 10_000, 15_000, 15_000];

/** What was seen of a minute in which the preferred one of two vendors was down, and of the time after it. */
type Outage = { asked: Seen[]; deadAtMs: number[]; wasDownMs: number; backAfterMs: number; later: Seen[]; log: string };

describe('a target that is down for a minute and comes back', () => {
  let outages: Outage[];

  // On both hosts at the same time: a minute is long.
  beforeAll(async () => {
    outages = await Promise.all(everyHost.map(({ start }) => liveThrough(start)));
  }, 180_000);

  describe.each(everyHost.map(({ name }, at) => ({ name, at })))('on $name', ({ at }) => {
    const outage = () => outages[at] as Outage;

    test('all twenty requests of that minute are served, by the other target', () => {
      const { asked, wasDownMs } = outage();

      expect(wasDownMs).toBeGreaterThanOrEqual(60_000);
      expect(asked).toHaveLength(20);
      for (const { text, finish, error, provider, tookMs } of asked) {
        expect({ text, finish, error, provider }).toEqual(servedBy('second'));
        expect(tookMs).toBeLessThan(3_000);
      }
    });

    test('the dead one sees at most one attempt per interval of the breaker from the whole fleet', () => {
      const { deadAtMs, log } = outage();
      // Where the table answers late, on a busy machine, an environment may try once before it has heard of the breaker.
      const latecomers = Math.max(0, log.split('"coldStart":true').length - 2);

      // The first pair knows nothing yet: each of its requests tries once, and once more after a server error.
      const openedAtMs = deadAtMs.filter((atMs) => atMs - (deadAtMs[0] as number) < 5_000);
      expect(openedAtMs.length).toBeGreaterThanOrEqual(3);
      expect(openedAtMs.length).toBeLessThanOrEqual(4);
      let latestMs = openedAtMs.at(-1) as number;
      const gapsMs: number[] = [];
      const tooEarly: number[] = [];
      for (const atMs of deadAtMs.slice(openedAtMs.length)) {
        const at = gapsMs.length;
        // The interval began with the failure that opened it, which may be the one before the last.
        const leastMs = (intervalsMs[at] ?? Infinity) - (at === 0 ? 1_000 : 0);
        (atMs - latestMs < leastMs ? tooEarly : gapsMs).push(atMs - latestMs);
        if (gapsMs.length > at) latestMs = atMs;
      }
      expect(gapsMs.length).toBeGreaterThanOrEqual(3);
      expect({ gapsMs, tooEarly: tooEarly.slice(latecomers) }).toEqual({ gapsMs, tooEarly: [] });
    });

    test('it has its traffic back within 30 seconds, and nobody was refused meanwhile', () => {
      const { backAfterMs, later, log } = outage();

      expect(backAfterMs).toBeLessThan(30_000);
      expect(later.filter(({ error, finish }) => error || finish !== 'stop')).toEqual([]);
      expect(later.slice(-5).map(({ provider }) => provider)).toEqual(Array.from({ length: 5 }, () => 'first'));
      expect(log).toMatch(/"BreakerOpened".*"reason":"server_error"/);
      expect(log).toContain('"BreakerClosed"');
    });
  });
});

const servedBy = (provider: string) => ({ text: 'hi', finish: 'stop', error: undefined, provider });

async function liveThrough(start: (options: GatewayOptions) => Promise<RunningGateway>): Promise<Outage> {
  const [first, second] = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
  const at = ({ url }: { url: string }) => ({ type: 'openai-compatible', baseUrl: url });
  const config = {
    providers: { first: at(first), second: at(second) },
    models: {
      moving: { targets: ['first/m', 'second/m'], strategy: 'priority' },
      other: { targets: ['second/other'] },
    },
    secrets: { first: 'one', second: 'two' },
  };
  const gateway = await start({ config, apiKey: 'sk-test-of-the-caller' });
  try {
    const client = sdkClient(gateway);
    const once = () => ask(client, { model: 'moving', stream: false });
    const deadAtMs: number[] = [];
    first.always((request, response) => {
      deadAtMs.push(performance.now());
      return answer(500, { error: { message: 'dead' } })(request, response);
    });
    second.always(async (request, response) => {
      await second.sawRequests(environments);
      return answer(200, completion('hi'))(request, response);
    });
    await Promise.all([1, 2].map(() => ask(client, { model: 'other', stream: false })));

    const downAtMs = performance.now();
    const asked: Promise<Seen>[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      asked.push(once(), once());
      await pause(everyMs);
    }
    const served = await Promise.all(asked);

    first.always(answer(200, completion('hi')));
    const upAtMs = performance.now();
    const later: Seen[] = [];
    const isBack = () => later.length >= 5 && later.slice(-5).every(({ provider }) => provider === 'first');
    while (!isBack() && performance.now() - upAtMs < 40_000) {
      later.push(await once());
      await pause(200);
    }
    const backAfterMs = performance.now() - upAtMs;
    // Lines are written a little later.
    while (!gateway.logs().includes('"BreakerClosed"') && performance.now() - upAtMs < 45_000) await pause(20);
    return { asked: served, deadAtMs, wasDownMs: upAtMs - downAtMs, backAfterMs, later, log: gateway.logs() };
  } finally {
    await gateway.close();
    await Promise.all([first.close(), second.close()]);
  }
}
