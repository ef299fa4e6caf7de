import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Origin } from '../../lambda/providers/provider.ts';

/** One connection as a vendor sees it. */
export type RawConnection = {
  socket: Socket;
  /** Resolves with the text of the next whole request; its body must come with a content-length. */
  request(): Promise<string>;
  closed: Promise<void>;
};

/** A vendor that speaks in bytes: for answers that no HTTP server would send. */
export type RawVendor = {
  origin: Origin;
  url: string;
  connections: RawConnection[];
  close(): Promise<void>;
};

/** Starts a vendor whose every connection is handled by `script`, with the connection's number from 1 on. */
export async function startRawVendor(
  script: (connection: RawConnection, number: number) => void | Promise<void>,
): Promise<RawVendor> {
  const connections: RawConnection[] = [];
  const server = createServer((socket) => {
    const connection = rawConnection(socket);
    void script(connection, connections.push(connection));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: { secure: false, hostname: '127.0.0.1', port, host: `127.0.0.1:${port}` },
    url: `http://127.0.0.1:${port}/v1`,
    connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const { socket } of connections) socket.destroy();
      }),
  };
}

function rawConnection(socket: Socket): RawConnection {
  let text = '';
  const ready: string[] = [];
  const waiting: ((request: string) => void)[] = [];
  socket.on('error', () => {});
  socket.on('data', (piece) => {
    text += piece.toString('latin1');
    for (let end = endOfRequest(text); end > 0; end = endOfRequest(text)) {
      const request = text.slice(0, end);
      text = text.slice(end);
      const next = waiting.shift();
      if (next) next(request);
      else ready.push(request);
    }
  });
  return {
    socket,
    request: () =>
      new Promise((resolve) => {
        const request = ready.shift();
        if (request === undefined) waiting.push(resolve);
        else resolve(request);
      }),
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
  };
}

/** The index behind the first request, or 0 while it is not whole. */
function endOfRequest(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const end = head + 4 + Number(/^content-length: (\d+)/im.exec(text.slice(0, head))?.[1] ?? 0);
  return text.length >= end ? end : 0;
}
