import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Origin } from './provider.ts';

/** A call to a vendor failed before its answer was complete, seen from the connection. */
export class UpstreamError extends Error {
  readonly kind: 'connection' | 'timeout';

  constructor(kind: 'connection' | 'timeout', message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

export type UpstreamCall = {
  origin: Origin;
  path: string;
  headers: Record<string, string>;
  body: Buffer | string;
  connectMs: number;
};

/** A call under way. `abort` ends it at once, before or after the answer has begun; both promises then reject. */
export type UpstreamExchange = { response: Promise<IncomingMessage>; abort(error: UpstreamError): void };

/** Sends requests to vendors over connections that stay open between requests. */
export type Upstream = {
  post(call: UpstreamCall): UpstreamExchange;
  get(call: UpstreamCall): UpstreamExchange;
  send(method: string, call: UpstreamCall): UpstreamExchange;
  close(): void;
};

/** `node:https` with keep-alive agents: `fetch` would load undici, 20 ms and 18 MB that a cold start cannot spare. */
export function createUpstream(): Upstream {
  const agents = {
    plain: new http.Agent({ keepAlive: true, scheduling: 'lifo' }),
    secure: new https.Agent({ keepAlive: true, scheduling: 'lifo' }),
  };
  return {
    post: (call) => startExchange('POST', call, agents),
    get: (call) => startExchange('GET', call, agents),
    send: (method, call) => startExchange(method, call, agents),
    close() {
      agents.plain.destroy();
      agents.secure.destroy();
    },
  };
}

type Agents = { plain: http.Agent; secure: https.Agent };

function startExchange(method: string, call: UpstreamCall, agents: Agents): UpstreamExchange {
  const { secure, hostname, port } = call.origin;
  // As a flat list, which Node writes as it is instead of checking and storing each header.
  const headers = ['host', call.origin.host];
  for (const [name, value] of Object.entries(call.headers)) headers.push(name, value);
  let current: ClientRequest | undefined;
  let answer: IncomingMessage | undefined;
  let aborted: UpstreamError | undefined;

  const response = new Promise<IncomingMessage>((resolve, reject) => {
    const send = (fresh: boolean) => {
      const agent = fresh ? false : secure ? agents.secure : agents.plain;
      const options = { hostname, port, path: call.path, method, headers, agent };
      const request = (secure ? https : http).request(options);
      current = request;
      request.once('response', (incoming) => {
        answer = incoming;
        // Whoever reads it sees its errors; between two reads they must not become uncaught.
        incoming.on('error', () => {});
        resolve(incoming);
      });
      request.on('error', (error) => {
        // The vendor closed an idle connection just as it was reused: nothing was processed, so send once more.
        if (!aborted && !answer && !fresh && request.reusedSocket && isReset(error)) return send(true);
        const known = error instanceof UpstreamError ? error : undefined;
        reject(aborted ?? known ?? new UpstreamError('connection', 'The connection failed', error));
      });
      // A vendor that switches protocols ends the request with neither a response nor an error.
      request.once('close', () => {
        if (answer || request !== current) return;
        reject(new UpstreamError('connection', 'The connection closed without an answer'));
      });
      limitConnecting(request, call.connectMs);
      request.end(call.body);
    };
    send(false);
  });

  return {
    response,
    abort(error) {
      aborted = error;
      (answer ?? current)?.destroy(error);
    },
  };
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function limitConnecting(request: ClientRequest, connectMs: number): void {
  request.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(
      () => request.destroy(new UpstreamError('timeout', `No connection within ${connectMs} ms`)),
      connectMs,
    );
    const connected = 'encrypted' in socket ? 'secureConnect' : 'connect';
    const stop = () => clearTimeout(timer);
    socket.once(connected, stop);
    socket.once('close', stop);
  });
}
