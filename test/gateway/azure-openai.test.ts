import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { recordByName } from '../../lambda/config/snapshot.ts';
import { chatRequest, closeCores, handled } from '../support/core.ts';
import { answer, completion, type ScriptedVendor, startScriptedVendor } from '../support/scripted-vendor.ts';
import { aSnapshot } from '../support/snapshots.ts';

let azure: ScriptedVendor;

beforeAll(async () => {
  azure = await startScriptedVendor();
});
beforeEach(() => {
  azure.seen.length = 0;
  azure.always(answer(200, completion('hello')));
});
afterEach(closeCores);
afterAll(() => azure.close());

const deployments = recordByName([
  ['gpt-4o', 'prod-4o'],
  ['claude-opus-4-1', 'prod-opus'],
]);

/** Two resources of Azure, told apart by the paths in front. */
function snapshot(fields: object = {}) {
  const resource = (name: string) => ({
    type: 'azure-openai',
    baseUrl: `${new URL(azure.url).origin}/${name}`,
    deployments,
    ...fields,
  });
  return aSnapshot({
    providers: recordByName([
      ['azure-eu', resource('eu')],
      ['azure-us', resource('us')],
    ]),
  });
}

const seen = () => azure.seen.map(({ path, body }) => [path, body['model']]);

describe('Azure OpenAI', () => {
  test('is called at each resource by the names of its deployments', async () => {
    await handled(snapshot(), chatRequest({ model: 'azure-eu/gpt-4o' }));
    await handled(snapshot(), chatRequest({ model: 'azure-us/gpt-4.1' }));

    expect(seen()).toEqual([
      ['/eu/openai/deployments/prod-4o/chat/completions?api-version=2024-10-21', 'prod-4o'],
      ['/us/openai/deployments/gpt-4.1/chat/completions?api-version=2024-10-21', 'gpt-4.1'],
    ]);
  });

  test('is called without dates in its path in the version v1', async () => {
    await handled(snapshot({ apiVersion: 'v1' }), chatRequest({ model: 'azure-eu/gpt-4o' }));

    expect(seen()).toEqual([['/eu/openai/v1/chat/completions', 'prod-4o']]);
  });

  test('speaks Responses with those who do', async () => {
    const body = Buffer.from('{"model":"azure-eu/gpt-4o","input":"hi","future":1.0}');
    azure.always(answer(200, { id: 'r', object: 'response', status: 'completed', output: [] }));

    await handled(snapshot(), chatRequest({}, { path: '/v1/responses', body }));

    expect(azure.seen.map(({ path, text }) => [path, text])).toEqual([
      ['/eu/openai/v1/responses', '{"model":"prod-4o","input":"hi","future":1.0}'],
    ]);
  });

  test("speaks Anthropic's dialect about Claude, as the model that the deployment is of", async () => {
    azure.always(
      answer(200, {
        id: 'm',
        type: 'message',
        role: 'assistant',
        content: [{ type: 'text', text: 'hi' }],
        stop_reason: 'end_turn',
      }),
    );

    const { text } = await handled(
      snapshot(),
      chatRequest({ model: 'azure-eu/claude-opus-4-1', reasoning_effort: 'low' }),
    );

    expect(JSON.parse(text).choices[0].message.content).toBe('hi');
    expect(seen()).toEqual([['/eu/anthropic/v1/messages', 'prod-opus']]);
    expect(azure.seen[0]?.headers['anthropic-version']).toBe('2023-06-01');
    expect(azure.seen[0]?.body['thinking']).toMatchObject({ type: 'enabled' });
  });
});
