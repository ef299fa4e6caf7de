import { describe, expect, test } from '@jest/globals';
import { readModels, readPreferences } from '../../../lambda/gateway/caller/caller-preferences.ts';

describe('a caller’s preferences', () => {
  test('are read in OpenRouter’s words and units', () => {
    const preferences = readPreferences({
      order: ['a', 'b'],
      only: ['a'],
      ignore: ['c'],
      sort: { by: 'price', partition: 'none' },
      allow_fallbacks: false,
      require_parameters: true,
      max_price: { prompt: 1, completion: '2.5' },
      preferred_max_latency: 1.5,
      preferred_min_throughput: { p90: 20 },
      zdr: true,
    });

    expect(preferences).toEqual({
      order: ['a', 'b'],
      only: ['a'],
      ignore: ['c'],
      sort: 'price',
      allowFallbacks: false,
      requireParameters: true,
      maxPrice: { input: 1, output: 2.5 },
      preferredMaxLatencyMs: { p50: 1500 },
      preferredMinThroughput: { p90: 20 },
      foreign: ['zdr'],
    });
  });

  test.each<[string, unknown, string]>([
    ['text', 'openai', 'provider'],
    ['an order that is no list', { order: 'openai' }, 'provider.order'],
    ['numbers among names', { only: [1] }, 'provider.only'],
    ['an unknown sort', { sort: 'fastest' }, 'provider.sort'],
    ['a flag that is none', { allow_fallbacks: 'no' }, 'provider.allow_fallbacks'],
    ['a negative price', { max_price: { prompt: -1 } }, 'provider.max_price.prompt'],
    ['a price of something else', { max_price: { image: 1 } }, 'provider.max_price'],
    ['an unknown percentile', { preferred_max_latency: { p42: 1 } }, 'provider.preferred_max_latency'],
    ['a latency that is no number', { preferred_max_latency: '1s' }, 'provider.preferred_max_latency'],
  ])('are refused when they are %s', (_, provider, param) => {
    expect(() => readPreferences(provider)).toThrow(
      expect.objectContaining({ code: 'invalid_request', details: expect.objectContaining({ param }) }),
    );
  });

  test('may name models, each once', () => {
    expect(readModels(['a', 'b', 'a'])).toEqual(['a', 'b']);
    expect(readModels(undefined)).toEqual([]);
    expect(() => readModels('a')).toThrow(/must be a list/);
  });
});
