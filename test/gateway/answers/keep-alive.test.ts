import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { anthropicMessagesClient } from '../../../lambda/dialects/anthropic-messages/anthropic-messages.ts';
import { openAiChatClient } from '../../../lambda/dialects/openai-chat/openai-chat.ts';
import { openAiResponsesClient } from '../../../lambda/dialects/openai-responses/openai-responses.ts';
import { keepAliveSink } from '../../../lambda/gateway/answers/keep-alive.ts';
import { collectingSink } from '../../support/core.ts';
import { chunk, done, event } from '../../support/scripted-vendor.ts';

const everyMs = 15;
const passed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Resolves when the sink has been written to so often. */
function wrote(sink: ReturnType<typeof collectingSink>, text: string, times: number): Promise<void> {
  return new Promise((resolve) => {
    const look = () => (sink.text().split(text).length > times ? resolve() : setTimeout(look, 1));
    look();
  });
}

describe('a stream that is silent in the middle', () => {
  test('brings a comment again and again, until it goes on or ends', async () => {
    const inner = collectingSink();
    const sink = keepAliveSink(inner, ': hi\n\n', everyMs);

    void sink.write('a');
    await wrote(inner, ': hi', 2);
    void sink.write('b');
    sink.stop();
    const text = inner.text();
    await passed(3 * everyMs);

    expect(text).toMatch(/^a(: hi\n\n){2,}b$/);
    expect(inner.text()).toBe(text);
  });

  test('brings nothing before its first event: until then it has no status', async () => {
    const inner = collectingSink();
    const sink = keepAliveSink(inner, ': hi\n\n', everyMs);
    await passed(3 * everyMs);
    sink.stop();

    expect(inner.text()).toBe('');
  });

  test('brings nothing to a caller who has not read what came before', async () => {
    const inner = collectingSink();
    let readOn = () => {};
    const slow = { ...inner };
    slow.write = (bytes) => {
      void inner.write(bytes);
      return new Promise((resolve) => {
        readOn = resolve;
      });
    };
    const sink = keepAliveSink(slow, ': hi\n\n', everyMs);

    const reading = sink.write('a');
    await passed(3 * everyMs);
    expect(inner.text()).toBe('a');
    readOn();
    await reading;
    await wrote(inner, ': hi', 1);
    sink.stop();
  });
});

describe('what keeps a connection open is passed over by the SDK', () => {
  const fetching = (...events: string[]) => ({
    apiKey: 'key',
    fetch: async () => new Response(events.join(''), { headers: { 'content-type': 'text/event-stream' } }),
  });

  test('of OpenAI, in chat completions', async () => {
    const { keepAlive = '' } = openAiChatClient;
    const client = new OpenAI(
      fetching(
        keepAlive,
        chunk({ content: 'a' }),
        keepAlive,
        keepAlive,
        chunk({ content: 'b' }, 'stop'),
        keepAlive,
        done,
      ),
    );
    const stream = await client.chat.completions.create({ model: 'm', messages: [], stream: true });
    let text = '';
    for await (const part of stream) text += part.choices[0]?.delta.content ?? '';

    expect([keepAlive, text]).toEqual([': keep-alive\n\n', 'ab']);
  });

  test('of OpenAI, in Responses', async () => {
    const { keepAlive = '' } = openAiResponsesClient;
    const delta = (text: string) => event({ type: 'response.output_text.delta', delta: text });
    const client = new OpenAI(fetching(delta('a'), keepAlive, delta('b')));
    const types: string[] = [];
    for await (const one of await client.responses.create({ model: 'm', input: 'hi', stream: true }))
      types.push(one.type);

    expect([keepAlive, types.length]).toEqual([': keep-alive\n\n', 2]);
  });

  test('of Anthropic', async () => {
    const { keepAlive = '' } = anthropicMessagesClient;
    const delta = (text: string) =>
      `event: content_block_delta\n${event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })}`;
    const client = new Anthropic(fetching(delta('a'), keepAlive, delta('b')));
    const stream = await client.messages.create({ model: 'm', max_tokens: 1, messages: [], stream: true });
    const types: string[] = [];
    for await (const one of stream) types.push(one.type);

    expect(keepAlive).toContain('event: ping');
    expect(types).toEqual(['content_block_delta', 'content_block_delta']);
  });
});
