import { describe, expect, test } from '@jest/globals';
import { EventTooLargeError, eventSplitter, parseEvent } from '../../lambda/dialects/sse-events.ts';

const stream = ': ping\n\ndata: {"a":"ü\\n"}\n\nevent: x\r\ndata: 1\r\ndata: 2\r\n\r\ndata: [DONE]\n\n';
const events = [': ping\n\n', 'data: {"a":"ü\\n"}\n\n', 'event: x\r\ndata: 1\r\ndata: 2\r\n\r\n', 'data: [DONE]\n\n'];

function split(pieces: Buffer[]): { events: string[]; rest: string } {
  const splitter = eventSplitter();
  const found: string[] = [];
  for (const piece of pieces) {
    const run = splitter.push(piece);
    let start = 0;
    for (const end of run?.ends ?? []) {
      found.push(run?.bytes.subarray(start, end).toString() ?? '');
      start = end;
    }
    expect(run === undefined || run.bytes.length === start).toBe(true);
  }
  return { events: found, rest: splitter.rest().toString() };
}

describe('eventSplitter', () => {
  test('finds the same events at every split point, and at every two split points', () => {
    const bytes = Buffer.from(stream);

    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        expect(split(pieces)).toEqual({ events, rest: '' });
      }
    }
  });

  test('finds the same events when every byte comes alone', () => {
    expect(split([...Buffer.from(stream)].map((byte) => Buffer.of(byte)))).toEqual({ events, rest: '' });
  });

  test('keeps what follows the last blank line', () => {
    expect(split([Buffer.from('data: 1\n\ndata: 2\n')])).toEqual({ events: ['data: 1\n\n'], rest: 'data: 2\n' });
  });

  test('does not take CR LF CR for an end', () => {
    expect(split([Buffer.from('data: 1\r\n\r')])).toEqual({ events: [], rest: 'data: 1\r\n\r' });
  });

  test('gives up on an event that never ends', () => {
    const splitter = eventSplitter(10);

    splitter.push(Buffer.from('data: 1'));

    expect(() => splitter.push(Buffer.from('23456'))).toThrow(EventTooLargeError);
  });
});

describe('parseEvent', () => {
  test('joins data lines, strips exactly one space, reads the name and skips comments', () => {
    expect(parseEvent(': note\nevent: error\ndata:  two\ndata:three\n\n')).toEqual({
      event: 'error',
      data: ' two\nthree',
    });
  });

  test('has no data for a comment', () => {
    expect(parseEvent(': ping\n\n')).toEqual({ event: undefined, data: undefined });
  });
});
