import { describe, expect, test } from '@jest/globals';
import { modelTraits } from '../../../lambda/dialects/anthropic-messages/claude-models.ts';

describe('the traits of a model', () => {
  test.each([
    ['claude-3-opus-20240229', 'none', 4096],
    ['claude-3-5-sonnet-20241022', 'none', 8192],
    ['claude-3-7-sonnet@20250219', 'budget', 32_000],
    ['claude-opus-4-20250514', 'budget', 32_000],
    ['anthropic/claude-haiku-4.5', 'budget', 32_000],
    ['anthropic.claude-sonnet-4-5-20250929-v1:0', 'budget', 32_000],
    ['claude-opus-4-6', 'both', 32_000],
    ['claude-sonnet-5', 'adaptive', 32_000],
    ['claude-4.7-opus', 'adaptive', 32_000],
    ['claude-mythos-preview', 'adaptive', 32_000],
    ['our-claude', 'adaptive', 32_000],
    ['some-model', 'budget', 8192],
  ])('%s: thinking %s, %i tokens when none are asked for', (model, thinking, defaultMaxTokens) => {
    expect(modelTraits(model)).toMatchObject({ thinking, defaultMaxTokens });
  });

  test('a date is no minor version', () => {
    expect(modelTraits('claude-sonnet-4-20250514').structuredOutputs).toBe(false);
    expect(modelTraits('claude-sonnet-4-5-20250929').structuredOutputs).toBe(true);
  });
});
