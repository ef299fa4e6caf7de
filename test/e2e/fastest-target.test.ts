import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
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
import type { RunningGateway } from '../support/serve-process.ts';

const apiKey = 'sk-of-a-caller';
const longestMs = 60_000;
const callersAtOnce = 4;

let left: ScriptedVendor;
let right: ScriptedVendor;
let gateway: RunningGateway & { stack: LocalStack };
let client: OpenAI;

beforeAll(async () => {
  [left, right] = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
  const provider = ({ url }: ScriptedVendor) => ({ type: 'openai-compatible', baseUrl: url });
  gateway = await startStackGateway({
    apiKey,
    config: {
      providers: { left: provider(left), right: provider(right) },
      models: {
        fast: { targets: ['left/model', 'right/model'] },
        chosen: { strategy: 'priority', targets: ['left/first', 'right/second'] },
      },
    },
  });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 });
}, 60_000);

afterAll(async () => {
  await gateway?.close();
  await Promise.all([left, right].map((vendor) => vendor?.close()));
});

/** From now on its first content takes so long. */
function answersAfter(vendor: ScriptedVendor, waitMs: number): void {
  const wait = () => new Promise<void>((resolve) => setTimeout(resolve, waitMs));
  vendor.always(stream(wait, chunk({ content: 'Hello' }), chunk({}, 'stop'), done));
}

/** Every request is the first of another conversation, which is free to go anywhere. */
let conversation = 0;

/** Asks once, as an application would, and says who answered. */
async function ask(model = 'fast'): Promise<string> {
  const { data, response } = await client.chat.completions
    .create({ model, stream: true, messages: [{ role: 'user', content: `Hi ${conversation++}` }] })
    .withResponse();
  let text = '';
  for await (const { choices } of data) text += choices[0]?.delta.content ?? '';
  expect(text).toBe('Hello');
  return response.headers.get('x-sluice-provider') ?? '';
}

/** Asks again and again until nearly all of the last twenty answers came from there; says how long that took. */
async function untilMostGoTo(provider: string): Promise<number> {
  const startedMs = Date.now();
  const answered: string[] = [];
  while (Date.now() - startedMs < longestMs) {
    answered.push(...(await Promise.all(Array.from({ length: callersAtOnce }, () => ask()))));
    const latest = answered.slice(-20);
    if (latest.length === 20 && latest.filter((one) => one === provider).length >= 17) return Date.now() - startedMs;
  }
  throw new Error(`Of the last 40 answers came from ${answered.slice(-40).join(', ')}`);
}

describe('the fastest target, on the local stack', () => {
  test('a target of which nothing is known is probed once its model is in demand', async () => {
    answersAfter(left, 0);
    answersAfter(right, 0);
    const fromProber = ({ body }: SeenRequest) => body['max_tokens'] === 16;
    for (let request = 0; request < 3; request++) await ask('chosen');

    const startedMs = Date.now();
    while (!right.seen.some(fromProber) && Date.now() - startedMs < longestMs) await gateway.stack.runSchedules();

    expect(right.seen.filter(fromProber)).toHaveLength(1);
    expect(left.seen.filter(fromProber)).toHaveLength(0);
  }, 90_000);

  test('traffic goes to the faster vendor, moves when it turns slow, and no caller notices when one is killed', async () => {
    answersAfter(left, 50);
    answersAfter(right, 400);
    await untilMostGoTo('left');

    answersAfter(left, 1_500);
    const movedInMs = await untilMostGoTo('right');
    expect(movedInMs).toBeLessThan(longestMs);

    await right.close();
    const answered = await Promise.all(Array.from({ length: 20 }, () => ask()));
    expect(answered).toEqual(answered.map(() => 'left'));
  }, 180_000);
});
