import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { drained } from '../../lambda/hosts/drained.ts';

/** A stream that is full after one byte until `take` is called. */
function aFullStream(): { stream: Writable; take(): void } {
  let take = () => {};
  const stream = new Writable({
    highWaterMark: 1,
    write(_, __, callback) {
      take = callback;
    },
  });
  stream.write('ab');
  return { stream, take: () => take() };
}

async function isPending(promise: Promise<void>): Promise<boolean> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  const pending = Symbol('pending');
  return (await Promise.race([promise, pending])) === pending;
}

describe('drained', () => {
  test('waits until there is room', async () => {
    const { stream, take } = aFullStream();
    const waiting = drained(stream);
    expect(await isPending(waiting)).toBe(true);

    take();

    expect(await isPending(waiting)).toBe(false);
  });

  test('waits no longer when the stream is closed meanwhile, or was before', async () => {
    const { stream } = aFullStream();
    const waiting = drained(stream);

    stream.destroy();

    expect(await isPending(waiting)).toBe(false);
    expect(await isPending(drained(stream))).toBe(false);
  });

  test('leaves no listener behind', async () => {
    const { stream, take } = aFullStream();
    const waiting = drained(stream);

    take();
    await waiting;

    expect(stream.listenerCount('drain') + stream.listenerCount('close')).toBe(0);
  });
});
