import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LocalStack } from '../../local/stack.ts';
import { startStackGateway } from '../support/local-stack-gateway.ts';
import { type ScriptedVendor, type SeenRequest, startScriptedVendor } from '../support/scripted-vendor.ts';
import { ask, sdkClient } from '../support/sdk-caller.ts';
import type { RunningGateway } from '../support/serve-process.ts';
import { saying } from '../support/two-vendors.ts';

const longestMs = 60_000;

let vendors: ScriptedVendor[];
let gateway: RunningGateway & { stack: LocalStack };

beforeAll(async () => {
  vendors = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
  for (const vendor of vendors) vendor.always(saying('Hello'));
  const [left, right] = vendors.map(({ url }) => ({ type: 'openai-compatible', baseUrl: url }));
  gateway = await startStackGateway({
    apiKey: 'sk-of-a-caller',
    config: {
      providers: { left, right },
      models: { chosen: { strategy: 'priority', targets: ['left/first', 'right/second'] } },
    },
  });
}, 60_000);

afterAll(async () => {
  await gateway?.close();
  await Promise.all((vendors ?? []).map((vendor) => vendor.close()));
});

test('a target of which nothing is known is probed once its model is in demand', async () => {
  const client = sdkClient(gateway);
  const fromProber = ({ body }: SeenRequest) => body['max_tokens'] === 16;
  const probes = () => vendors.map(({ seen }) => seen.filter(fromProber).length);
  for (let request = 0; request < 3; request++)
    expect(await ask(client, { model: 'chosen', stream: true })).toMatchObject({ text: 'Hello', provider: 'left' });

  const startedMs = Date.now();
  while (probes()[1] === 0 && Date.now() - startedMs < longestMs) await gateway.stack.runSchedules();

  expect(probes()).toEqual([0, 1]);
}, 90_000);
