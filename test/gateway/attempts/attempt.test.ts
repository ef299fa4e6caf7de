import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { chatRequest, closeCores, collectingSink, handled, snapshotOf, vendorSecret } from '../../support/core.ts';
import { type RawConnection, type RawVendor, startRawVendor } from '../../support/raw-vendor.ts';
import { chunk, completion, done } from '../../support/scripted-vendor.ts';

const vendors: RawVendor[] = [];

afterEach(async () => {
  closeCores();
  for (const vendor of vendors.splice(0)) await vendor.close();
});

/** A vendor that answers every request with these bytes and keeps the connection open. */
async function vendorThatSends(...pieces: (string | Buffer)[]): Promise<RawVendor> {
  return vendorThat(async ({ socket, request }) => {
    for (;;) {
      await request();
      for (const piece of pieces) socket.write(piece);
    }
  });
}

async function vendorThat(script: (connection: RawConnection) => Promise<void>): Promise<RawVendor> {
  const vendor = await startRawVendor(script);
  vendors.push(vendor);
  return vendor;
}

function head(status: string, headers: Record<string, string | number>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`;
}

function whole(status: string, body: string | Buffer, headers: Record<string, string> = {}): (string | Buffer)[] {
  return [
    head(status, { 'content-type': 'application/json', ...headers, 'content-length': Buffer.byteLength(body) }),
    body,
  ];
}

const eventStream = head('200 OK', { 'content-type': 'text/event-stream', connection: 'close' });
const answerText = JSON.stringify(completion('hello'));
const timeouts = { firstContentMs: 5_000, idleMs: 200, totalMs: 5_000 };

async function ask(vendor: RawVendor, { stream = false, request = {} }: { stream?: boolean; request?: object } = {}) {
  const result = await handled(snapshotOf(vendor.url, { timeouts }), chatRequest({ stream }, request));
  return { ...result, error: result.head?.status === 200 ? undefined : JSON.parse(result.text).error };
}

describe('an attempt', () => {
  test('asks for an answer without compression, with no header of the caller but the meaningful ones', async () => {
    let asked = '';
    const vendor = await vendorThat(async ({ socket, request }) => {
      asked = await request();
      for (const piece of whole('200 OK', answerText)) socket.write(piece);
    });
    const headers = {
      authorization: 'Bearer canary-caller-key',
      cookie: 'canary-cookie',
      'x-forwarded-for': 'canary-address',
      'openai-organization': 'canary-organization',
      'openai-beta': 'assistants=v2',
    };

    await ask(vendor, { request: { headers } });

    const lines = asked
      .split('\r\n\r\n')[0]
      ?.toLowerCase()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(':')[0]);
    expect(lines?.sort()).toEqual([
      'accept-encoding',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'openai-beta',
      'user-agent',
    ]);
    expect(asked).toContain(`authorization: Bearer ${vendorSecret}\r\n`);
    expect(asked).toContain('accept-encoding: identity\r\n');
    expect(asked).not.toContain('canary-c');
  });

  test.each<[string, (string | Buffer)[], RegExp]>([
    ['a redirect', whole('302 Found', '', { location: 'http://127.0.0.1:9/' }), /\(status 302\)/],
    ['no content', [head('204 No Content', {})], /no (chat completion|event stream)/],
    ['an empty body', whole('200 OK', ''), /no (chat completion|event stream)/],
    ['plain text', whole('200 OK', 'hello', { 'content-type': 'text/plain' }), /no (chat completion|event stream)/],
    ['JSON of another kind', whole('200 OK', '{"object":"list"}'), /no (chat completion|event stream)/],
    ['a compressed answer', whole('200 OK', gzipSync(answerText), { 'content-encoding': 'gzip' }), /compressed/],
  ])('calls %s no answer', async (_, pieces, message) => {
    const vendor = await vendorThatSends(...pieces);

    for (const stream of [false, true]) {
      const { head: answered, error } = await ask(vendor, { stream });

      expect(answered?.status).toBe(502);
      expect(error).toMatchObject({ code: 'provider_failed', message: expect.stringMatching(message) });
    }
  });

  test('calls JSON no answer to a streamed request, and Retry-After on it nothing to pass on', async () => {
    const vendor = await vendorThatSends(...whole('200 OK', answerText, { 'retry-after': '7' }));

    const streamed = await ask(vendor, { stream: true });
    const buffered = await ask(vendor);

    expect(streamed).toMatchObject({
      head: { status: 502 },
      error: { message: expect.stringMatching(/no event stream/) },
    });
    expect(buffered.head?.status).toBe(200);
    expect([streamed, buffered].map(({ head: answered }) => answered?.headers['retry-after'])).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('accepts an event stream whatever the case of its content type', async () => {
    const vendor = await vendorThat(async ({ socket, request }) => {
      await request();
      socket.end(
        `${head('200 OK', { 'content-type': 'Text/Event-Stream; charset=UTF-8' })}${chunk({ content: 'a' }, 'stop')}${done}`,
      );
    });

    expect((await ask(vendor, { stream: true })).text).toBe(chunk({ content: 'a' }, 'stop') + done);
  });

  test('reads an error that comes with the content type of a stream', async () => {
    const vendor = await vendorThatSends(
      ...whole('404 Not Found', '[{"error":{"message":"gone"}}]', { 'content-type': 'text/event-stream' }),
    );

    expect((await ask(vendor, { stream: true })).error).toMatchObject({ code: 'model_not_found', message: 'gone' });
  });

  test('leaves a stream at once that answers a buffered request', async () => {
    const vendor = await vendorThatSends(eventStream, chunk({ content: 'a' }));

    const { error } = await ask(vendor);

    expect(error.message).toMatch(/no chat completion/);
    await vendor.connections[0]?.closed;
  });

  test.each([
    ['an event without end', 'x'.repeat(2_000_000)],
    ['events without content', ': ping\n\n'.repeat(200_000)],
    ['an error event', 'data: {"error":{"message":"no"}}\n\n'],
  ])('leaves a vendor that streams %s', async (_, text) => {
    const vendor = await vendorThatSends(eventStream, text);

    const { head: answered } = await ask(vendor, { stream: true });

    expect(answered?.status).toBe(502);
    await Promise.all(vendor.connections.map(({ closed }) => closed));
  });

  test('reads no more of an error than it needs', async () => {
    const vendor = await vendorThatSends(
      head('400 Bad Request', { 'content-length': 100_000_000 }),
      'x'.repeat(200_000),
    );

    expect(await ask(vendor)).toMatchObject({
      head: { status: 400 },
      error: { message: expect.stringMatching(/status 400/) },
    });
    await vendor.connections[0]?.closed;
  });

  test('does not wait for the rest of an error until the deadline', async () => {
    const vendor = await vendorThatSends(head('500 Oops', { 'content-length': 99 }), 'half');
    const started = performance.now();

    const { head: answered } = await ask(vendor);

    expect(answered?.status).toBe(504);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test('keeps the connection for the next request after an error that was read whole', async () => {
    const vendor = await vendorThatSends(...whole('500 Oops', '{"error":{"message":"oops"}}'));

    await ask(vendor);

    // The second attempt on the same target came over the same connection.
    expect(vendor.connections).toHaveLength(1);
  });

  test('ends a stream soon after its end marker, though the vendor keeps the connection open', async () => {
    const vendor = await vendorThatSends(eventStream, chunk({ content: 'a' }, 'stop') + done);
    const started = performance.now();

    const { text, line } = await handled(snapshotOf(vendor.url), chatRequest({ stream: true }));

    expect(text).toBe(chunk({ content: 'a' }, 'stop') + done);
    expect(line).not.toHaveProperty('errorCode');
    expect(performance.now() - started).toBeLessThan(4_000);
    await vendor.connections[0]?.closed;
  });

  test('calls a vendor silent that sends nothing but comments in the middle of its answer', async () => {
    const vendor = await vendorThat(async ({ socket, request }) => {
      await request();
      socket.write(eventStream + chunk({ content: 'a' }));
      const pings = setInterval(() => socket.write(': ping\n\n'), 20);
      socket.once('close', () => clearInterval(pings));
    });

    const { text, line } = await handled(snapshotOf(vendor.url, { timeouts }), chatRequest({ stream: true }));

    expect(text).toContain('No further event within 200 ms');
    expect(line).toMatchObject({ errorCode: 'provider_timeout' });
  });

  test('does not blame a vendor for a caller who reads slowly', async () => {
    const vendor = await vendorThat(async ({ socket, request }) => {
      await request();
      socket.write(eventStream + chunk({ content: 'a' }));
      setTimeout(() => socket.end(chunk({}, 'stop') + done), 100);
    });
    const sink = collectingSink();
    const { write } = sink;
    sink.write = (bytes) => {
      void write(bytes);
      return new Promise((resolve) => setTimeout(resolve, 3 * timeouts.idleMs));
    };

    const { text } = await handled(snapshotOf(vendor.url, { timeouts }), chatRequest({ stream: true }), { sink });

    expect(text).toBe(chunk({ content: 'a' }) + chunk({}, 'stop') + done);
  });

  test('ends the call and says so in the log when the caller leaves before the answer', async () => {
    const caller = new AbortController();
    const vendor = await vendorThat(async ({ request }) => {
      await request();
      caller.abort();
    });

    const { line, head: answered } = await ask(vendor, { request: { signal: caller.signal } });

    expect(answered?.status).toBe(499);
    expect(line).toMatchObject({ errorCode: 'client_closed_request', faultDomain: 'caller' });
    expect(line.attempts).toMatchObject([{ outcome: 'cancelled' }]);
    await vendor.connections[0]?.closed;
  });

  test('ends the call and says so in the log when the caller leaves in the middle of a stream', async () => {
    const caller = new AbortController();
    const vendor = await vendorThat(async ({ socket, request }) => {
      await request();
      socket.write(eventStream + chunk({ content: 'a' }));
    });
    const sink = collectingSink();
    const { write } = sink;
    sink.write = (bytes) => {
      caller.abort();
      return write(bytes);
    };
    const request = chatRequest({ stream: true }, { signal: caller.signal });

    const { line } = await handled(snapshotOf(vendor.url), request, { sink });

    expect(line).toMatchObject({ status: 200, errorCode: 'client_closed_request', faultDomain: 'caller' });
    expect(line.attempts).toMatchObject([{ outcome: 'answered', brokeOff: 'cancelled' }]);
    await vendor.connections[0]?.closed;
  });

  test('asks nobody for a caller who has left already', async () => {
    const vendor = await vendorThatSends(...whole('200 OK', answerText));

    const { line } = await ask(vendor, { request: { signal: AbortSignal.abort() } });

    expect(line.attempts).toMatchObject([{ outcome: 'cancelled' }]);
  });

  test('fails like a bad connection when a header of the caller cannot be sent', async () => {
    const vendor = await vendorThatSends(...whole('200 OK', answerText));

    const { error } = await ask(vendor, { request: { headers: { 'x-api-key': 'key', 'openai-beta': 'snow ☃' } } });

    expect(error.code).toBe('provider_failed');
  });
});
