import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bedrockConverseVendor } from '../../../lambda/dialects/bedrock-converse/bedrock-converse.ts';
import type { ChatEvent } from '../../../lambda/dialects/chat-event.ts';
import type { Part } from '../../../lambda/dialects/chat-request.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { classifyAnswer, classifyErrorInside } from '../../../lambda/routing/failure.ts';
import { awsEvent, awsException, awsFrame, piecesOf } from '../../support/aws-frames.ts';
import { aChatRequest } from '../../support/chat-requests.ts';

const { decodeResponse, decodeStream, decodeError } = bedrockConverseVendor;

async function eventsOf(bytes: AsyncIterable<Uint8Array>): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const event of decodeStream(bytes)) events.push(event);
  return events;
}

function streamed(...pieces: Uint8Array[]): Promise<ChatEvent[]> {
  return eventsOf(piecesOf(...pieces));
}

function answer(content: JsonObject[], stopReason: string, more: JsonObject = {}): JsonObject {
  return {
    metrics: { latencyMs: 12 },
    output: { message: { role: 'assistant', content } },
    stopReason,
    usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15, serverToolUsage: {} },
    ...more,
  };
}

/** The frames of the same answer: first its blocks, each as deltas, then the end and the usage. */
function stream(blocks: { start?: JsonObject; deltas: JsonObject[] }[], stopReason: string): Buffer {
  const frames = blocks.flatMap(({ start, deltas }, contentBlockIndex) => [
    ...(start ? [awsEvent('contentBlockStart', { contentBlockIndex, start })] : []),
    ...deltas.map((delta) => awsEvent('contentBlockDelta', { contentBlockIndex, delta })),
    awsEvent('contentBlockStop', { contentBlockIndex }),
  ]);
  return Buffer.concat([
    awsEvent('messageStart', { role: 'assistant' }),
    ...frames,
    awsEvent('messageStop', { stopReason }),
    awsEvent('metadata', { metrics: { latencyMs: 12 }, usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 } }),
  ]);
}

const start: ChatEvent = { type: 'start', id: undefined, model: undefined };
const usage: ChatEvent = {
  type: 'usage',
  usage: {
    inputTokens: 10,
    outputTokens: 5,
    cacheReadInputTokens: 0,
    cacheCreationInputTokens: 0,
    reasoningOutputTokens: 0,
  },
};

function finish(reason: string, nativeReason: string): ChatEvent {
  return { type: 'finish', choice: 0, reason, nativeReason } as ChatEvent;
}

const scenarios: Record<string, { body: JsonObject; bytes: Buffer; events: ChatEvent[] }> = {
  text: {
    body: answer([{ text: 'Grüezi ☀' }], 'end_turn'),
    bytes: stream([{ deltas: [{ text: '' }, { text: 'Grüezi ☀' }] }], 'end_turn'),
    events: [start, { type: 'text', choice: 0, text: 'Grüezi ☀' }, finish('stop', 'end_turn'), usage],
  },
  'parallel tools behind a text, one without arguments': {
    body: answer(
      [
        { text: 'Let me see.' },
        { toolUse: { toolUseId: 'tooluse_a', name: 'weather', input: { city: 'Bern' } } },
        { toolUse: { toolUseId: 'tooluse_b', name: 'now', input: {}, type: 'tool_use' } },
      ],
      'tool_use',
    ),
    bytes: stream(
      [
        { deltas: [{ text: 'Let me see.' }] },
        {
          start: { toolUse: { toolUseId: 'tooluse_a', name: 'weather' } },
          deltas: [{ toolUse: { input: '' } }, { toolUse: { input: '{"city":"Bern"}' } }],
        },
        { start: { toolUse: { toolUseId: 'tooluse_b', name: 'now', type: 'tool_use' } }, deltas: [] },
      ],
      'tool_use',
    ),
    events: [
      start,
      { type: 'text', choice: 0, text: 'Let me see.' },
      { type: 'tool-call', choice: 0, index: 0, id: 'tooluse_a', name: 'weather' },
      { type: 'tool-arguments', choice: 0, index: 0, text: '{"city":"Bern"}' },
      { type: 'tool-call', choice: 0, index: 1, id: 'tooluse_b', name: 'now' },
      { type: 'tool-arguments', choice: 0, index: 1, text: '{}' },
      finish('tool_calls', 'tool_use'),
      usage,
    ],
  },
  'tools that Bedrock runs by itself': {
    body: answer(
      [
        { toolUse: { toolUseId: 't', name: 'nova_code_interpreter', input: { a: 1 }, type: 'server_tool_use' } },
        { toolResult: { toolUseId: 't', content: [{ json: { stdOut: '2' } }], status: 'success' } },
        { text: '2' },
      ],
      'end_turn',
    ),
    bytes: stream(
      [
        {
          start: { toolUse: { toolUseId: 't', name: 'nova_code_interpreter', type: 'server_tool_use' } },
          deltas: [{ toolUse: { input: '{"a":1}' } }],
        },
        { start: { toolResult: { toolUseId: 't' } }, deltas: [{ toolResult: [{ json: { stdOut: '2' } }] }] },
        { deltas: [{ text: '2' }] },
      ],
      'end_turn',
    ),
    events: [start, { type: 'text', choice: 0, text: '2' }, finish('stop', 'end_turn'), usage],
  },
  'reasoning that is hidden': {
    body: answer([{ reasoningContent: { redactedContent: 'RXV3RGRhdGE=' } }, { text: 'Yes' }], 'end_turn'),
    bytes: stream(
      [{ deltas: [{ reasoningContent: { redactedContent: 'RXV3RGRhdGE=' } }] }, { deltas: [{ text: 'Yes' }] }],
      'end_turn',
    ),
    events: [
      start,
      { type: 'reasoning', choice: 0, redacted: 'EuwDdata' },
      { type: 'text', choice: 0, text: 'Yes' },
      finish('stop', 'end_turn'),
      usage,
    ],
  },
  citations: {
    body: answer(
      [
        { text: 'So: ' },
        {
          citationsContent: {
            content: [{ text: 'Ruby is from 1993.' }],
            citations: [
              {
                title: 'Facts',
                source: 'https://example.com/ruby',
                sourceContent: [{ text: 'created in 1993' }],
                location: { searchResultLocation: { start: 0, end: 1, searchResultIndex: 0 } },
              },
              { location: { web: { url: 'https://example.org/', domain: 'example.org' } } },
            ],
          },
        },
      ],
      'end_turn',
    ),
    bytes: stream(
      [
        { deltas: [{ text: 'So: ' }] },
        {
          deltas: [
            {
              citation: {
                title: 'Facts',
                source: 'https://example.com/ruby',
                sourceContent: [{ text: 'created in 1993' }],
              },
            },
            { citation: { location: { web: { url: 'https://example.org/' } } } },
            { text: 'Ruby is from 1993.' },
          ],
        },
      ],
      'end_turn',
    ),
    events: [
      start,
      { type: 'text', choice: 0, text: 'So: ' },
      { type: 'text', choice: 0, text: 'Ruby is from 1993.' },
      {
        type: 'citation',
        choice: 0,
        citation: {
          url: 'https://example.com/ruby',
          title: 'Facts',
          citedText: 'created in 1993',
          startIndex: 4,
          endIndex: 22,
        },
      },
      { type: 'citation', choice: 0, citation: { url: 'https://example.org/', startIndex: 4, endIndex: 22 } },
      finish('stop', 'end_turn'),
      usage,
    ],
  },
  ...Object.fromEntries(
    [
      ['max_tokens', 'length'],
      ['model_context_window_exceeded', 'length'],
      ['stop_sequence', 'stop'],
      ['guardrail_intervened', 'content_filter'],
      ['content_filtered', 'content_filter'],
      ['some_new_reason', 'stop'],
    ].map(([native = '', unified = '']) => [
      `the stop reason ${native}`,
      {
        body: answer([{ text: 'a' }], native),
        bytes: stream([{ deltas: [{ text: 'a' }] }], native),
        events: [start, { type: 'text', choice: 0, text: 'a' }, finish(unified, native), usage] as ChatEvent[],
      },
    ]),
  ),
};

describe.each(Object.entries(scenarios))('%s', (_, { body, bytes, events }) => {
  test('is read from a complete answer', () => {
    expect(decodeResponse(body)).toEqual(events);
  });

  test('is read from a stream, wherever it is split', async () => {
    for (let at = 0; at <= bytes.length; at++) {
      expect(await streamed(bytes.subarray(0, at), bytes.subarray(at))).toEqual(events);
    }
  });
});

describe('reasoning', () => {
  test('has its text and its signature', async () => {
    const block = { reasoningContent: { reasoningText: { text: 'Hm. So.', signature: 'c2ln' } } };
    const deltas = [
      { reasoningContent: { text: 'Hm.' } },
      { reasoningContent: { text: ' So.' } },
      { reasoningContent: { text: '' } },
      { reasoningContent: { signature: 'c2ln' } },
    ];

    expect(decodeResponse(answer([block], 'end_turn'))[1]).toEqual({
      type: 'reasoning',
      choice: 0,
      text: 'Hm. So.',
      signature: 'c2ln',
    });
    expect((await streamed(stream([{ deltas }], 'end_turn'))).slice(1, 4)).toEqual([
      { type: 'reasoning', choice: 0, text: 'Hm.' },
      { type: 'reasoning', choice: 0, text: ' So.' },
      { type: 'reasoning', choice: 0, signature: 'c2ln' },
    ]);
  });

  test('returns in the next turn as it came, signed or hidden', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.base64String({ minLength: 4 }),
        fc.uint8Array({ minLength: 1 }),
        (...all) => {
          const [text, signature, bytes] = all;
          const content = [
            { reasoningContent: { reasoningText: { text, signature } } },
            { reasoningContent: { redactedContent: Buffer.from(bytes).toString('base64') } },
            { text: 'Yes' },
          ];

          const parts = decodeResponse(answer(content, 'end_turn')).flatMap((event): Part[] => {
            if (event.type === 'text') return [{ type: 'text', text: event.text }];
            if (event.type !== 'reasoning') return [];
            const { choice: _, ...thought } = event;
            return [{ text: '', ...thought }];
          });
          const request = aChatRequest({ messages: [{ role: 'assistant', parts }] });
          const { body } = bedrockConverseVendor.encodeRequest(request, { model: 'anthropic.claude-opus-5' });

          expect(body['messages']).toEqual([{ role: 'assistant', content }]);
        },
      ),
    );
  });
});

describe('usage', () => {
  test.each([
    ['the names of today', { cacheReadInputTokens: 100, cacheWriteInputTokens: 20 }],
    ['the older names', { cacheReadInputTokenCount: 100, cacheWriteInputTokenCount: 20 }],
  ])('counts cached tokens into the input, by %s', (_, cached) => {
    const body = answer([], 'end_turn', {
      usage: { inputTokens: 3, outputTokens: 5, totalTokens: 128, ...cached },
      serviceTier: { type: 'flex' },
    });

    expect(decodeResponse(body).at(-1)).toEqual({
      type: 'usage',
      usage: {
        inputTokens: 123,
        outputTokens: 5,
        cacheReadInputTokens: 100,
        cacheCreationInputTokens: 20,
        reasoningOutputTokens: 0,
      },
      serviceTier: 'flex',
    });
  });
});

test('the stop sequence that was met is told', () => {
  const buffered = answer([], 'stop_sequence', { additionalModelResponseFields: { stop_sequence: 'END' } });
  const nested = answer([], 'stop_sequence', { additionalModelResponseFields: { delta: { stop_sequence: 'END' } } });

  expect(decodeResponse(buffered)[1]).toMatchObject({ type: 'finish', stopSequence: 'END' });
  expect(decodeResponse(nested)[1]).toMatchObject({ type: 'finish', stopSequence: 'END' });
});

describe('failures', () => {
  test.each([
    ['throttlingException', { message: 'Too many requests' }, 'rate_limited'],
    ['serviceUnavailableException', { message: 'Later' }, 'overloaded'],
    ['internalServerException', { message: 'Oops' }, 'server_error'],
    ['modelStreamErrorException', { message: 'Broken' }, 'server_error'],
    ['modelStreamErrorException', { originalMessage: 'Busy', originalStatusCode: 503 }, 'overloaded'],
    ['modelTimeoutException', { message: 'Slow' }, 'timeout'],
    ['validationException', { message: 'No' }, 'rejected'],
    ['someNewException', { message: 'New' }, 'server_error'],
  ])('%s inside a stream ends it as an error of the right kind', async (type, body, kind) => {
    const events = await streamed(
      awsEvent('messageStart', { role: 'assistant' }),
      awsException(type, body),
      awsEvent('messageStop', { stopReason: 'end_turn' }),
    );

    const error = events[1]?.type === 'error' ? events[1].error : undefined;
    expect(events).toHaveLength(2);
    expect(error?.message).toBe(Object.values(body)[0]);
    expect(error?.type).toBe(type.charAt(0).toUpperCase() + type.slice(1));
    expect(error && classifyErrorInside(error)).toBe(kind);
  });

  test('an unmodelled error inside a stream is told by its headers', async () => {
    const headers = { ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'Out of order' };

    expect(await streamed(awsFrame(headers, ''))).toEqual([
      {
        type: 'error',
        error: { message: 'Out of order', type: 'InternalError', param: undefined, code: 'InternalError' },
      },
    ]);
  });

  test.each([
    ['malformed_model_output', 'output'],
    ['malformed_tool_use', 'tool call'],
  ])('%s is no false stop', async (stopReason, what) => {
    const error = { type: 'error', error: { type: stopReason, message: expect.stringContaining(what) } };

    expect(decodeResponse(answer([{ text: 'a' }], stopReason))).toMatchObject([error]);
    expect((await streamed(stream([{ deltas: [{ text: 'a' }] }], stopReason))).at(-1)).toMatchObject(error);
  });

  test('a damaged stream ends as an error', async () => {
    const bytes = stream([{ deltas: [{ text: 'a' }, { text: 'b' }] }], 'end_turn');
    bytes[bytes.length - 8] = bytes[bytes.length - 8]! ^ 1;

    const events = await streamed(bytes);

    expect(events.at(-1)).toMatchObject({ type: 'error', error: { type: 'event_stream_error' } });
  });

  test('a failed connection stays the failure that it is', async () => {
    const broken = async function* () {
      yield awsEvent('messageStart', { role: 'assistant' });
      throw new Error('socket hang up');
    };

    await expect(eventsOf(broken())).rejects.toThrow('socket hang up');
  });

  test('a cut stream has no finish', async () => {
    const bytes = stream([{ deltas: [{ text: 'a' }] }], 'end_turn');
    const end = bytes.indexOf('messageStop');

    for (const at of [0, 20, end - 20, end, end + 40]) {
      const events = await streamed(bytes.subarray(0, at));
      expect(events.some(({ type }) => type === 'finish' || type === 'error')).toBe(false);
    }
  });

  test('a body that is no answer is an error when it says so, and refused otherwise', () => {
    expect(decodeResponse({ message: 'No such model' })).toEqual([
      { type: 'error', error: { message: 'No such model', type: undefined, param: undefined, code: undefined } },
    ]);
    expect(() => decodeResponse({ output: null })).toThrow('The answer has no "output.message"');
  });

  test('an error answer has the type of its header, cut at the colon', () => {
    const headers = { 'x-amzn-errortype': 'ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/' };

    expect(decodeError(400, headers, '{"message":"Invocation isn’t supported."}')).toEqual({
      message: 'Invocation isn’t supported.',
      type: 'ValidationException',
      param: undefined,
      code: 'ValidationException',
    });
  });

  test.each([
    [429, 'ThrottlingException', 'rate_limited'],
    [400, 'ThrottlingException', 'rate_limited'],
    [400, 'ServiceQuotaExceededException', 'rate_limited'],
    [400, 'ValidationException', 'rejected'],
    [503, 'ServiceUnavailableException', 'overloaded'],
    [404, 'ResourceNotFoundException', 'not_found'],
    [403, 'AccessDeniedException', 'unauthorized'],
    [408, 'ModelTimeoutException', 'timeout'],
  ])('an answer %i with %s is %s', (status, type, kind) => {
    expect(classifyAnswer(status, decodeError(status, { 'x-amzn-errortype': type }, '{}'))).toBe(kind);
  });

  test.each([
    ['{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"Bad token"}', 'Bad token'],
    ['{"Message":"User is not authorized"}', 'User is not authorized'],
    ['<html>', undefined],
    ['[]', undefined],
    ['', undefined],
  ])('an error answer %j without a header is read as far as it goes', (text, message) => {
    expect(decodeError(403, {}, text).message).toBe(message);
  });

  test('what was signed is not passed on, for the session token is in it', () => {
    const message =
      "The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'POST\nx-amz-security-token:IQoJ'";

    expect(decodeError(403, {}, JSON.stringify({ message })).message).toBe(
      'The request signature we calculated does not match.',
    );
  });
});

describe('random JSON', () => {
  const fields = fc.constantFrom(
    ...['output', 'message', 'content', 'text', 'toolUse', 'reasoningContent', 'reasoningText', 'citationsContent'],
    ...['citations', 'citation', 'input', 'usage', 'stopReason', 'delta', 'start', 'contentBlockIndex', 'location'],
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      fc.jsonValue(),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(fields, tie('json'), { maxKeys: 4 }),
    ),
  }));

  test('never makes an answer fail with anything but its own error', () => {
    fc.assert(
      fc.property(fc.dictionary(fields, json), (body) => {
        try {
          decodeResponse(body);
          decodeResponse({ output: { message: body } });
          decodeResponse({ output: { message: { content: [body] } }, ...body });
        } catch (error) {
          expect((error as Error).message).toBe('The answer has no "output.message"');
        }
      }),
      { numRuns: 500 },
    );
  });

  test('never makes a stream or an error fail', async () => {
    const types = [
      'messageStart',
      'contentBlockStart',
      'contentBlockDelta',
      'contentBlockStop',
      'messageStop',
      'metadata',
    ];
    const frame = fc
      .tuple(fc.constantFrom(...types, 'unknown', 'constructor'), json)
      .map(([type, body]) => awsFrame({ ':event-type': type, ':message-type': 'event' }, JSON.stringify(body)));

    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 8 }), json, async (frames, body) => {
        await streamed(...frames);
        await streamed(awsException('throttlingException', [body]));
        decodeError(400, {}, JSON.stringify(body));
      }),
      { numRuns: 300 },
    );
  });
});
