import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { authenticate, mayUse } from '../../../lambda/gateway/caller/authenticate.ts';
import { coreDeps } from '../../support/core.ts';
import { aSnapshot } from '../../support/snapshots.ts';

const sha256 = createHash('sha256').update('sk-key').digest('hex');
const caller = { label: 'team', models: undefined };
const { deps } = coreDeps(aSnapshot(), { findCaller: async (digest) => (digest === sha256 ? caller : undefined) });

describe('authenticate', () => {
  test.each([
    [{ authorization: 'Bearer sk-key' }],
    [{ authorization: 'bearer   sk-key  ' }],
    [{ 'x-api-key': 'sk-key' }],
    [{ 'x-api-key': ' sk-key ' }],
    [{ authorization: 'Basic abc', 'x-api-key': 'sk-key' }],
  ])('finds the caller of %j', async (headers) => {
    expect(await authenticate({ headers, query: '' }, deps)).toBe(caller);
  });

  test.each([
    [{}],
    [{ authorization: '' }],
    [{ authorization: 'Bearer' }],
    [{ authorization: 'Bearer ' }],
    [{ authorization: 'sk-key' }],
    [{ authorization: 'Bearer sk key' }],
    [{ authorization: 'Bearer wrong' }],
    [{ authorization: 'Bearer wrong', 'x-api-key': 'sk-key' }],
    [{ 'x-api-key': '  ' }],
    [{ 'x-api-key': sha256 }],
    [{ authorization: `Bearer${' '.repeat(100_000)}a b` }],
  ])('refuses %j without repeating it', async (headers) => {
    const refusal = authenticate({ headers, query: '' }, deps);

    await expect(refusal).rejects.toMatchObject({ code: 'invalid_api_key', status: 401 });
    await expect(refusal).rejects.not.toThrow(/wrong|sk-key/);
  });
});

describe('mayUse', () => {
  const may = (models: string[] | undefined, model: string) => mayUse({ label: 'x', models }, model);

  test.each<[string[] | undefined, string, boolean]>([
    [undefined, 'anything', true],
    [[], 'anything', false],
    [['gpt-4o'], 'gpt-4o', true],
    [['gpt-4o'], 'gpt-4o-mini', false],
    [['gpt-*'], 'gpt-4o', true],
    [['gpt-*'], 'my-gpt-4o', false],
    [['*-mini'], 'gpt-4o-mini', true],
    [['gpt-*-mini'], 'gpt-mini', false],
    [['a*a'], 'a', false],
    [['*'], '', true],
    [['gpt.4'], 'gpt-4', false],
    [['openai/*'], 'openai/a/b', true],
    [['no', '**o'], 'yo', true],
  ])('with %j: %s → %s', (models, model, expected) => {
    expect(may(models, model)).toBe(expected);
  });

  test('agrees with a regular expression on every pattern and name', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/'), maxLength: 8 });
    const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.', '/'), maxLength: 6 });

    fc.assert(
      fc.property(patterns, texts, (pattern, name) => {
        const naive = new RegExp(`^${pattern.replace(/[./]/g, '\\$&').replaceAll('*', '.*')}$`, 's');

        expect(may([pattern], name)).toBe(naive.test(name));
      }),
      { numRuns: 2_000 },
    );
  });

  test('takes little time for the patterns that a regular expression chokes on', () => {
    const started = performance.now();

    expect(may([`${'*a'.repeat(50)}b`], 'a'.repeat(10_000))).toBe(false);

    expect(performance.now() - started).toBeLessThan(500);
  });
});
