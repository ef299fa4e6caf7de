import Anthropic from '@anthropic-ai/sdk';
import { type Ask, type Caller, listening, prompt, thrown, toolSchema } from './caller.ts';
import { type Json, object, text } from './json.ts';
import type { Frame } from './read-frames.ts';
import { readMessage, readMessageEvents } from './read-messages.ts';
import type { Reading } from './reading.ts';

/** The `@anthropic-ai/sdk` package. */
export const anthropicCaller: Caller = {
  dialect: 'anthropic-messages',
  async call(ask) {
    try {
      return await read(ask);
    } catch (error) {
      const body = object(object((error as { error?: unknown }).error)['error']);
      const message = text(body['message']) || String(error);
      return { choices: [], error: thrown(error, Anthropic.APIError, message) };
    }
  },
};

async function read(ask: Ask): Promise<Reading> {
  const options = { maxRetries: 0, timeout: 20_000, fetch: listening(ask) };
  const { messages } = new Anthropic({ apiKey: 'key', baseURL: ask.url, ...options });
  const params = { ...(ask.body ?? messagesBody(ask)), model: ask.model } as Anthropic.MessageCreateParams;
  if (!ask.stream) return readMessage(object(await messages.create({ ...params, stream: false })));
  if (!ask.unchanged) return readMessage(object(await messages.stream(params).finalMessage()));
  const frames: Frame[] = [];
  for await (const data of await messages.create({ ...params, stream: true }))
    frames.push({ event: '', data: object(data) });
  return readMessageEvents(frames);
}

function messagesBody({ tools }: Ask): Json {
  return {
    max_tokens: 1000,
    messages: [{ role: 'user', content: prompt }],
    ...(tools.length > 0 ? { tools: tools.map((name) => ({ name, input_schema: toolSchema })) } : {}),
  };
}
