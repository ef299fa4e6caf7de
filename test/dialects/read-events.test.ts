import { describe, expect, test } from '@jest/globals';
import { readEvents, type ServerSentEvent } from '../../lambda/dialects/read-events.ts';
import { EventTooLargeError } from '../../lambda/dialects/sse-events.ts';

async function* pieces(...texts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function read(bytes: AsyncIterable<Uint8Array>): Promise<ServerSentEvent[]> {
  const found: ServerSentEvent[] = [];
  for await (const events of readEvents(bytes)) found.push(...events);
  return found;
}

describe('readEvents', () => {
  test('reads the same events at every split point of the bytes', async () => {
    const bytes = Buffer.from(': ping\n\nevent: a\ndata: ü\ndata:  1\n\ndata: 2\r\n\r\nid: 7\n\n');
    const events = [
      { event: 'a', data: 'ü\n 1' },
      { event: undefined, data: '2' },
    ];

    for (let at = 0; at <= bytes.length; at++) {
      expect(await read(pieces(bytes.subarray(0, at), bytes.subarray(at)))).toEqual(events);
    }
  });

  test('reads a last event that lacks its blank line', async () => {
    expect(await read(pieces('data: 1\n\nevent: b\ndata: 2'))).toEqual([
      { event: undefined, data: '1' },
      { event: 'b', data: '2' },
    ]);
  });

  test('leaves out a character that the end of the stream cuts', async () => {
    expect(await read(pieces(Buffer.from('data: x🌍').subarray(0, -1)))).toEqual([{ event: undefined, data: 'x' }]);
  });

  test('refuses an event that does not end', async () => {
    await expect(read(pieces('data: ', 'x'.repeat(1024 * 1024)))).rejects.toThrow(EventTooLargeError);
  });
});
