import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RawItem } from '../config/raw-item.ts';
import { isObject, parseJson } from '../dialects/json-value.ts';

/** A vendor on this machine that speaks OpenAI's chat protocol. `url` is its base URL. */
export type DemoVendor = { url: string; close(): Promise<void> };

const pauseBetweenWordsMs = 20;
const longestEcho = 200;

/**
 * Starts a vendor that needs no key and no network: it answers the same request with the same words every time, says
 * that it is no model, and counts words as tokens.
 */
export async function startDemoVendor(): Promise<DemoVendor> {
  // A caller who leaves in the middle of a request is no reason to end the process.
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What a configuration needs so that the demo vendor answers: by `demo`, by `demo/anything`, and by default. */
export function demoItems(url: string): RawItem[] {
  return [
    { kind: 'provider', name: 'demo', type: 'openai-compatible', baseUrl: url },
    { kind: 'model', name: 'demo', targets: ['demo/demo'] },
    { kind: 'settings', name: 'default', defaultModel: 'demo' },
  ];
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  const body = parseJson(Buffer.concat(pieces).toString('utf8'));
  if (!isObject(body) || !Array.isArray(body['messages'])) {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        error: { message: 'The demo vendor answers chat requests only.', type: 'invalid_request_error' },
      }),
    );
    return;
  }
  const prompt = body['messages'].filter(isObject).map((message) => textOf(message['content']));
  const words = replyTo(prompt.at(-1) ?? '').match(/\S+\s*/g) ?? [];
  const promptTokens = countWords(prompt.join(' '));
  const answer = {
    base: { id: 'chatcmpl-demo', created: 0, model: String(body['model'] ?? 'demo') },
    words,
    usage: { prompt_tokens: promptTokens, completion_tokens: words.length, total_tokens: promptTokens + words.length },
  };
  if (body['stream'] === true)
    await stream(
      answer,
      response,
      isObject(body['stream_options']) && body['stream_options']['include_usage'] === true,
    );
  else sendWhole(answer, response);
}

type Answer = { base: object; words: string[]; usage: object };

function replyTo(prompt: string): string {
  const echo = prompt.length > longestEcho ? `${prompt.slice(0, longestEcho)}…` : prompt;
  return (
    'This is the demo vendor built into Sluice: no language model was asked. ' +
    'Put a vendor key into the environment, or write a configuration, to reach a real one. ' +
    `Your last message was: ${echo}`
  );
}

function sendWhole({ base, words, usage }: Answer, response: ServerResponse): void {
  const message = { role: 'assistant', content: words.join('') };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({
      ...base,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage,
    }),
  );
}

async function stream({ base, words, usage }: Answer, response: ServerResponse, withUsage: boolean): Promise<void> {
  const send = (choices: object[], more: object = {}) =>
    response.write(`data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...more })}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  send([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]);
  for (const content of words) {
    if (response.destroyed) return;
    send([{ index: 0, delta: { content }, finish_reason: null }]);
    await new Promise((resolve) => setTimeout(resolve, pauseBetweenWordsMs));
  }
  send([{ index: 0, delta: {}, finish_reason: 'stop' }]);
  if (withUsage) send([], { usage });
  response.end('data: [DONE]\n\n');
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .filter(isObject)
    .map((part) => (typeof part['text'] === 'string' ? part['text'] : `[${part['type']}]`))
    .join(' ');
}

function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
