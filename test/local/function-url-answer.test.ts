import { createServer } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { relayStream } from '../../local/function-url-answer.ts';
import { closeServer, listen } from '../../local/listen.ts';
import { send } from './function-harness.ts';

const prelude = Buffer.concat([
  Buffer.from(JSON.stringify({ statusCode: 418, headers: { 'X-Tea': 'pot' }, cookies: ['c=1'] })),
  Buffer.alloc(8),
  Buffer.from('body\0body'),
]);

describe('the prelude of a streamed answer', () => {
  test('is found wherever the network splits it', async () => {
    const splits = Array.from({ length: prelude.length - 1 }, (_, index) => index + 1);
    const server = createServer((request, response) => {
      const body = new PassThrough();
      const contentType = 'application/vnd.awslambda.http-integration-response';
      relayStream({ streaming: true, contentType, body, trailingError: () => undefined }, { response, urlHeaders: {} });
      const at = Number(request.url?.slice(1));
      body.write(prelude.subarray(0, at));
      setImmediate(() => body.end(prelude.subarray(at)));
    });
    const port = await listen(server, 0);

    const seen = await Promise.all(splits.map((at) => send(`http://127.0.0.1:${port}/${at}`)));
    await closeServer(server);

    for (const { status, headers, text } of seen) {
      expect(status).toBe(418);
      expect(headers['x-tea']).toBe('pot');
      expect(headers['set-cookie']).toEqual(['c=1']);
      expect(text).toBe('body\0body');
    }
  });
});
