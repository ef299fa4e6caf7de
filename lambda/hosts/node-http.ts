import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { GatewayRequest, Sink } from '../gateway/exchange.ts';
import { type Gateway, largestBodyBytes } from '../gateway/gateway.ts';
import { readBody } from '../providers/read-body.ts';
import { corsMaxAgeSeconds, corsRequestHeaders } from './cors.ts';
import { drained } from './drained.ts';

/** The longest that any host allows, as Lambda does. */
const longestRequestMs = 900_000;

/** What a function URL adds by itself. */
const corsAnswerHeaders = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' };
const corsPreflightHeaders = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers': corsRequestHeaders.join(', '),
  'access-control-max-age': String(corsMaxAgeSeconds),
};

/**
 * A plain HTTP server around the gateway; it serves many requests at once and sees callers leave. A caller who reads
 * nothing for `longestStallMs` counts as gone.
 */
export function nodeHttpServer(gateway: Gateway, longestStallMs = longestRequestMs): Server {
  const server = createServer((request, response) => {
    if (request.method === 'OPTIONS') response.writeHead(204, corsPreflightHeaders).end();
    // A mistake of ours ends this answer, never the process.
    else void serve(gateway, request, responseSink(response, longestStallMs), response).catch(() => response.destroy());
  });
  // Longer than the idle time of common load balancers, or they reuse a connection that was just closed.
  server.keepAliveTimeout = 65_000;
  return server;
}

async function serve(gateway: Gateway, request: IncomingMessage, sink: Sink, response: ServerResponse): Promise<void> {
  const receivedAtMs = Date.now();
  const caller = new AbortController();
  response.on('close', () => {
    if (!response.writableEnded) caller.abort();
  });
  const body = await wholeOrTooLarge(request).catch(() => undefined);
  if (!body) return;
  await gateway.handle(gatewayRequest(request, body, receivedAtMs, caller.signal), sink);
}

function gatewayRequest(
  request: IncomingMessage,
  body: Buffer,
  receivedAtMs: number,
  signal: AbortSignal,
): GatewayRequest {
  const { url = '/', method = 'GET', headers } = request;
  const query = url.indexOf('?');
  return {
    id: randomUUID(),
    method,
    path: query < 0 ? url : url.slice(0, query),
    query: query < 0 ? '' : url.slice(query + 1),
    headers: headers as GatewayRequest['headers'],
    body,
    receivedAtMs,
    deadlineMs: receivedAtMs + longestRequestMs,
    signal,
  };
}

/** The body; of one that is too large just enough to be recognised as such, the rest is dropped. */
async function wholeOrTooLarge(request: IncomingMessage): Promise<Buffer> {
  const { body, full } = await readBody(request, largestBodyBytes);
  if (!full) dropRest(request);
  return body;
}

/** Reads on, so that a caller who is still sending can hear the answer, but not for ever. */
function dropRest(request: IncomingMessage): void {
  let bytes = 0;
  request.on('error', () => {});
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > 10 * largestBodyBytes) request.destroy();
  });
  request.resume();
}

/** The head waits for what follows: an answer that is whole by then has its length in it, and is one piece. */
function responseSink(response: ServerResponse, longestStallMs: number): Sink {
  let head: { status: number; headers: Record<string, string> } | undefined;
  const sendHead = (more?: Record<string, string>) => {
    if (head) response.writeHead(head.status, { ...head.headers, ...corsAnswerHeaders, ...more });
    head = undefined;
  };
  return {
    head: (status, headers) => {
      head = { status, headers };
    },
    write: (bytes) => {
      sendHead();
      if (response.write(bytes)) return undefined;
      response.socket?.setTimeout(longestStallMs);
      return drained(response);
    },
    end: (bytes) => {
      sendHead(bytes === undefined ? undefined : { 'content-length': String(Buffer.byteLength(bytes)) });
      response.end(bytes);
      if (response.writableLength > 0) response.socket?.setTimeout(longestStallMs);
      return undefined;
    },
  };
}
