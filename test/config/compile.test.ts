import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileSnapshot } from '../../lambda/config/compile.ts';
import type { RawItem } from '../../lambda/config/raw-item.ts';
import type { Snapshot } from '../../lambda/config/snapshot.ts';

const stamp = { version: 7, compiledAt: '2026-01-01T00:00:00.000Z' };

describe('compiling', () => {
  test('makes a snapshot of everything that was configured', () => {
    const snapshot = compiled([
      provider('azure-eu', {
        type: 'azure-openai',
        baseUrl: 'https://acme.openai.azure.com',
        deployments: { b: 'x', a: 'y' },
      }),
      model('gpt-4o', { targets: ['openai/gpt-4o', { target: 'azure-eu/gpt-4o', weight: 3 }], fallbacks: ['claude'] }),
      model('claude', { targets: ['anthropic/claude'], strategy: 'priority', timeouts: { idleMs: 5000 } }),
      settings({ defaultModel: 'claude' }),
    ]);

    expect(snapshot).toEqual({
      ...stamp,
      providers: {
        'azure-eu': {
          type: 'azure-openai',
          baseUrl: 'https://acme.openai.azure.com',
          deployments: { a: 'y', b: 'x' },
        },
      },
      models: {
        claude: {
          targets: [{ provider: 'anthropic', model: 'claude', weight: 1 }],
          strategy: 'priority',
          fallbacks: [],
          timeouts: { idleMs: 5000 },
        },
        'gpt-4o': {
          targets: [
            { provider: 'openai', model: 'gpt-4o', weight: 1 },
            { provider: 'azure-eu', model: 'gpt-4o', weight: 3 },
          ],
          strategy: 'latency',
          fallbacks: ['claude'],
          timeouts: {},
        },
      },
      settings: { defaultModel: 'claude' },
    });
  });

  test('gives the same text for the same configuration, in whatever order it came', () => {
    const items = [
      ...['b', 'a', 'constructor', '__proto__', '10', '9'].map((name) => model(name)),
      provider('mine', { baseUrl: 'http://localhost', headers: { b: '1', a: '2' } }),
      provider('groq', { type: 'groq' }),
      settings({ defaultModel: 'a' }),
    ];
    const text = JSON.stringify(compiled(items));
    const reordered = (item: RawItem) => Object.fromEntries(Object.entries(item).reverse()) as RawItem;

    fc.assert(
      fc.property(fc.shuffledSubarray(items, { minLength: items.length }), (shuffled) => {
        expect(JSON.stringify(compiled(shuffled.map(reordered)))).toBe(text);
      }),
      { numRuns: 50 },
    );
  });

  test('gives no answer for a name that nobody configured, be it the name of an object method', () => {
    const { models } = compiled([model('a')]);

    expect(models['constructor']).toBeUndefined();
    expect('__proto__' in models).toBe(false);
  });

  test('keeps a model called like an object method', () => {
    const { models } = compiled([model('constructor'), model('__proto__')]);

    expect(Object.keys(models)).toEqual(['__proto__', 'constructor']);
  });

  test('takes the sets of DynamoDB for lists', () => {
    const { models } = compiled([
      model('b'),
      model('c'),
      model('a', { targets: new Set(['openai/x']), fallbacks: new Set(['c', 'b']) }),
    ]);

    expect(models['a']).toMatchObject({ targets: [{ provider: 'openai', model: 'x' }], fallbacks: ['b', 'c'] });
  });

  test('leaves keys out', () => {
    expect(compiled([{ kind: 'key', name: 'a'.repeat(64) }])).toEqual(compiled([]));
  });

  test('keeps what becomes of broken streams, and which targets go on behind a beginning', () => {
    const targets = [
      { target: 'openai/a', continuesPartial: true },
      { target: 'openai/b', continuesPartial: false },
    ];
    const { models } = compiled([model('a', { targets, onStreamFailure: 'resume' })]);

    expect(models['a']).toMatchObject({
      onStreamFailure: 'resume',
      targets: [
        { provider: 'openai', model: 'a', weight: 1, continuesPartial: true },
        { provider: 'openai', model: 'b', weight: 1 },
      ],
    });
  });

  test('splits a target at the first slash only', () => {
    const { models } = compiled([model('llama', { targets: ['openrouter/meta-llama/llama-4'] })]);

    expect(models['llama']?.targets[0]).toMatchObject({ provider: 'openrouter', model: 'meta-llama/llama-4' });
  });

  test('takes two seconds of CPU at most for 10000 models', () => {
    const items = Array.from({ length: 10_000 }, (_, i) =>
      model(`model-${i}`, { targets: ['openai/a', 'groq/b'], fallbacks: [`model-${(i + 1) % 10_000}`] }),
    );
    const start = process.cpuUsage();

    compiled(items);

    expect(process.cpuUsage(start).user).toBeLessThan(2_000_000);
  });

  test('takes five seconds of CPU at most for 2000 mistakes', () => {
    const items = Array.from({ length: 1000 }, (_, i) =>
      model(`model-${i}`, { targets: ['opnai/a'], fallbacks: [`modl-${i}`] }),
    );
    const start = process.cpuUsage();

    const errors = rejected(items);

    expect(errors).toHaveLength(2000);
    expect(process.cpuUsage(start).user).toBeLessThan(5_000_000);
  });
});

describe('a provider', () => {
  test.each([
    ['has the type of its own name', provider('groq'), 'groq'],
    ['has the type of which its name is an alias', provider('grok'), 'xai'],
    [
      'is compatible with OpenAI when nobody knows its name',
      provider('mine', { baseUrl: 'http://localhost' }),
      'openai-compatible',
    ],
    ['has the type it says, by the name in the catalogue', provider('x', { type: 'gemini' }), 'google-ai-studio'],
  ])('%s', (_, item, type) => {
    expect(compiled([item]).providers[item.name]?.type).toBe(type);
  });

  test.each([{}, { region: 'global' }, { region: 'eu', project: 'acme-1' }, { region: 'me-central2' }])(
    'of Vertex AI may have the fields %j',
    (fields) => {
      expect(compiled([provider('vertex-ai', fields)]).providers['vertex-ai']).toEqual({
        type: 'google-vertex-ai',
        ...fields,
      });
    },
  );

  test('behind a gateway of Cloudflare needs no address, where the gateway has one', () => {
    const cloudflareGateway = { account: 'a', gateway: 'g' };

    expect(compiled([provider('workers-ai', { cloudflareGateway })]).providers['workers-ai']).toEqual({
      type: 'workers-ai',
      cloudflareGateway,
    });
  });

  test('names its secret by the name in the catalogue', () => {
    const { providers } = compiled([provider('second', { type: 'xai', secret: 'grok' })]);

    expect(providers['second']?.secret).toBe('xai');
  });

  test.each([
    ['an unknown type', { type: 'opena' }, 'provider/x type: "opena" is unknown; did you mean "openai"?'],
    ['no address', {}, 'provider/x baseUrl: is missing; the type openai-compatible has no address of its own'],
    [
      'deployments where there are none',
      { type: 'groq', deployments: { a: 'b' } },
      'provider/x deployments: the type groq has none',
    ],
    [
      'a version where there is none',
      { type: 'groq', apiVersion: '1' },
      'provider/x apiVersion: the type groq has none',
    ],
    [
      'no region where there must be one',
      { type: 'aws-bedrock' },
      'provider/x region: is missing; name an AWS region such as eu-central-1',
    ],
    [
      "a region of another vendor's",
      { type: 'aws-bedrock', region: 'europe-west1' },
      'provider/x region: must be an AWS region such as eu-central-1',
    ],
    [
      'a location that Google does not have',
      { type: 'google-vertex-ai', region: 'eu-central-1' },
      'provider/x region: must be a location of Google Cloud such as europe-west1, or global, us or eu',
    ],
    ['a region where there is none', { type: 'groq', region: 'us' }, 'provider/x region: the type groq has none'],
    ['a project where there is none', { type: 'groq', project: 'p' }, 'provider/x project: the type groq has none'],
    [
      'half of a gateway',
      { type: 'groq', cloudflareGateway: { account: 'a' } },
      'provider/x cloudflareGateway: needs account and gateway, or the url of a domain of its own',
    ],
    [
      'a gateway that does not know it',
      { type: 'huggingface', cloudflareGateway: { account: 'a', gateway: 'g' } },
      "provider/x cloudflareGateway.provider: is missing; huggingface is no provider of Cloudflare's, so name a custom one, as in custom-mine",
    ],
    [
      'a gateway and no resource of Azure',
      { type: 'azure-openai', baseUrl: 'https://a.b', cloudflareGateway: { account: 'a', gateway: 'g' } },
      'provider/x cloudflareGateway: needs the baseUrl of the resource at Azure, as in https://acme.openai.azure.com',
    ],
    [
      'a slip in the fields of a gateway',
      { type: 'groq', cloudflareGateway: { acount: 'a', gateway: 'g' } },
      'provider/x cloudflareGateway.acount: unknown field; did you mean "account"?',
    ],
    ['an address without a scheme', { baseUrl: 'acme.com' }, 'provider/x baseUrl: must start with https:// or http://'],
    [
      'a key in a header',
      { type: 'groq', headers: { Authorization: 'Bearer sk-1' } },
      'provider/x headers.Authorization: is set by the gateway; keys belong in the vendor secret',
    ],
    [
      'a line break in a header',
      { type: 'groq', headers: { a: 'b\r\nc: d' } },
      'provider/x headers.a: must be printable ASCII',
    ],
    [
      'a deployment that leaves its path',
      { type: 'azure-openai', baseUrl: 'https://a.b', deployments: { a: '../x' } },
      'provider/x deployments.a: use letters, digits, "_", "." and "-"',
    ],
    [
      'a field with a slip in its name',
      { type: 'groq', baseurl: 'https://a.b' },
      'provider/x baseurl: unknown field; did you mean "baseUrl"?',
    ],
  ])('with %s is rejected', (_, fields, problem) => {
    expect(rejected([provider('x', fields)])).toContain(problem);
  });

  test('with an account in its address is told what the address looks like', () => {
    expect(rejected([provider('workers-ai')])).toEqual([
      'provider/workers-ai baseUrl: is missing; the type workers-ai has no address of its own, as in https://api.cloudflare.com/client/v4/accounts/<account>/ai/v1',
    ]);
  });

  test('may not be called like a path of the gateway', () => {
    expect(rejected([provider('v1', { type: 'groq' })])).toEqual([
      'provider/v1 name: is a path of the gateway; choose another name',
    ]);
  });
});

describe('a model', () => {
  test('finds a provider of the catalogue under its other name', () => {
    const { models } = compiled([model('grok-4', { targets: ['grok/grok-4'] })]);

    expect(models['grok-4']?.targets[0]?.provider).toBe('xai');
  });

  test('finds a configured provider before one of the catalogue', () => {
    const items = [provider('grok', { type: 'openai-compatible', baseUrl: 'http://localhost' })];

    const { models } = compiled([...items, model('grok-4', { targets: ['grok/grok-4'] })]);

    expect(models['grok-4']?.targets[0]?.provider).toBe('grok');
  });

  test.each([
    ['without targets', { targets: undefined }, 'model/m targets: is missing'],
    ['with an empty list of targets', { targets: [] }, 'model/m targets: needs at least one target'],
    ['with one target in place of a list', { targets: 'openai/a' }, 'model/m targets: must be a list'],
    [
      'whose target names an unknown provider',
      { targets: ['opnai/a'] },
      'model/m targets[0]: provider "opnai" is unknown; did you mean "openai"?',
    ],
    [
      'whose target has a provider without an address',
      { targets: ['openai/a', 'azure-openai/a'] },
      'model/m targets[1]: provider "azure-openai" has no address of its own; add provider/azure-openai with a baseUrl',
    ],
    ['whose target has no provider', { targets: ['gpt-4o'] }, 'model/m targets[0]: must have the form provider/model'],
    [
      'whose target is a number',
      { targets: [4] },
      'model/m targets[0]: must be a string of the form provider/model, or a map with the field target',
    ],
    [
      'whose target has an unknown field',
      { targets: [{ target: 'openai/a', wieght: 1 }] },
      'model/m targets[0].wieght: unknown field; did you mean "weight"?',
    ],
    [
      'whose weight is text',
      { targets: [{ target: 'openai/a', weight: '1' }] },
      'model/m targets[0].weight: must be a number',
    ],
    [
      'whose weights are all 0',
      { targets: [{ target: 'openai/a', weight: 0 }] },
      'model/m targets: at least one needs a weight above 0',
    ],
    [
      'with the same target twice',
      { targets: ['xai/a', 'grok/a'] },
      'model/m targets[1]: repeats targets[0]; give one target a weight instead',
    ],
    [
      'with an unknown strategy',
      { strategy: 'fastest' },
      'model/m strategy: must be "latency" or "weighted" or "priority" or "cost" or "throughput" or "round-robin" or "least-errors"',
    ],
    ['that falls back to itself', { fallbacks: ['m'] }, 'model/m fallbacks[0]: a model cannot be its own fallback'],
    [
      'that falls back to nothing known',
      { fallbacks: ['othr'] },
      'model/m fallbacks[0]: model "othr" is not configured; did you mean "other"?',
    ],
    ['that falls back twice to the same', { fallbacks: ['other', 'other'] }, 'model/m fallbacks[1]: repeats "other"'],
    [
      'with a timeout of half a millisecond',
      { timeouts: { idleMs: 0.5 } },
      'model/m timeouts.idleMs: must be a whole number of milliseconds',
    ],
    [
      'with an unknown timeout',
      { timeouts: { idle: 1 } },
      'model/m timeouts.idle: unknown field; did you mean "idleMs"?',
    ],
    [
      'with a field with a slip in its name',
      { stratgy: 'latency' },
      'model/m stratgy: unknown field; did you mean "strategy"?',
    ],
  ])('%s is rejected', (_, fields, problem) => {
    expect(rejected([model('m', fields), model('other')])).toEqual(expect.arrayContaining([problem]));
  });

  test.each(['a b', 'a,b', 'a@@b'])('may not be called %p', (name) => {
    expect(rejected([model(name)])).toEqual([expect.stringContaining(`model/${name} name: `)]);
  });

  test('may fall back to one that falls back to it', () => {
    expect(compiled([model('a', { fallbacks: ['b'] }), model('b', { fallbacks: ['a'] })]).models).toHaveProperty('a');
  });

  test('is not blamed for the mistake of a provider it uses', () => {
    const items = [provider('mine', { baseUrl: 'https://[' }), model('m', { targets: ['mine/a'] })];

    expect(rejected(items)).toEqual([expect.stringContaining('provider/mine baseUrl: ')]);
  });
});

describe('the default model', () => {
  test.each(['m', 'openai/gpt-4o', 'mine/x/y'])('may be %s', (defaultModel) => {
    const items = [model('m'), provider('mine', { baseUrl: 'http://localhost' }), settings({ defaultModel })];

    expect(compiled(items).settings).toEqual({ defaultModel });
  });

  test.each([
    ['modle', 'settings/default defaultModel: model "modle" is not configured; did you mean "model"?'],
    ['opnai/x', 'settings/default defaultModel: provider "opnai" is unknown; did you mean "openai"?'],
    [
      'azure-openai/x',
      'settings/default defaultModel: provider "azure-openai" has no address of its own; add provider/azure-openai with a baseUrl',
    ],
    ['openai/', 'settings/default defaultModel: must have the form provider/model'],
  ])('may not be %s', (defaultModel, problem) => {
    expect(rejected([model('model'), settings({ defaultModel })])).toEqual([problem]);
  });

  test('stands in the settings item called default and nowhere else', () => {
    const other = { ...settings({ defaultModel: 'm' }), name: 'other' };

    expect(rejected([model('m'), other])).toEqual(['settings/other name: must be "default"']);
  });
});

describe('a rejection', () => {
  test('names everything that is wrong, not only the first of it', () => {
    const errors = rejected([
      provider('x', { type: 'nope', baseUrl: 'https://a.b' }),
      model('m', { targets: ['a', 'nobody/a'], strategy: 'nope' }),
      model('n', { targets: ['nobody/a', 'noone/a'] }),
      { kind: 'modle', name: 'a' },
    ]);

    expect(errors).toEqual([
      'model/m strategy: must be "latency" or "weighted" or "priority" or "cost" or "throughput" or "round-robin" or "least-errors"',
      'model/m targets[0]: must have the form provider/model',
      'model/n targets[0]: provider "nobody" is unknown',
      'model/n targets[1]: provider "noone" is unknown',
      'modle/a: unknown kind; did you mean "model"?',
      'provider/x type: "nope" is unknown',
    ]);
  });

  test('names what is there twice', () => {
    expect(rejected([model('m'), model('m')])).toEqual(['model/m: is there more than once']);
  });

  test('does not take two keys for one because their hashes begin alike', () => {
    const keys = ['b', 'c'].map((end) => ({ kind: 'key', name: 'a'.repeat(63) + end }));

    expect(rejected(keys)).toEqual([]);
  });

  test('never quotes a value, which may be a key in the wrong place', () => {
    const secret = 'sk-very-secret';
    const errors = rejected([
      provider('p', {
        type: 'groq',
        apiVersion: `${secret}?`,
        secret: 5,
        headers: { a: `${secret}\n`, authorization: secret },
      }),
      model('m', { targets: { key: secret }, strategy: secret, timeouts: secret }),
      { kind: 'key', name: secret, label: 3 },
      { kind: 'key', name: 'a'.repeat(64), expiresAt: secret },
    ]);

    expect(errors).toHaveLength(10);
    expect(errors.join('\n')).not.toContain(secret);
  });
});

function provider(name: string, fields: Record<string, unknown> = {}): RawItem {
  return { kind: 'provider', name, ...fields };
}

function model(name: string, fields: Record<string, unknown> = {}): RawItem {
  return { kind: 'model', name, targets: ['openai/gpt-4o'], ...fields };
}

function settings(fields: Record<string, unknown>): RawItem {
  return { kind: 'settings', name: 'default', ...fields };
}

function compiled(items: RawItem[]): Snapshot {
  const result = compileSnapshot(items, stamp);
  if ('errors' in result) throw new Error(result.errors.join('\n'));
  return result.snapshot;
}

function rejected(items: RawItem[]): string[] {
  const result = compileSnapshot(items, stamp);
  return 'errors' in result ? result.errors : [];
}
