import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EventTooLargeError } from '../../../lambda/dialects/sse-events.ts';
import { openStream } from '../../../lambda/gateway/answers/open-stream.ts';
import { type RelayedStream, relayStream } from '../../../lambda/gateway/answers/relay-stream.ts';
import type { Sink } from '../../../lambda/gateway/exchange.ts';
import { chunk, done, event, role, usageChunk } from '../../support/scripted-vendor.ts';

type Piece = string | Buffer | Error;

/** An answer that brings these pieces, one at a time; an error among them ends it as a broken connection does. */
async function* piecesOf(pieces: Piece[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    if (piece instanceof Error) throw piece;
    yield Buffer.from(piece as string);
  }
}

async function opened(...pieces: Piece[]) {
  return openStream(piecesOf(pieces) as unknown as IncomingMessage);
}

async function streamOf(...pieces: Piece[]) {
  const result = await opened(...pieces);
  if ('failure' in result) throw new Error(`The stream did not open: ${result.failure.detail}`);
  return result.stream;
}

const idle = { expect: () => {}, progress: () => {}, pause: () => {} };

async function relayed(
  pieces: Piece[],
  keepUsageEvent = false,
): Promise<RelayedStream & { text: string; writes: string[] }> {
  const writes: string[] = [];
  const sink: Sink = {
    head: () => {},
    write: (bytes) => void writes.push(Buffer.from(bytes as string).toString('utf8')),
    end: () => undefined,
  };
  const result = await relayStream(await streamOf(...pieces), sink, {
    keepUsageEvent,
    severalChoices: false,
    guard: idle,
  });
  return { ...result, text: writes.join(''), writes };
}

const hello = chunk({ content: 'héllo ☃' });
const stop = chunk({}, 'stop');
const broken = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });

describe('openStream', () => {
  test('waits for the first content and hands over everything from the first byte on', async () => {
    const stream = await streamOf(': ping\n\n', role, ': ping\n\n', hello.slice(0, 9), hello.slice(9) + stop);

    expect(stream.first.bytes.toString()).toBe(`: ping\n\n${role}: ping\n\n${hello}${stop}`);
    expect(stream.first.ends.at(-1)).toBe(stream.first.bytes.length);
  });

  test.each<[string, Piece[], object]>([
    ['an error event first', [event({ error: { message: 'busy', code: 429 } })], { kind: 'rate_limited' }],
    [
      'an error after a role',
      [role, event({ error: { message: 'melted' } })],
      { kind: 'server_error', error: { message: 'melted' } },
    ],
    ['nothing', [], { kind: 'bad_response' }],
    ['pings and a role', [': ping\n\n', role], { kind: 'bad_response' }],
    ['the end marker at once', [role, done, hello], { kind: 'bad_response' }],
    ['usage alone', [usageChunk(), done], { kind: 'bad_response' }],
    ['half of the first event', [hello.slice(0, 40)], { kind: 'bad_response' }],
    ['HTML', ['<html>\n\n<body>\n\n'], { kind: 'bad_response' }],
    [
      '1 MiB without content',
      [`: ${'x'.repeat(600_000)}\n\n`, `: ${'x'.repeat(600_000)}\n\n`, hello],
      { kind: 'bad_response' },
    ],
  ])('fails on %s', async (_, pieces, failure) => {
    expect(await opened(...pieces)).toMatchObject({ failure });
  });

  test('takes the last event of a connection for whole although its blank line is missing', async () => {
    const stream = await streamOf(role, hello.trimEnd());

    expect(stream.first.bytes.toString()).toBe(role + hello);
  });

  test('throws what the connection throws, and refuses an event of more than 1 MiB', async () => {
    await expect(opened(role, broken)).rejects.toBe(broken);
    await expect(opened('x'.repeat(1024 * 1024 + 1))).rejects.toBeInstanceOf(EventTooLargeError);
  });
});

describe('relayStream', () => {
  test('passes every byte on and reads how the answer ended', async () => {
    const text = `: note\n\n${role}${hello}data: {"choices":[{"index":0,"delta":{"content":"x"}}], "odd" : 1.0}\r\n\r\n${stop}${done}`;

    const result = await relayed([text]);

    expect(result).toMatchObject({ text, finishReason: 'stop', responseModel: 'model-1-dated', failure: undefined });
  });

  test('gives the same bytes wherever the network cuts them', async () => {
    const bytes = Buffer.from(`${role}: ping\r\n\r\n${hello}${chunk({ content: 'b' })}${stop}${usageChunk()}${done}`);
    const wanted = bytes.toString().replace(usageChunk(), '');
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 });

    await fc.assert(
      fc.asyncProperty(cuts, async (unsorted) => {
        const places = [0, ...unsorted.sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));

        const result = await relayed(pieces);

        expect(result.text).toBe(wanted);
        expect(result.usage).toMatchObject({ inputTokens: 5, outputTokens: 2 });
      }),
    );
  });

  test('passes on the event that only reports usage to those who want it', async () => {
    expect((await relayed([role, hello, stop, usageChunk(), done], true)).text).toBe(
      role + hello + stop + usageChunk() + done,
    );
  });

  test('never withholds a choice: usage beside a finish passes', async () => {
    const last = chunk({}, 'stop', { usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } });

    const result = await relayed([hello, last]);

    expect(result.text).toBe(hello + last + done);
    expect(result.usage).toMatchObject({ inputTokens: 1, outputTokens: 2 });
  });

  test('takes the last of many reports of usage', async () => {
    const counted = (tokens: number) =>
      chunk({ content: 'a' }, null, {
        usage: { prompt_tokens: 1, completion_tokens: tokens, total_tokens: 1 + tokens },
      });

    const result = await relayed([counted(1), counted(2), counted(3), stop, done]);

    expect(result.usage?.outputTokens).toBe(3);
    expect(result.text).toBe(counted(1) + counted(2) + counted(3) + stop + done);
  });

  test('reads usage that comes behind the end marker or with the last byte', async () => {
    expect((await relayed([hello, stop, done, usageChunk()])).usage?.outputTokens).toBe(2);
    expect((await relayed([hello, stop, usageChunk().trimEnd()])).usage?.outputTokens).toBe(2);
  });

  test('ends at an error in the middle of a run, with everything before it and nothing behind', async () => {
    const result = await relayed([
      role + hello,
      chunk({ content: 'b' }) + event({ error: { message: 'melted', code: 502 } }) + stop + done,
    ]);

    expect(result.text).toBe(role + hello + chunk({ content: 'b' }));
    expect(result.failure).toMatchObject({ kind: 'server_error', error: { message: 'melted' } });
  });

  test('sees an error that comes in the same run as the first content', async () => {
    const result = await relayed([hello + event({ error: 'melted' })]);

    expect(result).toMatchObject({ text: hello, failure: { error: { message: 'melted' } } });
  });

  test('adds the end marker only where it is missing', async () => {
    expect((await relayed([hello, stop])).text).toBe(hello + stop + done);
    expect((await relayed([hello + stop + done])).text).toBe(hello + stop + done);
    expect((await relayed([hello, done])).text).toBe(hello + done);
  });

  test.each([
    ['without a finish', [hello]],
    ['in the middle of an event', [hello, stop.slice(0, -30)]],
  ])('calls an end %s a failure, and passes no half event on', async (_, pieces) => {
    const result = await relayed(pieces);

    expect(result).toMatchObject({ text: hello, failure: { kind: 'connection' } });
  });

  test('throws what breaks the connection before the end marker, and minds nothing behind it', async () => {
    await expect(relayed([hello, stop, broken])).rejects.toBe(broken);
    expect((await relayed([hello, stop, done, broken])).failure).toBeUndefined();
  });

  test('refuses an event of more than 1 MiB in the middle', async () => {
    await expect(relayed([hello, 'x'.repeat(1024 * 1024 + 1)])).rejects.toBeInstanceOf(EventTooLargeError);
  });

  test('passes long events on in pieces that are whole events, none of them twice', async () => {
    const long = chunk({ content: 'x'.repeat(900_000) });

    const { text, writes } = await relayed([
      hello,
      long.slice(0, 500_000),
      long.slice(500_000) + stop.slice(0, 5),
      stop.slice(5) + done,
    ]);

    expect(text === hello + long + stop + done).toBe(true);
    expect(writes.every((bytes) => bytes.endsWith('\n\n'))).toBe(true);
  });

  test('reads nothing from the vendor while the caller is behind, and counts no silence meanwhile', async () => {
    const log: string[] = [];
    let catchUp = () => {};
    async function* vendor() {
      for (const piece of [hello, chunk({ content: 'b' }), stop + done]) {
        log.push('read');
        yield Buffer.from(piece);
      }
    }
    const result = await openStream(vendor() as unknown as IncomingMessage);
    if ('failure' in result) throw new Error('The stream did not open');
    const sink: Sink = {
      head: () => {},
      write: () => {
        log.push('write');
        return new Promise((resolve) => {
          catchUp = resolve;
        });
      },
      end: () => undefined,
    };
    const guard = {
      expect: (what: string) => void log.push(`expect ${what}`),
      progress: () => void log.push('progress'),
      pause: () => void log.push('pause'),
    };

    const relaying = relayStream(result.stream, sink, { keepUsageEvent: false, severalChoices: false, guard });
    for (let round = 0; round < 3; round++) {
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      log.push('catch up');
      catchUp();
    }
    await relaying;

    expect(log).toEqual([
      ...['read', 'write', 'pause', 'catch up', 'progress'],
      ...['read', 'progress', 'write', 'pause', 'catch up', 'progress'],
      ...['read', 'progress', 'expect end of the stream', 'write', 'pause', 'catch up', 'progress', 'progress'],
    ]);
  });
});
