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

/** Asks once, as an application would, and says who answered. */
async function ask(model = 'fast'): Promise<string> {
  const { data, response } = await client.chat.completions
    .create({ model, stream: true, messages: [{ role: 'user', content: 'Hi' }] })
    .withResponse();
  let text = '';
  for await (const { choices } of data) text += choices[0]?.delta.content ?? '';
  expect(text).toBe('Hello');
  return response.headers.get('x-sluice-provider') ?? '';
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
});
