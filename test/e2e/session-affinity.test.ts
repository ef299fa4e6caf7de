import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type OpenAI from 'openai';
import { everyHost } from '../support/every-host.ts';
import { chunk, done, type ScriptedVendor, startScriptedVendor, stream } from '../support/scripted-vendor.ts';
import { ask, type Seen, sdkClient } from '../support/sdk-caller.ts';
import type { RunningGateway } from '../support/serve-process.ts';

const equalMs = 400;
const sessions = Array.from({ length: 24 }, (_, index) => `session-${index}`);
const turns = 3;
const sessionsAtOnce = 8;
const measuredAtOnce = ['one/m', 'other/m', 'one/m', 'other/m', 'one/m', 'other/m'];

describe.each(everyHost)('sessions on $name, among two targets that are measured to be about as fast', ({ start }) => {
  let vendors: ScriptedVendor[];
  let gateway: RunningGateway;
  let client: OpenAI;

  beforeAll(async () => {
    vendors = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
    for (const vendor of vendors)
      vendor.always(stream(() => pause(equalMs), chunk({ content: 'Hello' }), chunk({}, 'stop'), done));
    const [one, other] = vendors.map(({ url }) => ({ type: 'openai-compatible', baseUrl: url }));
    gateway = await start({
      apiKey: 'sk-of-a-caller',
      config: {
        providers: { one, other },
        models: { chat: { targets: ['one/m', 'other/m'] } },
      },
    });
    client = sdkClient(gateway);
    await measure();
  }, 90_000);
  afterAll(async () => {
    await gateway?.close();
    await Promise.all((vendors ?? []).map((vendor) => vendor.close()));
  });

  /** Asks both until the gateway knows from the table how long each takes. */
  async function measure(): Promise<void> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      await Promise.all(measuredAtOnce.map((model) => ask(client, { model, stream: true })));
      const { data } = await client.get<{ data: { streamed: { small?: { samples: number } } }[] }>('/stats');
      const known = data.map(({ streamed }) => streamed?.small?.samples ?? 0);
      if (known.length === 2 && Math.min(...known) >= 12) return;
      if (Date.now() > deadline) throw new Error(`Within a minute only ${known} samples are known`);
    }
  }

  /** All turns of a session, one after another, each with another question. */
  async function converse(session: string): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (let turn = 0; turn < turns; turn++)
      seen.push(
        await ask(client, {
          model: 'chat',
          stream: true,
          content: `${session}, question ${turn}`,
          headers: { 'x-session-id': session },
        }),
      );
    return seen;
  }

  test('each stays with its target, while all together use both', async () => {
    for (const vendor of vendors) vendor.seen.length = 0;
    const left = [...sessions];
    const conversations: Seen[][] = [];
    const work = async () => {
      for (let session = left.pop(); session; session = left.pop()) conversations.push(await converse(session));
    };
    await Promise.all(Array.from({ length: sessionsAtOnce }, work));

    const answers = conversations.flat();
    expect(answers.filter(({ text, error, attempts }) => error || text !== 'Hello' || attempts !== 1)).toEqual([]);
    expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(equalMs + 3_000);
    expect(vendors.flatMap(({ seen }) => seen)).toHaveLength(answers.length);
    const stayed = conversations.filter((seen) => new Set(seen.map(({ provider }) => provider)).size === 1);
    // Drawn anew for each request, a quarter would have stayed; a share that moves a little takes a few along.
    expect(stayed.length).toBeGreaterThanOrEqual(sessions.length * 0.8);
    const used = new Set(stayed.map(([first]) => first?.provider));
    expect(used).toEqual(new Set(['one', 'other']));
  }, 60_000);
});
