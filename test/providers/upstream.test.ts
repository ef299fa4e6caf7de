import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Origin } from '../../lambda/providers/provider.ts';
import { readBody } from '../../lambda/providers/read-body.ts';
import { createUpstream, type Upstream, UpstreamError } from '../../lambda/providers/upstream.ts';
import { type RawConnection, type RawVendor, startRawVendor } from '../support/raw-vendor.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function vendorThat(script: (connection: RawConnection, number: number) => void | Promise<void>) {
  const vendor = await startRawVendor(script);
  closing.push(vendor.close);
  return vendor;
}

function anUpstream(): Upstream {
  const upstream = createUpstream();
  closing.push(upstream.close);
  return upstream;
}

function callOf({ origin }: { origin: Origin }, body = '{}', connectMs = 2_000) {
  return { origin, path: '/v1/x', headers: { 'content-length': String(Buffer.byteLength(body)) }, body, connectMs };
}

function ok(text: string): string {
  return `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
}

async function textOf(response: IncomingMessage): Promise<string> {
  return (await readBody(response, 1_000_000)).body.toString();
}

/** Until the agent has taken back what it lent, some turns of the loop. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function post(upstream: Upstream, vendor: RawVendor, body?: string): Promise<string> {
  const text = await textOf(await upstream.post(callOf(vendor, body)).response);
  await turns();
  return text;
}

describe('createUpstream', () => {
  test('sends one request after the other over the same connection', async () => {
    const vendor = await vendorThat(async ({ socket, request }) => {
      for (const text of ['one', 'two']) {
        await request();
        socket.write(ok(text));
      }
    });
    const upstream = anUpstream();

    const texts = [await post(upstream, vendor), await post(upstream, vendor)];

    expect(texts).toEqual(['one', 'two']);
    expect(vendor.connections).toHaveLength(1);
  });

  test('keeps the connection of a stream that was read to its end, even when it is aborted afterwards', async () => {
    const vendor = await vendorThat(async ({ socket, request }) => {
      for (;;) {
        await request();
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n');
        socket.write('0\r\n\r\n');
      }
    });
    const upstream = anUpstream();

    for (let round = 0; round < 3; round++) {
      const exchange = upstream.post(callOf(vendor));
      const pieces: string[] = [];
      for await (const piece of await exchange.response) pieces.push(String(piece));
      exchange.abort(new UpstreamError('connection', 'over'));
      await turns();
      expect(pieces.join('')).toBe('abc');
    }

    expect(vendor.connections).toHaveLength(1);
  });

  test('sends once more, on a fresh connection, when an idle one is closed at the moment of its reuse', async () => {
    const bodies: string[] = [];
    const vendor = await vendorThat(async ({ socket, request }, number) => {
      await request();
      socket.write(ok(`from ${number}`));
      bodies.push((await request()).split('\r\n\r\n')[1] ?? '');
      if (number === 1) socket.resetAndDestroy();
    });
    const upstream = anUpstream();
    await post(upstream, vendor);

    const text = await post(upstream, vendor, '{"again":1}');

    expect(text).toBe('from 2');
    expect(bodies).toEqual(['{"again":1}']);
    expect(vendor.connections).toHaveLength(2);
  });

  test('sends a large body once more when the reused connection breaks while it is written', async () => {
    const vendor = await vendorThat(async ({ socket, request }, number) => {
      await request();
      socket.write(ok(`from ${number}`));
      if (number === 1) socket.once('data', () => socket.resetAndDestroy());
    });
    const upstream = anUpstream();
    await post(upstream, vendor);

    const text = await post(upstream, vendor, 'x'.repeat(5_000_000));

    expect(text).toBe('from 2');
  });

  test('does not send again when a fresh connection is closed', async () => {
    const vendor = await vendorThat(async ({ socket, request }) => {
      await request();
      socket.resetAndDestroy();
    });

    const answer = anUpstream().post(callOf(vendor)).response;

    await expect(answer).rejects.toMatchObject({ kind: 'connection' });
    expect(vendor.connections).toHaveLength(1);
  });

  test('does not send again when a reused connection breaks after the answer has begun', async () => {
    const vendor = await vendorThat(async ({ socket, request }) => {
      await request();
      socket.write(ok('one'));
      await request();
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf', () => socket.resetAndDestroy());
    });
    const upstream = anUpstream();
    await post(upstream, vendor);

    await expect(post(upstream, vendor)).rejects.toMatchObject({ code: 'ECONNRESET' });

    expect(vendor.connections).toHaveLength(1);
  });

  test('fails when nobody listens', async () => {
    const vendor = await startRawVendor(() => {});
    await vendor.close();

    const answer = anUpstream().post(callOf(vendor)).response;

    await expect(answer).rejects.toMatchObject({ kind: 'connection', cause: { code: 'ECONNREFUSED' } });
  });

  test('gives up on a connection that is not made in time', async () => {
    // TEST-NET-1 (RFC 5737): nobody is there, and routers drop or refuse it.
    const origin = { secure: false, hostname: '192.0.2.1', port: 81, host: '192.0.2.1:81' };

    const answer = anUpstream().post(callOf({ origin }, '{}', 50)).response;

    await expect(answer).rejects.toBeInstanceOf(UpstreamError);
  });

  test('gives up on a TLS handshake that does not end in time', async () => {
    const vendor = await vendorThat(() => {});

    const answer = anUpstream().post(callOf({ origin: { ...vendor.origin, secure: true } }, '{}', 50)).response;

    await expect(answer).rejects.toMatchObject({ kind: 'timeout', message: 'No connection within 50 ms' });
    await vendor.connections[0]?.closed;
  });

  test('ends the connection when it is aborted before the head', async () => {
    let asked = () => {};
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const vendor = await vendorThat(({ request }) => void request().then(asked));
    const exchange = anUpstream().post(callOf(vendor));
    const failed = expect(exchange.response).rejects.toMatchObject({ message: 'enough' });
    await wasAsked;

    exchange.abort(new UpstreamError('timeout', 'enough'));
    exchange.abort(new UpstreamError('timeout', 'enough'));

    await failed;
    await vendor.connections[0]?.closed;
  });

  test('fails when it is aborted before there is a connection', async () => {
    const vendor = await vendorThat(() => {});
    const exchange = anUpstream().post(callOf(vendor));

    exchange.abort(new UpstreamError('timeout', 'enough'));

    await expect(exchange.response).rejects.toMatchObject({ kind: 'timeout', message: 'enough' });
  });

  test('ends the connection when it is aborted in the middle of the answer, and tells the reader why', async () => {
    const vendor = await vendorThat(async ({ socket, request }) => {
      await request();
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf');
    });
    const exchange = anUpstream().post(callOf(vendor));
    const pieces = (await exchange.response)[Symbol.asyncIterator]();
    await pieces.next();

    exchange.abort(new UpstreamError('timeout', 'enough'));

    await expect(pieces.next()).rejects.toMatchObject({ kind: 'timeout', message: 'enough' });
    await vendor.connections[0]?.closed;
  });

  test('reports a header that cannot be sent, and can be aborted all the same', async () => {
    const vendor = await vendorThat(() => {});
    const exchange = anUpstream().post({ ...callOf(vendor), headers: { authorization: 'Bearer “quoted”' } });

    exchange.abort(new UpstreamError('connection', 'The caller has gone'));

    await expect(exchange.response).rejects.toMatchObject({ code: 'ERR_INVALID_CHAR' });
  });

  test.each([
    ['switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
    ['does not speak HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['closes without a word', ''],
    ['sends endless headers', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`],
  ])(
    'fails when the vendor %s',
    async (_, text) => {
      const vendor = await vendorThat(async ({ socket, request }) => {
        await request();
        socket.end(text);
      });

      const answer = anUpstream().post(callOf(vendor)).response;

      await expect(answer).rejects.toMatchObject({ kind: 'connection' });
    },
    5_000,
  );

  test('passes over informational answers', async () => {
    const vendor = await vendorThat(async ({ socket, request }) => {
      await request();
      socket.write(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${ok('done')}`);
    });

    expect(await post(anUpstream(), vendor)).toBe('done');
  });
});
