import OpenAI from 'openai';
import { type Ask, type Caller, listening, prompt, thrown, toolSchema } from './caller.ts';
import { type Json, object } from './json.ts';
import { readChunks, readCompletion } from './read-chat.ts';
import type { Frame } from './read-frames.ts';
import { readResponse, readResponseEvents } from './read-responses.ts';
import type { Reading } from './reading.ts';

function clientOf(ask: Ask): OpenAI {
  const options = { maxRetries: 0, timeout: 20_000, fetch: listening(ask) };
  return new OpenAI({ apiKey: 'key', baseURL: `${ask.url}/v1`, ...options });
}

async function reading(read: () => Promise<Reading>): Promise<Reading> {
  try {
    return await read();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { choices: [], error: thrown(error, OpenAI.APIError, message) };
  }
}

/** The `openai` package on chat completions. */
export const chatCaller: Caller = {
  dialect: 'openai-chat',
  call: (ask) =>
    reading(async () => {
      const create = clientOf(ask).chat.completions;
      const params = { ...(ask.body ?? chatBody(ask)), model: ask.model } as OpenAI.ChatCompletionCreateParams;
      if (!ask.stream) return readCompletion(object(await create.create({ ...params, stream: false })));
      const usage = { stream_options: { include_usage: true } };
      return readChunks(await frames(await create.create({ ...params, ...usage, stream: true })));
    }),
};

function chatBody({ tools, choices }: Ask): Json {
  return {
    messages: [{ role: 'user', content: prompt }],
    ...(choices > 1 ? { n: choices } : {}),
    ...(tools.length > 0
      ? { tools: tools.map((name) => ({ type: 'function', function: { name, parameters: toolSchema } })) }
      : {}),
  };
}

async function frames(stream: AsyncIterable<object>): Promise<Frame[]> {
  const read: Frame[] = [];
  for await (const data of stream) read.push({ event: '', data: object(data) });
  return read;
}

/** The `openai` package on Responses. */
export const responsesCaller: Caller = {
  dialect: 'openai-responses',
  call: (ask) =>
    reading(async () => {
      const { responses } = clientOf(ask);
      const params = { ...(ask.body ?? responsesBody(ask)), model: ask.model } as OpenAI.Responses.ResponseCreateParams;
      if (!ask.stream) return readResponse(object(await responses.create({ ...params, stream: false })));
      if (ask.unchanged) return readResponseEvents(await frames(await responses.create({ ...params, stream: true })));
      const { stream: _, ...streamed } = params;
      return readResponse(object(await responses.stream(streamed).finalResponse()));
    }),
};

function responsesBody({ tools }: Ask): Json {
  return {
    input: prompt,
    store: false,
    include: ['reasoning.encrypted_content'],
    ...(tools.length > 0
      ? { tools: tools.map((name) => ({ type: 'function', name, parameters: toolSchema, strict: false })) }
      : {}),
  };
}
