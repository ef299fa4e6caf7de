import { describe, expect, test } from '@jest/globals';
import { geminiVendor } from '../../../lambda/dialects/gemini/gemini.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { arriving, collect, response, sse } from './bytes.ts';

const decode = (body: JsonObject) => geminiVendor.decodeResponse(body);
const stream = (...responses: JsonObject[]) => collect(geminiVendor.decodeStream(arriving([sse(...responses)])));
const stop = { finishReason: 'STOP' };

describe('text', () => {
  test('reads a whole answer', () => {
    const usageMetadata = {
      promptTokenCount: 10,
      toolUsePromptTokenCount: 5,
      cachedContentTokenCount: 4,
      candidatesTokenCount: 2,
      thoughtsTokenCount: 3,
      totalTokenCount: 20,
      serviceTier: 'standard',
    };

    const events = decode(
      response([{ text: 'hi' }], stop, { usageMetadata, createTime: '2026-05-19T14:59:42.780296Z' }),
    );

    expect(events).toEqual([
      { type: 'start', id: 'resp-1', model: 'gemini-3-flash', createdSeconds: 1779202782 },
      { type: 'text', choice: 0, text: 'hi' },
      { type: 'finish', choice: 0, reason: 'stop', nativeReason: 'STOP' },
      {
        type: 'usage',
        serviceTier: 'default',
        usage: {
          inputTokens: 15,
          outputTokens: 5,
          cacheReadInputTokens: 4,
          cacheCreationInputTokens: 0,
          reasoningOutputTokens: 3,
        },
      },
    ]);
  });

  test('keeps the last usage and finishes once, however often a stream says so', async () => {
    const events = await stream(
      response([{ text: 'a' }], stop, { usageMetadata: { promptTokenCount: 1, totalTokenCount: 1 } }),
      response([{ text: 'b' }], stop, {
        usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2, totalTokenCount: 3 },
      }),
      response([], {}, { usageMetadata: { trafficType: 'ON_DEMAND' } }),
    );

    expect(events.map(({ type }) => type)).toEqual(['start', 'text', 'text', 'finish', 'usage']);
    expect(events.at(-1)).toMatchObject({ usage: { inputTokens: 1, outputTokens: 2 } });
  });

  test('keeps several candidates apart', () => {
    const candidates = [0, 1].map((index) => ({ index, content: { parts: [{ text: `n${index}` }] }, ...stop }));

    expect(decode({ candidates }).filter(({ type }) => type !== 'start')).toEqual([
      { type: 'text', choice: 0, text: 'n0' },
      { type: 'text', choice: 1, text: 'n1' },
      { type: 'finish', choice: 0, reason: 'stop', nativeReason: 'STOP' },
      { type: 'finish', choice: 1, reason: 'stop', nativeReason: 'STOP' },
    ]);
  });

  test('skips parts of other kinds without losing the rest', () => {
    const parts = [
      { executableCode: { code: '1' }, thoughtSignature: 'QQ' },
      { codeExecutionResult: { outcome: 'OUTCOME_OK' } },
      { inlineData: { mimeType: 'image/png', data: 'iVBO' } },
      { toolCall: { toolType: 'FILE_SEARCH' } },
      { text: 'seen' },
    ];

    expect(decode(response(parts, stop)).slice(1, -1)).toEqual([{ type: 'text', choice: 0, text: 'seen' }]);
  });
});

describe('tools', () => {
  test('parallel-tools: counts calls, makes up missing ids, and takes absent arguments for none', () => {
    const parts = [
      { functionCall: { id: 'x', name: 'f', args: { a: 1 } }, thoughtSignature: 'Q2FsbA' },
      { functionCall: { name: 'g' } },
    ];

    expect(decode(response(parts, stop)).slice(1)).toEqual([
      { type: 'tool-call', choice: 0, index: 0, id: 'x', name: 'f', signature: 'Q2FsbA' },
      { type: 'tool-arguments', choice: 0, index: 0, text: '{"a":1}' },
      { type: 'tool-call', choice: 0, index: 1, id: 'call_resp-1_0_1', name: 'g' },
      { type: 'tool-arguments', choice: 0, index: 1, text: '{}' },
      { type: 'finish', choice: 0, reason: 'tool_calls', nativeReason: 'STOP' },
    ]);
  });

  test('puts streamed arguments together', async () => {
    const piece = (jsonPath: string, value: JsonObject) =>
      response([{ functionCall: { partialArgs: [{ jsonPath, ...value }], willContinue: true } }]);

    const events = await stream(
      response([{ functionCall: { id: 'x', name: 'f', willContinue: true }, thoughtSignature: 'Q2FsbA' }]),
      piece('$.items[0].name', { stringValue: 'ap', willContinue: true }),
      piece('$.items[0].name', { stringValue: 'ple' }),
      piece('$.items[0].price', { numberValue: 0.5 }),
      piece("$.items[1]['is new']", { boolValue: false }),
      piece('$.none', { nullValue: 'NULL_VALUE' }),
      piece('$.__proto__.polluted', { boolValue: true }),
      response([{ functionCall: {} }]),
      response([{ functionCall: { id: 'y', name: 'g', args: {} } }], stop),
    );

    const texts = events.flatMap((event) => (event.type === 'tool-arguments' ? [event.text] : []));
    expect(texts).toEqual([
      '{"items":[{"name":"apple","price":0.5},{"is new":false}],"none":null,"__proto__":{"polluted":true}}',
      '{}',
    ]);
    expect(({} as JsonObject)['polluted']).toBeUndefined();
    expect(events[1]).toEqual({ type: 'tool-call', choice: 0, index: 0, id: 'x', name: 'f', signature: 'Q2FsbA' });
  });
});

test('reasoning: reads thoughts, and signatures of texts even where the text is empty', async () => {
  const events = await stream(
    response([{ text: 'hm', thought: true }]),
    response([{ text: 'so' }]),
    response([{ text: '', thoughtSignature: 'VGV4dA' }], stop),
  );

  expect(events.slice(1, -1)).toEqual([
    { type: 'reasoning', choice: 0, text: 'hm' },
    { type: 'text', choice: 0, text: 'so' },
    { type: 'reasoning', choice: 0, signature: 'VGV4dA' },
  ]);
});

describe('citations', () => {
  test('turns bytes into characters, each source once', () => {
    const groundingMetadata = {
      groundingChunks: [
        { web: { uri: 'https://a.example', title: 'A' } },
        { retrievedContext: { text: 'said' } },
        { maps: { uri: 'm' } },
      ],
      groundingSupports: [{ segment: { startIndex: 5, endIndex: 9, text: 'müd' }, groundingChunkIndices: [0, 1, 9] }],
    };

    const events = decode(response([{ text: 'süß müd' }], { ...stop, groundingMetadata: { ...groundingMetadata } }));

    const citations = events.flatMap((event) => (event.type === 'citation' ? [event.citation] : []));
    expect(citations).toEqual([
      { url: 'https://a.example', title: 'A', startIndex: 4, endIndex: 7 },
      { citedText: 'said', startIndex: 4, endIndex: 7 },
      { url: 'm' },
    ]);
  });

  test('turns bytes into characters also where the segment does not repeat its text', () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'u' } }],
      groundingSupports: [{ segment: { startIndex: 6, endIndex: 10 }, groundingChunkIndices: [0] }],
    };

    const events = decode(response([{ text: 'süß' }, { text: ' müd' }], { ...stop, groundingMetadata }));

    expect(events).toContainEqual({ type: 'citation', choice: 0, citation: { url: 'u', startIndex: 4, endIndex: 7 } });
  });

  test('reads citation metadata, old and new', () => {
    const source = { startIndex: 0, endIndex: 2, uri: 'u', license: '' };

    for (const citationMetadata of [{ citations: [source, source] }, { citationSources: [source] }]) {
      const events = decode(response([{ text: 'hi' }], { ...stop, citationMetadata }));

      expect(events.filter(({ type }) => type === 'citation')).toEqual([
        { type: 'citation', choice: 0, citation: { url: 'u', startIndex: 0, endIndex: 2 } },
      ]);
    }
  });
});

test('gives log probabilities in the form of OpenAI', () => {
  const chosen = { token: 'é', logProbability: -0.5, tokenId: 1 };
  const logprobsResult = { chosenCandidates: [chosen], topCandidates: [{ candidates: [chosen] }] };

  const token = { token: 'é', logprob: -0.5, bytes: [195, 169] };
  expect(decode(response([{ text: 'é' }], { ...stop, logprobsResult }))).toContainEqual({
    type: 'logprobs',
    choice: 0,
    content: [{ ...token, top_logprobs: [token] }],
  });
});

describe('finish', () => {
  test.each([
    ['MAX_TOKENS', 'length'],
    [2, 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['MALFORMED_FUNCTION_CALL', 'content_filter'],
    ['SOMETHING_NEW', 'content_filter'],
    [1, 'stop'],
  ])('length-stop and content-filter: %s means %s', (finishReason, reason) => {
    const nativeReason = { 1: 'STOP', 2: 'MAX_TOKENS' }[finishReason] ?? finishReason;

    expect(decode({ candidates: [{ finishReason }] }).at(-1)).toEqual({
      type: 'finish',
      choice: 0,
      reason,
      nativeReason,
    });
  });

  test('content-filter: a blocked prompt has no candidates', () => {
    const promptFeedback = { blockReason: 'PROHIBITED_CONTENT', blockReasonMessage: 'Not this.' };

    expect(decode({ promptFeedback, usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } })).toMatchObject([
      { type: 'start' },
      { type: 'refusal', choice: 0, text: 'Not this.' },
      { type: 'finish', choice: 0, reason: 'content_filter', nativeReason: 'PROHIBITED_CONTENT' },
      { type: 'usage', usage: { inputTokens: 4, outputTokens: 0 } },
    ]);
  });
});

test('refuses a body that is no answer', () => {
  expect(() => decode({ detail: 'x' })).toThrow('neither candidates');
});
