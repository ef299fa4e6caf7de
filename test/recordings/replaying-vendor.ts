import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { objects, parsed } from './json.ts';
import { predictionPointingTo, recordedStreamOf } from './read-predictions.ts';
import type { RecordedCase } from './recorded-case.ts';

export type ReplayingVendor = {
  url: string;
  /** The body of the last request to that path, which is forgotten then. */
  takeRequest(path: string): string | undefined;
  close(): void;
};

/** A server that answers requests below `/N/` with the recorded bytes of case N. */
export async function startReplayingVendor(cases: readonly RecordedCase[]): Promise<ReplayingVendor> {
  const bodies = new Map<string, string>();
  const server = createServer(async (request, response) => {
    const [, number = '', caller = ''] = request.url?.split('/') ?? [];
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    bodies.set(`/${number}/${caller}`, Buffer.concat(pieces).toString('utf8'));
    const recorded = cases[Number(number)];
    if (recorded) await replay(inTurn(recorded, request), request, response);
    else response.destroy();
  });

  /** Replicate is called twice, and its first answer points to the second. */
  function inTurn(recorded: RecordedCase, { method, url }: IncomingMessage): RecordedCase {
    const second = recorded.api.startsWith('predictions') && recordedStreamOf(recorded, cases);
    if (!second || recorded.status >= 400) return recorded;
    if (method === 'GET') return second;
    const { port } = server.address() as AddressInfo;
    const body = predictionPointingTo(`http://127.0.0.1:${port}${url}/stream`, recorded);
    return { ...recorded, status: 201, headers: {}, file: 'response.json', body, chunkSizes: [] };
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    takeRequest(path) {
      const body = bodies.get(path);
      bodies.delete(path);
      return body;
    },
    close: () => server.close().closeAllConnections(),
  };
}

/** What belongs to the recorded connection and not to the answer. */
const ofTheConnection = /^(content-length|content-encoding|transfer-encoding|connection|keep-alive|date)$/i;

async function replay(recorded: RecordedCase, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers = Object.entries(recorded.headers).filter(([name]) => !ofTheConnection.test(name));
  const { bytes, contentType = contentTypeOf(recorded) } = asAsked(recorded, request.url ?? '');
  response.writeHead(recorded.status, {
    ...Object.fromEntries(headers),
    ...(contentType && { 'content-type': contentType }),
  });
  for (const piece of pieces(bytes, recorded.chunkSizes)) {
    response.write(piece);
    await new Promise(setImmediate);
  }
  response.end();
}

/** By the kind of the answer, where the recorder kept no header. */
function contentTypeOf({ headers, file }: RecordedCase): string | undefined {
  if (headers['content-type']) return undefined;
  if (file.endsWith('.sse')) return 'text/event-stream';
  return file.endsWith('.b64') ? 'application/vnd.amazon.eventstream' : 'application/json';
}

/** Gemini's streams were also recorded in the form of one array; the vendor sends the same items as events when asked. */
function asAsked({ body, status, stream, file }: RecordedCase, url: string): { bytes: Buffer; contentType?: string } {
  const items =
    stream && status < 400 && file.endsWith('.json') && url.includes('alt=sse') ? parsed(body.toString()) : undefined;
  if (!Array.isArray(items)) return { bytes: body };
  const events = objects(items).map((item) => `data: ${JSON.stringify(item)}\r\n\r\n`);
  return { bytes: Buffer.from(events.join('')), contentType: 'text/event-stream' };
}

/** As the network cut them, or somewhere within events. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut = sizes.length > 0 ? sizes : Array.from({ length: Math.ceil(bytes.length / 1021) }, () => 1021);
  let at = 0;
  return cut.map((size) => {
    at += size;
    return bytes.subarray(at - size, at);
  });
}
