import { expect, test } from '@jest/globals';
import { geminiVendor } from '../../../lambda/dialects/gemini/gemini.ts';
import { EventTooLargeError } from '../../../lambda/dialects/sse-events.ts';
import { arriving, collect, response, sse } from './bytes.ts';

const stop = { finishReason: 'STOP' };
const responses = [
  response([{ text: 'hm', thought: true }]),
  response([{ text: 'Grüße "}]\\' }]),
  response([{ functionCall: { id: 'x', name: 'f', args: { a: '{"' } } }], stop, {
    usageMetadata: { promptTokenCount: 1, totalTokenCount: 1 },
  }),
];
const array = Buffer.from(`[${responses.map((one) => JSON.stringify(one, undefined, 2)).join('\n,\r\n')}\n]\n`);

const decode = (...pieces: Uint8Array[]) => collect(geminiVendor.decodeStream(arriving(pieces)));

test.each([
  ['server-sent events', sse(...responses)],
  ['one JSON array', array],
])('reads %s the same at every split point of the bytes', async (_, bytes) => {
  const whole = await decode(bytes);

  for (let at = 0; at <= bytes.length; at++) {
    expect(await decode(bytes.subarray(0, at), bytes.subarray(at))).toEqual(whole);
  }
  expect(await decode(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  expect(whole.map(({ type }) => type)).toEqual([
    'start',
    'reasoning',
    'text',
    'tool-call',
    'tool-arguments',
    'finish',
    'usage',
  ]);
});

test('reads both forms alike', async () => {
  expect(await decode(array)).toEqual(await decode(sse(...responses)));
});

test('cut stream: ends without a finish', async () => {
  const bytes = sse(...responses);

  const events = await decode(bytes.subarray(0, bytes.length - 40));

  expect(events.map(({ type }) => type)).toEqual(['start', 'reasoning', 'text']);
});

test('reads a last event without its blank line, and passes over comments and what says nothing', async () => {
  const last = sse(response([{ text: 'end' }], stop));
  const text = `: ping\r\n\r\ndata: 7\r\n\r\n${last.toString().trimEnd()}`;

  expect((await decode(Buffer.from(text))).map(({ type }) => type)).toEqual(['start', 'text', 'finish']);
});

test('errors: a failure inside the stream is an error event, and nothing follows', async () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.4s' }];
  const failure = { error: { code: 429, message: 'Slow down.', status: 'RESOURCE_EXHAUSTED', details } };
  const error = {
    message: 'Slow down.',
    type: 'RESOURCE_EXHAUSTED',
    param: undefined,
    code: '429',
    retryAfterMs: 34_400,
  };

  const events = await decode(sse(response([{ text: 'a' }]), failure, response([{ text: 'b' }], stop)));

  expect(events.slice(1)).toEqual([
    { type: 'text', choice: 0, text: 'a' },
    { type: 'error', error },
  ]);
  expect(await decode(Buffer.from(JSON.stringify([failure])))).toEqual([{ type: 'error', error }]);
  expect(geminiVendor.decodeResponse(failure)).toEqual([{ type: 'error', error }]);
});

test.each(['data: {"a":"', '[{"a":"'])('holds at most 1 MiB of an unfinished event (%s)', async (start) => {
  const megabyte = Buffer.alloc(1024 * 1024, 'x');

  await expect(decode(Buffer.from(start), megabyte)).rejects.toThrow(EventTooLargeError);
});

test('leaves the source when nobody reads on', async () => {
  let isLeft = false;
  async function* source() {
    try {
      yield sse(...responses);
    } finally {
      isLeft = true;
    }
  }

  for await (const event of geminiVendor.decodeStream(source())) if (event.type === 'text') break;

  expect(isLeft).toBe(true);
});
