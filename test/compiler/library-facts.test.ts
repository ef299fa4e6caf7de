import { expect, test } from '@jest/globals';
import { libraryFacts } from '../../lambda/compiler/library-facts.ts';

test('knows prices per million tokens and context windows, at the vendor that is asked', () => {
  expect(libraryFacts('openai', 'gpt-4o')).toEqual({ price: { input: 2.5, output: 10 }, contextTokens: 128_000 });
  expect(libraryFacts('aws-bedrock', 'us.anthropic.claude-sonnet-4-20250514-v1:0')).toMatchObject({
    price: { input: 3, output: 15 },
  });
});

test('knows nothing of models and vendors that it has not heard of, instead of calling them free', () => {
  expect(libraryFacts('openai', 'no-such-model')).toEqual({});
  expect(libraryFacts('openai-compatible', 'gpt-4o')).toEqual({});
  expect(libraryFacts('nobody', 'gpt-4o')).toEqual({});
});
