import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { readBody } from '../../lambda/providers/read-body.ts';

function aMessage(): PassThrough & IncomingMessage {
  return new PassThrough() as PassThrough & IncomingMessage;
}

function listeners(message: IncomingMessage): number {
  return ['data', 'error'].reduce((count, name) => count + message.listenerCount(name), 0);
}

describe('readBody', () => {
  test('joins the pieces of a whole body', async () => {
    const message = aMessage();
    message.write('one ');
    message.end('two');

    expect(await readBody(message, 100)).toEqual({ body: Buffer.from('one two'), full: true });
    expect(listeners(message)).toBe(0);
  });

  test('reads an empty body', async () => {
    const message = aMessage();
    message.end();

    expect(await readBody(message, 100)).toEqual({ body: Buffer.alloc(0), full: true });
  });

  test('stops behind the limit and leaves the rest', async () => {
    const message = aMessage();
    message.write('0123456789');

    const { body, full } = await readBody(message, 5);

    expect({ length: body.length, full }).toEqual({ length: 10, full: false });
    expect(message.isPaused()).toBe(true);
    expect(listeners(message)).toBe(0);
  });

  test('takes a body of exactly the limit', async () => {
    const message = aMessage();
    message.end('01234');

    expect((await readBody(message, 5)).full).toBe(true);
  });

  test('rejects when the connection fails or closes in the middle', async () => {
    const [broken, closed] = [aMessage(), aMessage()];
    const readings = [readBody(broken, 100), readBody(closed, 100)];

    broken.destroy(new Error('broken'));
    closed.destroy();

    await expect(readings[0]).rejects.toThrow('broken');
    await expect(readings[1]).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('rejects when the connection was gone before', async () => {
    const message = aMessage();
    message.destroy();
    await new Promise((resolve) => message.once('close', resolve));

    await expect(readBody(message, 100)).rejects.toMatchObject({ code: 'ECONNRESET' });
  }, 2_000);
});
