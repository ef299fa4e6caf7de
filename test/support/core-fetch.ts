import type { Snapshot } from '../../lambda/config/snapshot.ts';
import type { Sink } from '../../lambda/gateway/exchange.ts';
import { createGateway } from '../../lambda/gateway/gateway.ts';
import type { GatewayDeps } from '../../lambda/gateway/gateway-deps.ts';
import { coreDeps } from './core.ts';

/** A core without a host: what an official SDK takes for `fetch`. */
export type CoreFetch = { fetch: typeof fetch; lines: string[]; close(): void };

let requests = 0;

/** Starts a core whose answers go straight to an SDK, streams piece by piece. */
export function startCoreFetch(snapshot: Snapshot, fields: Partial<GatewayDeps> = {}): CoreFetch {
  const { deps, lines, close } = coreDeps(snapshot, fields);
  const gateway = createGateway(deps);
  const coreFetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const body = Buffer.from(await request.arrayBuffer());
    const { pathname, search } = new URL(request.url);
    const receivedAtMs = deps.now();
    const { sink, response, broken } = responding(request.method);
    const handling = gateway.handle(
      {
        id: `request-${++requests}`,
        method: request.method,
        path: pathname,
        query: search.slice(1),
        headers: Object.fromEntries(request.headers),
        body,
        receivedAtMs,
        deadlineMs: receivedAtMs + 20_000,
        signal: request.signal,
      },
      sink,
    );
    handling.catch(broken);
    return response;
  };
  return { fetch: coreFetch, lines, close };
}

/** A sink, and the response that it becomes with its head. */
function responding(method: string): { sink: Sink; response: Promise<Response>; broken(error: unknown): void } {
  let answered = (_: Response) => {};
  const response = new Promise<Response>((resolve) => {
    answered = resolve;
  });
  let writer: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      writer = controller;
    },
    cancel() {
      writer = undefined;
    },
  });
  const write = (bytes: Uint8Array | string = '') => {
    const piece = Buffer.from(bytes as string);
    if (piece.length > 0) writer?.enqueue(piece);
    return undefined;
  };
  return {
    response,
    broken: (error) => writer?.error(error),
    sink: {
      head: (status, headers) => answered(new Response(method === 'HEAD' ? null : body, { status, headers })),
      write,
      end(bytes) {
        write(bytes);
        writer?.close();
        return undefined;
      },
    },
  };
}
