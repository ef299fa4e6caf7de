import fc from 'fast-check';
import type { WireAnswer, WireCall } from './dialect-fixtures/dialect-fixture.ts';

/** Text of any characters, without halves of them. */
export const anyText = fc.string({ unit: 'grapheme', maxLength: 12 });
const pieces = fc.array(
  anyText.filter((text) => text !== ''),
  { minLength: 1, maxLength: 4 },
);

const anyArguments = fc.dictionary(fc.constantFrom('city', 'days', '"', 'ü'), fc.jsonValue({ maxDepth: 2 }), {
  maxKeys: 3,
  noNullPrototype: true,
});

const calls: fc.Arbitrary<WireCall[]> = fc
  .array(fc.option(anyArguments, { nil: undefined }), { maxLength: 3 })
  .map((all) =>
    all.map((input, index) => ({
      id: `call_${index}`,
      name: `tool_${index % 2}`,
      arguments: input === undefined ? undefined : JSON.stringify(input),
    })),
  );

const usage = fc.record({ input: fc.nat(5_000), cached: fc.nat(100), output: fc.nat(500), reasoning: fc.nat(400) });

/** Answers of any content that a vendor may give. */
export const anyAnswer: fc.Arbitrary<WireAnswer> = fc
  .record({ reasoning: fc.option(pieces, { nil: undefined }), text: pieces, calls, usage, stop: fc.boolean() })
  .map(({ reasoning, text, calls: made, usage: { input, cached, output, reasoning: thought }, stop }) => ({
    ...(reasoning ? { reasoning: { pieces: reasoning, signature: 'c2lnbmF0dXJl' } } : {}),
    text,
    calls: made,
    finish: made.length > 0 ? 'tool_calls' : stop ? 'stop' : 'length',
    usage: {
      inputTokens: input + cached + 1,
      outputTokens: output + thought + 1,
      cacheReadInputTokens: cached,
      cacheCreationInputTokens: 0,
      reasoningOutputTokens: reasoning ? thought : 0,
    },
  }));
