import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { GatewayRequest, Sink } from '../../lambda/gateway/exchange.ts';
import { nodeHttpServer } from '../../lambda/hosts/node-http.ts';

type Handle = (request: GatewayRequest, sink: Sink) => Promise<void>;

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serving(handle: Handle, longestStallMs?: number): Promise<number> {
  const server = nodeHttpServer({ handle }, longestStallMs);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const echo: Handle = async ({ method, path, body }, sink) => {
  sink.head(200, { 'content-type': 'text/plain' });
  await sink.end(`${method} ${path} ${body.length}`);
};

/** A plain connection, and all that has come over it. */
function dial(port: number): { socket: Socket; received: () => string; until(text: string | RegExp): Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  let text = '';
  socket.on('data', (piece) => {
    text += piece;
  });
  const until = async (wanted: string | RegExp) => {
    while (!(typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text))) await once(socket, 'data');
    return text;
  };
  return { socket, received: () => text, until };
}

function post(path: string, body = ''): string {
  return `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function whenAborted({ signal }: GatewayRequest): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}

describe('nodeHttpServer', () => {
  test('answers many requests on one connection, also when they are sent before the answers', async () => {
    const { socket, until } = dial(await serving(echo));

    socket.write(post('/one', 'a') + post('/two?q=1', 'bc'));
    const text = await until('/two');
    socket.write(post('/three'));

    expect(text.indexOf('POST /one 1')).toBeLessThan(text.indexOf('POST /two 2'));
    await until('POST /three 0');
  });

  test('answers pipelined requests in order even when the second is ready first', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const port = await serving(async (request, sink) => {
      if (request.path === '/slow') await gate;
      await echo(request, sink);
      if (request.path === '/fast') release();
    });
    const { socket, until } = dial(port);

    socket.write(post('/slow') + post('/fast'));

    expect(await until('/fast')).toMatch(/POST \/slow 0[\s\S]*POST \/fast 0/);
  });

  test('answers HEAD with the head alone', async () => {
    const { socket, until, received } = dial(await serving(echo));

    socket.write('HEAD /health HTTP/1.1\r\nhost: x\r\n\r\nGET /next HTTP/1.1\r\nhost: x\r\n\r\n');
    await until('GET /next');

    expect(received()).not.toContain('HEAD /health');
  });

  test('says how long an answer is that comes at once, and sends a stream in chunks', async () => {
    const port = await serving(async (request, sink) => {
      sink.head(200, { 'content-type': 'text/plain' });
      if (request.path === '/stream') await sink.write('wörd ');
      await sink.end('wörd');
    });
    const { socket, until } = dial(port);

    socket.write(post('/whole'));
    const whole = await until('wörd');
    socket.write(post('/stream'));
    const both = await until('0\r\n\r\n');

    expect(whole).toContain('content-length: 5\r\n');
    expect(whole).not.toContain('chunked');
    expect(both.slice(whole.length)).toContain('Transfer-Encoding: chunked\r\n');
    expect(both.slice(whole.length)).not.toContain('content-length');
  });

  test('refuses what is no HTTP and goes on', async () => {
    const port = await serving(echo);
    const broken = dial(port);

    broken.socket.write('HELLO\r\n\r\n');

    await broken.until('400 Bad Request');
    const { socket, until } = dial(port);
    socket.write(post('/next'));
    await until('POST /next');
  });

  test('tells the core when the caller leaves in the middle, and takes what is still written', async () => {
    let outcome = 'none';
    let over = () => {};
    const ended = new Promise<void>((resolve) => {
      over = resolve;
    });
    const port = await serving(async (request, sink) => {
      sink.head(200, {});
      await sink.write('begun');
      await whenAborted(request);
      await sink.write('x'.repeat(10_000_000));
      await sink.write('more');
      await sink.end('end');
      outcome = 'ended';
      over();
    });
    const { socket, until } = dial(port);
    socket.write(post('/'));
    await until('begun');

    socket.destroy();

    await ended;
    expect(outcome).toBe('ended');
  });

  test('does not call a caller gone who has the whole answer', async () => {
    let seen: GatewayRequest | undefined;
    const port = await serving(async (request, sink) => {
      seen = request;
      await echo(request, sink);
    });
    const { socket, until } = dial(port);
    socket.write(post('/done'));
    await until('/done');

    socket.destroy();
    await new Promise<void>((resolve) => servers[0]?.getConnections(() => resolve()));

    expect(seen?.signal.aborted).toBe(false);
  });

  test('never asks the core about a request whose body breaks off', async () => {
    const paths: string[] = [];
    const port = await serving(async (request, sink) => {
      paths.push(request.path);
      await echo(request, sink);
    });
    const half = dial(port);
    half.socket.write('POST /half HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\nhalf');
    await once(half.socket, 'ready');

    half.socket.destroy();

    const { socket, until } = dial(port);
    socket.write(post('/whole'));
    await until('/whole');
    expect(paths).toEqual(['/whole']);
  });

  test('makes a fast vendor wait for a slow caller', async () => {
    let written = 0;
    const port = await serving(async (_, sink) => {
      sink.head(200, {});
      for (; written < 100; written++) await sink.write(Buffer.alloc(1024 * 1024));
      await sink.end();
    });
    const { socket } = dial(port);
    socket.pause();
    socket.write(post('/'));

    let before = -1;
    while (before !== written || written === 0) {
      before = written;
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    const whilePaused = written;
    socket.removeAllListeners('data');
    let bytes = 0;
    socket.on('data', (piece) => {
      bytes += piece.length;
    });
    socket.resume();
    while (bytes < 100 * 1024 * 1024) await once(socket, 'data');

    expect(whilePaused).toBeLessThan(50);
  });

  test('ends one answer, not the process, when the core fails against its promise', async () => {
    const port = await serving(async (request, sink) => {
      if (request.path === '/broken') throw new Error('a mistake');
      await echo(request, sink);
    });
    const broken = dial(port);
    const closed = once(broken.socket, 'close');
    broken.socket.write(post('/broken'));

    await closed;

    const { socket, until } = dial(port);
    socket.write(post('/next'));
    await until('/next');
  });

  test('invites a body that waits to be asked for', async () => {
    const { socket, until } = dial(await serving(echo));

    socket.write('POST /big HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n');
    await until('100 Continue');
    socket.write('abc');

    await until('POST /big 3');
  });

  test('lets a caller hear the refusal of an upload that goes on, but does not read for ever', async () => {
    const port = await serving(async ({ body }, sink) => {
      sink.head(413, {});
      await sink.end(`refused after ${body.length}`);
    });
    const { socket, until } = dial(port);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    let sentMb = 0;
    const feed = () => {
      while (!socket.destroyed && sentMb < 200) {
        sentMb++;
        if (!socket.write(Buffer.alloc(1024 * 1024))) return void socket.once('drain', feed);
      }
    };

    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${200 * 1024 * 1024}\r\n\r\n`);
    feed();

    expect(await until('refused after')).toMatch(/^HTTP\/1\.1 413/);
    await closed;
    expect(sentMb).toBeGreaterThan(30);
    expect(sentMb).toBeLessThan(150);
  });

  test.each(['write', 'end'] as const)('gives up on a caller who neither reads nor leaves, at a %s', async (way) => {
    const port = await serving(async (_, sink) => {
      sink.head(200, {});
      await sink[way](Buffer.alloc(50 * 1024 * 1024));
    }, 200);
    const { socket } = dial(port);
    socket.write(post('/'));
    socket.pause();
    const [accepted] = (await once(servers[0] as Server, 'connection')) as [Socket];

    await once(accepted, 'close');

    expect(accepted.destroyed).toBe(true);
  });
});
