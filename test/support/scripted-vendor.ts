import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a vendor saw of one request. */
export type SeenRequest = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** As it came; `text` is the same read as UTF-8. */
  bytes: Buffer;
  text: string;
  body: Record<string, unknown>;
};

/** How a vendor answers: it may write what it likes, when it likes. */
export type Script = (request: SeenRequest, response: ServerResponse) => void | Promise<void>;

/** A vendor on loopback that follows a script. Scripts queued by `next` are used once each, then `always` takes over. */
export type ScriptedVendor = {
  /** Base URL, `/v1` included. */
  url: string;
  seen: SeenRequest[];
  next(...scripts: Script[]): void;
  always(script: Script): void;
  /** Resolves with the request when the vendor has seen `count` of them. */
  sawRequests(count: number): Promise<void>;
  close(): Promise<void>;
};

export async function startScriptedVendor(): Promise<ScriptedVendor> {
  const seen: SeenRequest[] = [];
  const waiting: { count: number; resolve(): void }[] = [];
  let queue: Script[] = [];
  let fallback: Script = answer(500, { error: { message: 'No script' } });
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    const text = bytes.toString('utf8');
    const { method = '', url = '', headers } = request;
    const saw = { method, path: url, headers, bytes, text, body: text.startsWith('{') ? JSON.parse(text) : {} };
    seen.push(saw);
    for (const waiter of waiting) if (seen.length >= waiter.count) waiter.resolve();
    await (queue.shift() ?? fallback)(saw, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    next: (...scripts) => {
      queue = [...queue, ...scripts];
    },
    always: (script) => {
      fallback = script;
      queue = [];
    },
    sawRequests: (count) =>
      new Promise((resolve) => (seen.length >= count ? resolve() : waiting.push({ count, resolve }))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A complete JSON (or text) answer. */
export function answer(status: number, body: object | string, headers: Record<string, string> = {}): Script {
  return (_, response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  };
}

/** An event stream sent piece by piece; a function in the list is awaited in its place. */
export function stream(...pieces: (string | Buffer | ((response: ServerResponse) => void | Promise<void>))[]): Script {
  return async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of pieces) {
      if (typeof piece === 'function') await piece(response);
      else await new Promise((resolve) => response.write(piece, resolve));
    }
    if (!response.destroyed) response.end();
  };
}

/** A buffered completion as OpenAI sends it. */
export function completion(content: string, more: object = {}): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'model-1-dated',
    choices: [
      { index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7, prompt_tokens_details: { cached_tokens: 3 } },
    ...more,
  };
}

const chunkBase = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'model-1-dated' };

/** One event of a stream as OpenAI sends it. */
export function chunk(delta: object, finishReason: string | null = null, more: object = {}): string {
  return event({ ...chunkBase, choices: [{ index: 0, delta, finish_reason: finishReason }], ...more });
}

export function usageChunk(usage: object = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }): string {
  return event({ ...chunkBase, choices: [], usage });
}

export function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

export const role = chunk({ role: 'assistant', content: '' });
export const done = 'data: [DONE]\n\n';

/** Never answers; the test ends the connection by closing the vendor. */
export const silence: Script = () => {};
