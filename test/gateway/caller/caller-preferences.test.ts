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
      user: null,
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
      foreign: ['sort.partition', 'zdr'],
    });
  });

  test.each<[unknown, object | undefined]>([
    [2, { p50: 2000 }],
    [0, { p50: 0 }],
    [
      { p50: 0.5, p75: 1, p90: 2, p99: 4 },
      { p50: 500, p75: 1000, p90: 2000, p99: 4000 },
    ],
    [{ p50: null, p99: 3 }, { p99: 3000 }],
    [{}, undefined],
    [null, undefined],
  ])('take %j for a latency in seconds', (latency, limits) => {
    const throughput = limits && Object.fromEntries(Object.entries(limits).map(([name, ms]) => [name, ms / 1000]));

    expect(readPreferences({ preferred_max_latency: latency })?.preferredMaxLatencyMs).toEqual(limits);
    expect(readPreferences({ preferred_min_throughput: latency })?.preferredMinThroughput).toEqual(throughput);
  });

  test.each([['1s'], [-1], [[1]], [true], [{ p42: 1 }], [{ p50: '1' }], [{ p50: -1 }], [Number.NaN]])(
    'do not take %j for a latency or a throughput, and say what they take',
    (value) => {
      expect(() => readPreferences({ preferred_max_latency: value })).toThrow(
        '"provider.preferred_max_latency" must be a number of seconds, or an object of p50, p75, p90 and p99.',
      );
      expect(() => readPreferences({ preferred_min_throughput: value })).toThrow(
        '"provider.preferred_min_throughput" must be a number of tokens per second, or an object of p50, p75, p90 and p99.',
      );
    },
  );

  test.each([[{ order: [], only: [], ignore: [] }], [{ max_price: {} }], [{ max_price: { prompt: null } }]])(
    'say nothing with %j',
    (provider) => {
      expect(readPreferences(provider)).toEqual({});
    },
  );

  test.each([
    [{ sort: { by: 'price', partition: 'none' } }, { sort: 'price', foreign: ['sort.partition'] }],
    [{ sort: { by: 'price', partition: 'model' } }, { sort: 'price' }],
    [{ max_price: { image: 1, prompt: 2, audio: null } }, { maxPrice: { input: 2 }, foreign: ['max_price.image'] }],
    [{ zdr: false, data_collection: 'allow', quantizations: null }, {}],
    [{ data_collection: 'deny', quantizations: ['fp8'] }, { foreign: ['data_collection', 'quantizations'] }],
    [{ zdr: true, max_price: { request: 1 } }, { foreign: ['zdr', 'max_price.request'] }],
  ])('say which of %j is not for this gateway', (provider, preferences) => {
    expect(readPreferences(provider)).toEqual(preferences);
  });

  test.each<[string, unknown, string]>([
    ['text', 'openai', 'provider'],
    ['an order that is no list', { order: 'openai' }, 'provider.order'],
    ['numbers among names', { only: [1] }, 'provider.only'],
    ['a sort by nothing', { sort: { partition: 'none' } }, 'provider.sort'],
    ['an unknown sort', { sort: 'fastest' }, 'provider.sort'],
    ['a flag that is none', { allow_fallbacks: 'no' }, 'provider.allow_fallbacks'],
    ['a negative price', { max_price: { prompt: -1 } }, 'provider.max_price.prompt'],
    ['an empty price', { max_price: { prompt: ' ' } }, 'provider.max_price.prompt'],
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
