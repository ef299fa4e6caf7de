import { describe, expect, test } from '@jest/globals';
import { closedBreakers } from '../../support/core.ts';

import { planWorld } from '../../support/plan-world.ts';

describe('a plan with several keys', () => {
  const limited = { status: 429, headers: { 'retry-after': '30' } };
  const manyKeys = { a: ['a-1', 'a-2', 'a-3', 'a-4', 'a-5'], b: ['b-1'] };

  test('takes up to three of them when they are limited, and the next request takes none of these', async () => {
    const { state, run } = planWorld([limited, limited, limited, 200, limited, limited, 200], { secrets: manyKeys });

    await run('a', 'b');
    await run('a', 'b');

    expect(state.asked).toEqual(['a a-1', 'a a-2', 'a a-3', 'b b-1', 'a a-4', 'a a-5', 'b b-1']);
  });

  test.each([{ 'retry-after': '0' }, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, { 'retry-after-ms': '0' }])(
    'takes no limited key for another one, though it might be asked again at once: %j',
    async (headers) => {
      const limitedNow = { status: 429, headers };
      const { state, run } = planWorld([limitedNow, limitedNow, 200]);

      await run('a', 'b');

      expect(state.asked).toEqual(['a a-1', 'a a-2', 'b b-1']);
    },
  );

  test('lets a key rest for five minutes at most, whatever the vendor asks for', async () => {
    const forAnHour = { status: 429, headers: { 'retry-after': '3600' } };
    const { state, run } = planWorld([forAnHour], { totalMs: 1_000_000 });
    await run('a');

    state.nowMs += 299_999;
    await run('a');
    state.nowMs += 1;
    await run('a');

    expect(state.asked).toEqual(['a a-1', 'a a-2', 'a a-2', 'a a-1']);
  });

  test('asks nobody while all keys rest as the vendor has asked, and says when to come back', async () => {
    const { state, run, records } = planWorld(
      Array.from({ length: 9 }, () => limited),
      { secrets: { a: ['a-1', 'a-2'] } },
    );
    await run('a');
    state.asked.length = 0;
    state.nowMs += 10_000;

    const result = await run('a');

    expect(state.asked).toEqual([]);
    expect(result?.outcome).toMatchObject({ failure: { kind: 'rate_limited', retryAfterMs: 20_000 } });
    expect(records.at(-1)).toMatchObject({ outcome: 'rate_limited', detail: 'Its keys rest, as it has asked for' });
  });

  test('goes on asking with the key that is rested soonest when nobody has said until when', async () => {
    const { state, run } = planWorld([429, 200], { secrets: { a: ['a-1'] } });
    await run('a');

    await run('a');

    expect(state.asked).toEqual(['a a-1', 'a a-1']);
  });

  test('keeps a key that is limited for one model for the others', async () => {
    const { state, run } = planWorld([limited, limited, 200, 200], { secrets: { a: ['a-1', 'a-2'], b: ['b-1'] } });

    await run('a', 'b');
    await run({ provider: 'a', model: 'other' });

    expect(state.asked.at(-1)).toBe('a a-1');
  });

  test.each([
    ['an empty account', { status: 429, body: { error: { code: 'insufficient_quota' } } }],
    ['a refused key', 401],
  ])('takes a key of %s for no other model either', async (_, reply) => {
    const { state, run } = planWorld([reply, 200, 200], { secrets: { a: ['a-1', 'a-2'] } });

    await run('a');
    await run({ provider: 'a', model: 'other' });

    expect(state.asked).toEqual(['a a-1', 'a a-2', 'a a-2']);
  });

  test('lets a model that is forbidden to a key not keep the key from other models', async () => {
    const { state, run } = planWorld([403, 403, 200], { secrets: { a: ['a-1', 'a-2'] } });

    await run('a');
    await run({ provider: 'a', model: 'other' });

    expect(state.asked.at(-1)).toBe('a a-1');
  });

  test('takes the keys that the caller wants, and tells which', async () => {
    const { state, run, context, records } = planWorld([429, 200], { secrets: manyKeys });
    context.keyRange = { from: 2, to: 3 };

    await run('a');

    expect(state.asked).toEqual(['a a-2', 'a a-3']);
    expect(records.map(({ key }) => key)).toEqual([2, 3]);
  });

  test('keeps nobody else away from a target when the only key that a caller wants is limited', async () => {
    const { run, context, deps } = planWorld([limited], { secrets: manyKeys });
    context.keyRange = { from: 2, to: 2 };

    await run('a');

    expect(deps.breakers.state('a/m')).toBe('closed');
  });

  test('fails when the caller wants a key that is not there', async () => {
    const { state, run, context } = planWorld([], { secrets: manyKeys });
    context.keyRange = { from: 7, to: 7 };

    const result = await run('a');

    expect(state.asked).toEqual([]);
    expect(result?.outcome).toMatchObject({
      failure: { kind: 'unsupported', detail: 'There is no key at place 7.' },
    });
  });

  test('asks a limited provider no more than its keys, however many requests come at once', async () => {
    const { state, run } = planWorld(
      Array.from({ length: 99 }, () => limited),
      { secrets: { a: manyKeys.a } },
    );

    for (let i = 0; i < 20; i++) await run('a');

    expect(state.asked).toHaveLength(5);
  });
});

describe('a plan with a budget of second tries', () => {
  test('tries again as long as there is a reserve, then goes straight to the next target', async () => {
    const { state, run, deps } = planWorld(Array.from({ length: 8 }, () => 500));
    deps.breakers = closedBreakers();

    for (let i = 0; i < 4; i++) await run('a');

    // Three second tries, and a fifth of one from each attempt.
    expect(state.asked).toHaveLength(8);
    await run('a');
    expect(state.asked).toHaveLength(9);
  });

  test('gives no last chance without a reserve, and waits for none', async () => {
    const { state, run, deps } = planWorld([503, 200]);
    while (deps.retries.spend('a/m', undefined));

    await run('a');

    expect(state.asked).toEqual(['a a-1']);
    expect(state.sleeps).toEqual([]);
  });
});
