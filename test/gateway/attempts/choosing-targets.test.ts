import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { recordByName, type Snapshot } from '../../../lambda/config/snapshot.ts';
import { chatRequest, closeCores, handled } from '../../support/core.ts';
import { answer, completion } from '../../support/scripted-vendor.ts';
import { aModel, aSnapshot } from '../../support/snapshots.ts';
import { suiteVendor } from '../../support/suite-vendor.ts';

const vendor = suiteVendor();
beforeEach(() => {
  vendor.always(answer(200, completion('Hello')));
});
afterEach(closeCores);

type Target = Snapshot['models'][string]['targets'][number];

function snapshot(models: Record<string, Partial<Snapshot['models'][string]> & { targets: Target[] }>): Snapshot {
  const provider = (type: string) => ({ type, baseUrl: vendor.url });
  return aSnapshot({
    providers: recordByName([
      ['left', provider('openai-compatible')],
      ['right', provider('openai-compatible')],
      ['router', provider('openrouter')],
      ['claude', provider('anthropic')],
    ]),
    models: recordByName(
      Object.entries(models).map(([name, model]) => [name, { ...aModel('left'), strategy: 'priority', ...model }]),
    ),
  });
}

const target = (provider: string, more: Partial<Target> = {}): Target => ({ provider, model: 'm', weight: 1, ...more });
const providerOf = ({ head }: Awaited<ReturnType<typeof handled>>) => head?.headers['x-sluice-provider'];

describe('a request', () => {
  test('goes where its caller wants, and takes that wish to no vendor', async () => {
    const one = snapshot({ one: { targets: [target('left'), target('right')] } });

    const result = await handled(one, chatRequest({ provider: { order: ['right'] }, models: ['one'] }));

    expect(providerOf(result)).toBe('right');
    expect(vendor.seen[0]?.body).not.toHaveProperty('provider');
    expect(vendor.seen[0]?.body).not.toHaveProperty('models');
  });

  test('takes it to a vendor that chooses among others itself', async () => {
    const one = snapshot({ one: { targets: [target('router')] } });

    await handled(one, chatRequest({ models: ['x-ai/grok-4'], provider: { order: ['together'], zdr: true } }));

    const wish = { models: ['x-ai/grok-4'], provider: { order: ['together'], zdr: true } };
    expect(vendor.seen[0]?.body).toMatchObject(wish);
  });

  test('takes it to no vendor where the gateway has read it, not even to one that would read it too', async () => {
    const models = snapshot({
      one: { targets: [target('router'), target('left')] },
      two: { targets: [target('right')] },
    });

    await handled(models, chatRequest({ models: ['one', 'two'], provider: { order: ['router'] } }));

    expect(vendor.seen[0]?.body).not.toHaveProperty('provider');
    expect(vendor.seen[0]?.body).not.toHaveProperty('models');
  });

  test('is judged by the model that a rule has made of its own, also in whom it is left to', async () => {
    const rules = [{ when: { stream: false }, use: { targets: [target('left')] } }];
    const models = snapshot({ one: { targets: [target('router')], rules }, two: { targets: [target('right')] } });
    vendor.next(answer(503, {}), answer(200, completion('Hello')));

    const private_ = await handled(models, chatRequest({ provider: { zdr: true } }));
    const next = await handled(models, chatRequest({ models: ['one', 'two'] }));

    expect([private_.head?.status, vendor.seen.length]).toEqual([400, 2]);
    expect(providerOf(next)).toBe('right');
  });

  test('with a wish that only a vendor can honour goes to no fallback that cannot', async () => {
    vendor.always(answer(503, {}));
    const models = snapshot({
      one: { targets: [target('router')], fallbacks: ['two'] },
      two: { targets: [target('right')] },
    });

    const { head, line } = await handled(models, chatRequest({ provider: { data_collection: 'deny' } }));

    expect(head?.status).toBe(503);
    expect(line.leftOut).toEqual([
      { target: 'right/m', reason: 'fallback, but provider.data_collection cannot be honoured there' },
    ]);
  });

  test('is not kept from a vendor by limits that are left to it', async () => {
    const provider = { only: ['together'], max_price: { prompt: 1 }, ignore: ['router'] };

    const result = await handled(snapshot({ one: { targets: [target('router')] } }), chatRequest({ provider }));

    expect(providerOf(result)).toBe('router');
    expect(vendor.seen[0]?.body).toMatchObject({ provider });
  });

  test('that wants all parameters honoured has none left out, whatever else it says', async () => {
    const headers = { 'x-api-key': 'k', 'x-sluice-unsupported-parameters': 'drop' };
    const wish = { model: 'claude/m', seed: 7, provider: { require_parameters: true } };
    const claude = snapshot({ one: { targets: [target('left')] } });

    const { head, text } = await handled(claude, chatRequest(wish, { headers }));
    const dropped = await handled(claude, chatRequest({ ...wish, provider: {} }, { headers }));

    expect([head?.status, JSON.parse(text).error.param]).toEqual([400, 'seed']);
    expect(vendor.seen.length).toBeGreaterThan(0);
    expect(dropped.line.attempts).toHaveLength(1);
  });

  test('has nothing left out against its caller’s word, though its model would', async () => {
    const one = snapshot({ one: { targets: [target('claude')], unsupportedParameters: 'drop' } });
    const headers = { 'x-api-key': 'k', 'x-sluice-unsupported-parameters': 'reject' };

    const refused = await handled(one, chatRequest({ seed: 7 }, { headers }));
    const asked = await handled(one, chatRequest({ seed: 7 }));

    expect([refused.head?.status, JSON.parse(refused.text).error.param]).toEqual([400, 'seed']);
    expect(asked.line.attempts).toHaveLength(1);
    expect(vendor.seen).toHaveLength(1);
  });

  test('is refused when its caller wants what nobody here can promise', async () => {
    const { head, text } = await handled(
      snapshot({ one: { targets: [target('left')] } }),
      chatRequest({ provider: { data_collection: 'deny' } }),
    );

    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error).toMatchObject({ code: 'invalid_request', param: 'provider.data_collection' });
  });

  test('ends at another model of its caller’s when the first fails', async () => {
    vendor.next(answer(503, {}), answer(200, completion('Hello')));
    const models = snapshot({
      one: { targets: [target('left')] },
      two: { targets: [target('right', { model: 'n' })] },
    });

    const result = await handled(models, chatRequest({ models: ['one', 'two'] }));

    expect(providerOf(result)).toBe('right');
  });

  test('may not name a model in `models` that its key does not allow', async () => {
    const models = snapshot({ one: { targets: [target('left')] }, two: { targets: [target('right')] } });
    const findCaller = async () => ({ label: 'limited', models: ['one'] });

    const { head } = await handled(models, chatRequest({ models: ['one', 'two'] }), { deps: { findCaller } });

    expect(head?.status).toBe(403);
    expect(vendor.seen).toHaveLength(0);
  });

  test('stays with the others of its conversation, which long instructions do not hide', async () => {
    const both = snapshot({ one: { strategy: 'latency', targets: [target('left'), target('right')] } });
    const instructions = { role: 'system', content: 'You are a helpful assistant. '.repeat(100) };
    const askTwice = async (question: string) => {
      const first = [instructions, { role: 'user', content: question }];
      const more = [...first, { role: 'assistant', content: 'Yes.' }, { role: 'user', content: `Why? ${question}` }];
      return [
        await handled(both, chatRequest({ messages: first })),
        await handled(both, chatRequest({ messages: more })),
      ];
    };

    const asked = [];
    for (let i = 0; i < 20; i++) asked.push((await askTwice(`Question ${i}`)).map(providerOf));

    expect(asked.filter(([first, second]) => first !== second)).toEqual([]);
    expect(new Set(asked.flat())).toEqual(new Set(['left', 'right']));
  });

  test('with a picture passes over a model that cannot see', async () => {
    const blind = target('left', { capabilities: { vision: false } });
    const content = [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }];

    const result = await handled(
      snapshot({ one: { targets: [blind, target('right')] } }),
      chatRequest({ messages: [{ role: 'user', content }] }),
    );

    expect(providerOf(result)).toBe('right');
  });

  test('with a large picture inside is not taken for a long prompt', async () => {
    const url = `data:image/png;base64,${'A'.repeat(1_000_000)}`;
    const small = target('left', { contextTokens: 8_000 });

    const result = await handled(
      snapshot({ one: { targets: [small] } }),
      chatRequest({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] }),
    );

    expect(result.head?.status).toBe(200);
  });

  test('that nobody may take is told why', async () => {
    const dear = target('left', { price: { input: 5, output: 20 } });

    const { head, text } = await handled(
      snapshot({ one: { targets: [dear, target('right')] } }),
      chatRequest({ provider: { max_price: { prompt: 1 } } }),
    );

    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error.code).toBe('no_target_matches');
    expect(JSON.parse(text).error.message).toContain('left/m: its price of $5');
    expect(JSON.parse(text).error.message).toContain('right/m: its price is unknown');
  });

  test('follows the rule of its model, which the log names', async () => {
    const rules = [{ name: 'batch', when: { metadata: { kind: 'batch' } }, use: { targets: [target('right')] } }];
    const one = snapshot({ one: { targets: [target('left')], rules } });

    const ruled = await handled(one, chatRequest({ metadata: { kind: 'batch' } }));
    const other = await handled(one, chatRequest());

    expect([providerOf(ruled), ruled.line.rule]).toEqual(['right', 'batch']);
    expect([providerOf(other), other.line.rule]).toEqual(['left', undefined]);
  });

  test('takes its turn under round-robin, be it the model’s own, a rule’s or a fallback’s', async () => {
    const both = { strategy: 'round-robin' as const, targets: [target('left'), target('right')] };
    const rules = [{ name: 'fair', use: { strategy: 'round-robin' as const } }];
    const down = { targets: [target('left', { model: 'tiny', contextTokens: 1 })], fallbacks: ['both'] };
    const models = snapshot({ one: both, ruled: { ...both, strategy: 'priority', rules }, fallen: down, both });
    const askedOf = async (model: string) => {
      const taken: string[] = [];
      const turns = { next: (name: string) => taken.push(name) - 1, peek: () => 0 };
      const asked = [];
      for (let i = 0; i < 4; i++)
        asked.push(providerOf(await handled(models, chatRequest({ model }), { deps: { turns } })));
      return [asked, [...new Set(taken)]];
    };

    const inTurn = ['left', 'right', 'left', 'right'];
    expect(await askedOf('one')).toEqual([inTurn, ['model#one']]);
    expect(await askedOf('ruled')).toEqual([inTurn, ['model#ruled#fair']]);
    expect(await askedOf('fallen')).toEqual([inTurn, ['fallback#both']]);
  });

  test('takes no turn where none is needed, and where it is only explained', async () => {
    const both = { strategy: 'round-robin' as const, targets: [target('left'), target('right')] };
    const models = snapshot({ one: both, plain: { targets: both.targets } });
    const taken: string[] = [];
    const turns = { next: (name: string) => taken.push(name), peek: () => 1 };

    await handled(models, chatRequest({ model: 'plain' }), { deps: { turns } });
    await handled(models, chatRequest({ provider: { sort: 'price' } }), { deps: { turns } });
    const told = await handled(models, { ...chatRequest(), path: '/v1/route' }, { deps: { turns } });

    expect(JSON.parse(told.text).attempts[0]).toMatchObject({ target: 'right/m', reason: 'its turn, 2 of 2' });
    expect(taken).toEqual([]);
  });
});
