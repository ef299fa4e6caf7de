import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findAnyFacts, readAnyFacts } from '../../lambda/dialects/any-usage.ts';
import { estimatedTokens } from '../../lambda/dialects/estimated-tokens.ts';

const counted = {
  inputTokens: 10,
  outputTokens: 4,
  cacheReadInputTokens: 0,
  cacheCreationInputTokens: 0,
  reasoningOutputTokens: 0,
};

describe('the usage of an answer of unknown shape', () => {
  test.each<[string, object, object]>([
    ['chat completions', { usage: { prompt_tokens: 10, completion_tokens: 4 } }, counted],
    ['Responses', { usage: { input_tokens: 10, output_tokens: 4, total_tokens: 14 } }, counted],
    [
      'Messages, whose cache stands apart',
      { usage: { input_tokens: 3, cache_read_input_tokens: 7, cache_creation_input_tokens: 0, output_tokens: 4 } },
      { ...counted, cacheReadInputTokens: 7 },
    ],
    ['Gemini', { usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 4 } }, counted],
    ['Converse', { usage: { inputTokens: 10, outputTokens: 4, totalTokens: 14 } }, counted],
    ['Cohere', { usage: { tokens: { input_tokens: 10, output_tokens: 4 } } }, counted],
    ["Cohere's first version", { meta: { billed_units: { input_tokens: 10, output_tokens: 4 } } }, counted],
    ['a total alone', { usage: { total_tokens: 10 } }, { ...counted, outputTokens: 0 }],
    ['an event around it', { type: 'x', response: { usage: { input_tokens: 10, output_tokens: 4 } } }, counted],
  ])('is read in the manner of %s', (_, body, usage) => {
    expect(readAnyFacts({ ...body }).usage).toEqual(usage);
    expect(findAnyFacts(`data: ${JSON.stringify(body)}\n\n`).usage).toEqual(usage);
  });

  test.each([
    {},
    { usage: null },
    { usage: { seconds: 3, type: 'duration' } },
    { meta: { billed_units: { search_units: 1 } } },
  ])('is none in %j', (body) => {
    expect(readAnyFacts(body).usage).toBeUndefined();
    expect(findAnyFacts(JSON.stringify(body)).usage).toBeUndefined();
  });

  test('is not read from what an answer quotes', () => {
    const text = JSON.stringify({ text: '{"usage":{"input_tokens":1,"output_tokens":1}}', usage: null });

    expect(findAnyFacts(text).usage).toBeUndefined();
  });

  test('is the last that was counted, with the input from the beginning where the end has none', () => {
    const events = [
      { type: 'message_start', message: { model: 'm', usage: { input_tokens: 10, output_tokens: 1 } } },
      { type: 'message_delta', usage: { output_tokens: 4 } },
    ];

    const facts = findAnyFacts(events.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(''));

    expect(facts).toEqual({ usage: counted, responseModel: 'm' });
  });

  test('is read in no time, though objects stand within objects without end', () => {
    const started = performance.now();
    findAnyFacts('"usage":{'.repeat(8_000));

    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test('never makes the reader crash', () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (json, text) => {
        findAnyFacts(`"usage":{${text}`);
        findAnyFacts(`"usage":${json}`);
        const parsed: unknown = JSON.parse(json);
        readAnyFacts({ usage: parsed, meta: parsed, usageMetadata: parsed, response: parsed });
      }),
    );
  });
});

test('estimates count four letters for a token, and each ideogram', () => {
  expect(estimatedTokens('twelve chars')).toBe(3);
  expect(estimatedTokens('日本語')).toBe(3);
  expect(estimatedTokens('')).toBe(0);
});
