import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DemoVendor, demoItems, startDemoVendor } from '../../lambda/providers/demo-vendor.ts';

let vendor: DemoVendor;

beforeAll(async () => {
  vendor = await startDemoVendor();
});
afterAll(() => vendor.close());

function ask(body: unknown, url = vendor.url): Promise<Response> {
  return fetch(`${url}/chat/completions`, { method: 'POST', body: JSON.stringify(body) });
}

describe('startDemoVendor', () => {
  test('gives the same request the same answer, says that it is a demo, and counts words', async () => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'two words' }] };

    const [first, second] = await Promise.all([ask(body), ask(body)].map(async (answer) => (await answer).text()));

    expect(second).toBe(first);
    const { choices, usage, model } = JSON.parse(first ?? '');
    expect(choices[0].message.content).toMatch(/demo vendor.*no language model.*two words$/);
    expect(usage).toMatchObject({ prompt_tokens: 2, total_tokens: 2 + usage.completion_tokens });
    expect(model).toBe('m');
  });

  test('streams the same words, and usage to those who ask for it', async () => {
    const body = { messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }, { type: 'image_url' }] }] };
    const whole = (await (await ask(body)).json()) as { choices: { message: { content: string } }[] };

    const text = await (await ask({ ...body, stream: true, stream_options: { include_usage: true } })).text();

    const chunks = text.split('\n\n').filter((line) => line.startsWith('data: {'));
    const parsed = chunks.map((line) => JSON.parse(line.slice('data: '.length)));
    expect(parsed.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(
      whole.choices[0]?.message.content,
    );
    expect(parsed.at(-1).usage.completion_tokens).toBeGreaterThan(0);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test.each([null, [], {}, { messages: 'x' }])('refuses %j', async (body) => {
    expect((await ask(body)).status).toBe(400);
  });

  test('is a provider, a model and the default in a configuration', () => {
    expect(demoItems('http://x/v1').map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      'provider/demo',
      'model/demo',
      'settings/default',
    ]);
  });

  test('survives callers who leave in the middle of a request', async () => {
    // In a process of its own: what is not caught there ends it.
    const module = new URL('../../lambda/providers/demo-vendor.ts', import.meta.url);
    const script = `const { startDemoVendor } = await import(${JSON.stringify(module)}); console.log((await startDemoVendor()).url);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{');
    await new Promise((resolve) => socket.write('"', resolve));
    const closed = once(socket, 'close');

    socket.destroy();

    await closed;
    const answers = [];
    for (let round = 0; round < 5; round++) answers.push((await ask({ messages: [] }, url)).status);
    expect(answers).toEqual([200, 200, 200, 200, 200]);
    child.kill();
  });
});
