import { describe, expect, test } from '@jest/globals';
import type { ChatEvent } from '../../../lambda/dialects/chat-event.ts';
import { geminiArrayClient, geminiClient, geminiVendor } from '../../../lambda/dialects/gemini/gemini.ts';
import { wrapSecrets } from '../../../lambda/dialects/gemini/signature.ts';
import { answerContext, arriving, collect } from './bytes.ts';

const usage = {
  inputTokens: 10,
  outputTokens: 9,
  cacheReadInputTokens: 2,
  cacheCreationInputTokens: 0,
  reasoningOutputTokens: 4,
};
const usageMetadata = {
  promptTokenCount: 10,
  candidatesTokenCount: 5,
  totalTokenCount: 19,
  cachedContentTokenCount: 2,
  thoughtsTokenCount: 4,
};
const call = (index: number): ChatEvent => ({ type: 'tool-call', choice: 0, index, id: `t${index}`, name: 'f' });
const written = (index: number, text: string): ChatEvent => ({ type: 'tool-arguments', choice: 0, index, text });
const events: ChatEvent[] = [
  { type: 'start', id: 'msg-1', model: 'claude' },
  { type: 'reasoning', choice: 0, text: 'h' },
  { type: 'reasoning', choice: 0, text: 'm' },
  { type: 'reasoning', choice: 0, signature: 'a+b/c' },
  { type: 'text', choice: 0, text: 'Let me ' },
  { type: 'text', choice: 0, text: 'look' },
  call(0),
  written(0, '{"a"'),
  call(1),
  written(0, ':1}'),
  { type: 'citation', choice: 0, citation: { url: 'u', title: 'U', startIndex: 0, endIndex: 3 } },
  { type: 'finish', choice: 0, reason: 'tool_calls', nativeReason: 'tool_use' },
  { type: 'usage', usage },
];
const calls = [
  { functionCall: { id: 't0', name: 'f', args: { a: 1 } } },
  { functionCall: { id: 't1', name: 'f', args: {} } },
];
const groundingMetadata = {
  groundingChunks: [{ web: { uri: 'u', title: 'U' } }],
  groundingSupports: [{ segment: { startIndex: 0, endIndex: 3, text: 'Let' }, groundingChunkIndices: [0] }],
};

const streamed = async (from: readonly ChatEvent[]) =>
  collect(geminiClient.encodeStream(arriving(from), answerContext()));
const parsed = (piece: string | undefined) => JSON.parse(piece?.replace(/^data: /, '') ?? '');

describe('buffered', () => {
  test('joins the pieces of each part', () => {
    expect(geminiClient.encodeResponse(events, answerContext())).toEqual({
      candidates: [
        {
          index: 0,
          content: {
            role: 'model',
            parts: [
              { text: 'hm', thought: true, thoughtSignature: wrapSecrets({ signature: 'a+b/c' }) },
              { text: 'Let me look' },
              ...calls,
            ],
          },
          finishReason: 'STOP',
          groundingMetadata,
        },
      ],
      usageMetadata,
      modelVersion: 'gemini-3-flash',
      responseId: 'msg-1',
    });
  });

  test('content-filter: has no content, and keeps the reason of Google', () => {
    const finish: ChatEvent = { type: 'finish', choice: 0, reason: 'content_filter', nativeReason: 'RECITATION' };

    expect(geminiClient.encodeResponse([finish], answerContext())).toMatchObject({
      candidates: [{ index: 0, finishReason: 'RECITATION' }],
      responseId: 'made',
    });
  });

  test.each([
    ['length', 'MAX_TOKENS'],
    ['tool_calls', 'MALFORMED_FUNCTION_CALL'],
  ] as const)('a call whose arguments broke off is left out (%s)', (reason, finishReason) => {
    const broken: ChatEvent[] = [
      call(0),
      written(0, '{"a'),
      { type: 'finish', choice: 0, reason, nativeReason: undefined },
    ];

    expect(geminiClient.encodeResponse(broken, answerContext())).toMatchObject({ candidates: [{ finishReason }] });
    expect(JSON.stringify(geminiClient.encodeResponse(broken, answerContext()))).not.toContain('functionCall"');
  });
});

describe('streamed', () => {
  test('sends texts at once, calls whole, and all that finishes in the last event', async () => {
    const pieces = await streamed(events);

    expect(pieces.every((piece) => piece.startsWith('data: ') && piece.endsWith('\r\n\r\n'))).toBe(true);
    expect(pieces).toHaveLength(6);
    expect(parsed(pieces[3])).toEqual({
      candidates: [{ content: { parts: [{ text: 'Let me ' }], role: 'model' }, index: 0 }],
      modelVersion: 'gemini-3-flash',
      responseId: 'msg-1',
    });
    expect(parsed(pieces[5])).toEqual({
      candidates: [{ content: { parts: calls, role: 'model' }, finishReason: 'STOP', groundingMetadata, index: 0 }],
      usageMetadata,
      modelVersion: 'gemini-3-flash',
      responseId: 'msg-1',
    });
  });

  test('every event has parts, which the official SDK needs to remember the turn', async () => {
    const logprobs: ChatEvent = {
      type: 'logprobs',
      choice: 0,
      content: [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [] }],
    };
    const finish: ChatEvent = { type: 'finish', choice: 0, reason: 'stop', nativeReason: undefined };

    const pieces = await streamed([{ type: 'text', choice: 0, text: 'a' }, logprobs, finish]);

    for (const piece of pieces) expect(parsed(piece).candidates[0].content.parts).not.toHaveLength(0);
    expect(parsed(pieces[1]).candidates[0].logprobsResult.chosenCandidates).toEqual([
      { token: 'a', logProbability: -1 },
    ]);
  });

  test('a cut stream is not finished', async () => {
    const pieces = await streamed(events.slice(0, 6));

    expect(pieces.join('')).not.toContain('finishReason');
    expect(pieces).toHaveLength(5);
  });

  test('without alt=sse it is one array of the same responses', async () => {
    const pieces = await collect(geminiArrayClient.encodeStream(arriving(events), answerContext()));

    expect(JSON.parse(pieces.join(''))).toEqual((await streamed(events)).map(parsed));
  });

  test('an array that broke off is closed by the error', async () => {
    const pieces = await collect(geminiArrayClient.encodeStream(arriving(events.slice(0, 6)), answerContext()));
    const error = {
      status: 502,
      code: 'provider_failed',
      type: 't',
      message: 'Broke off.',
      param: null,
      requestId: 'r',
    };

    const all = JSON.parse(pieces.join('') + geminiArrayClient.encodeStreamError(error));

    expect(all).toHaveLength(6);
    expect(all[5]).toMatchObject({ error: { code: 502, status: 'UNAVAILABLE' } });
  });

  test('what was streamed reads as what was meant', async () => {
    const bytes = Buffer.from((await streamed(events)).join(''));

    const again = await collect(geminiVendor.decodeStream(arriving([bytes])));

    const finish: ChatEvent = { type: 'finish', choice: 0, reason: 'tool_calls', nativeReason: 'STOP' };
    const expected = [
      ...events.slice(1, 6),
      call(0),
      written(0, '{"a":1}'),
      call(1),
      written(1, '{}'),
      events[10],
      finish,
      events[12],
    ];
    expect(again.slice(1)).toEqual(expected);
  });
});
