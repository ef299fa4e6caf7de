import { describe, expect, test } from '@jest/globals';
import { EventStreamCodec } from '@smithy/core/event-streams';
import fc from 'fast-check';
import { EventStreamError, readEventFrames } from '../../lambda/dialects/aws-event-stream.ts';
import { awsEvent, awsFrame, piecesOf, rawAwsFrame } from '../support/aws-frames.ts';

async function read(...pieces: Uint8Array[]) {
  const frames: { headers: Record<string, string>; payload: string }[] = [];
  for await (const { headers, payload } of readEventFrames(piecesOf(...pieces))) {
    frames.push({ headers: Object.fromEntries(headers), payload: payload.toString('utf8') });
  }
  return frames;
}

const stream = Buffer.concat([
  awsEvent('messageStart', { role: 'assistant' }),
  awsFrame({ ':message-type': 'event' }, ''),
  awsEvent('contentBlockDelta', { delta: { text: 'Zürich ☔' } }),
]);

describe('readEventFrames', () => {
  test('gives headers and payload of every frame', async () => {
    expect(await read(stream)).toEqual([
      {
        headers: { ':event-type': 'messageStart', ':content-type': 'application/json', ':message-type': 'event' },
        payload: '{"role":"assistant","p":"abcdefgh"}',
      },
      { headers: { ':message-type': 'event' }, payload: '' },
      {
        headers: { ':event-type': 'contentBlockDelta', ':content-type': 'application/json', ':message-type': 'event' },
        payload: '{"delta":{"text":"Zürich ☔"},"p":"abcdefgh"}',
      },
    ]);
  });

  test('gives the same however the bytes are split', async () => {
    const whole = await read(stream);

    for (let at = 0; at <= stream.length; at++) {
      expect(await read(stream.subarray(0, at), stream.subarray(at))).toEqual(whole);
    }
    expect(await read(...Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  test('reads what the codec of AWS writes', async () => {
    const codec = new EventStreamCodec(
      (bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'),
      (text) => Buffer.from(text, 'utf8'),
    );
    const texts = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ maxLength: 40 }));

    await fc.assert(
      fc.asyncProperty(texts, fc.uint8Array({ maxLength: 300 }), async (headers, body) => {
        const typed = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, { type: 'string' as const, value }]),
        );
        const frames = [];
        for await (const frame of readEventFrames(piecesOf(codec.encode({ headers: typed, body })))) frames.push(frame);
        expect(frames).toHaveLength(1);
        expect(new Map(frames[0]?.headers)).toEqual(new Map(Object.entries(headers)));
        expect(Buffer.compare(frames[0]!.payload, Buffer.from(body))).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test('steps over headers that are no text', async () => {
    const name = Buffer.from([1, 0x78]);
    const values = [
      [0],
      [1],
      [2, 9],
      [3, 9, 9],
      [4, 9, 9, 9, 9],
      [5, ...Array(8).fill(9)],
      [6, 0, 2, 9, 9],
      [8, ...Array(8).fill(9)],
      [9, ...Array(16).fill(9)],
    ];
    const text = Buffer.from([1, 0x79, 7, 0, 2, 0x6f, 0x6b]);
    const headers = Buffer.concat([...values.flatMap((value) => [name, Buffer.from(value)]), text]);

    expect(await read(rawAwsFrame(headers, Buffer.from('p')))).toEqual([{ headers: { y: 'ok' }, payload: 'p' }]);
  });

  test.each([
    ['a bit of a payload', (bytes: Buffer) => bytes.length - 6],
    ['a bit of a length', () => 3],
    ['a bit of a checksum', (bytes: Buffer) => bytes.length - 1],
  ])('refuses a stream in which %s has flipped', async (_, place) => {
    const bytes = awsEvent('messageStart', { role: 'assistant' });
    const at = place(bytes);
    bytes[at] = bytes[at]! ^ 1;

    await expect(read(bytes)).rejects.toThrow(EventStreamError);
  });

  test('refuses headers that exceed their frame, or are of no known type', async () => {
    await expect(read(rawAwsFrame(Buffer.from([9, 0x78]), Buffer.alloc(0)))).rejects.toThrow(/header exceeds/);
    await expect(read(rawAwsFrame(Buffer.from([1, 0x78, 7, 9, 9]), Buffer.alloc(0)))).rejects.toThrow(/header exceeds/);
    await expect(read(rawAwsFrame(Buffer.from([1, 0x78, 77]), Buffer.alloc(0)))).rejects.toThrow(/unknown type 77/);
  });

  test('refuses a frame over 1 MiB as soon as it announces itself', async () => {
    const frame = rawAwsFrame(Buffer.alloc(0), Buffer.alloc(1024 * 1024));

    await expect(read(frame.subarray(0, 12))).rejects.toThrow(/exceeds 1048576 bytes/);
  });

  test('reads a frame of exactly 1 MiB', async () => {
    const frame = rawAwsFrame(Buffer.alloc(0), Buffer.alloc(1024 * 1024 - 16));

    const frames = await read(frame.subarray(0, 20), frame.subarray(20));

    expect(frames[0]?.payload).toHaveLength(1024 * 1024 - 16);
  });

  test('gives up an unfinished frame at the end without a word', async () => {
    expect(await read(stream.subarray(0, stream.length - 1))).toHaveLength(2);
  });

  test('fails on random bytes with nothing but its own error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
        await read(bytes).catch((error) => expect(error).toBeInstanceOf(EventStreamError));
      }),
    );
  });
});
