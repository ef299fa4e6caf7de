import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type ConfigFile, parseConfigFile } from '../../lambda/config/config-file.ts';
import { ConfigFileError } from '../../lambda/config/config-text.ts';

const environment = { OPENAI_KEY: 'sk-openai', EMPTY: '', TEAM_KEY: 'sl-team', REGION: 'eu' };

describe('a config file', () => {
  test('holds providers, models, keys, secrets and settings', () => {
    const file = parsed(`
providers:
  azure-eu:
    type: azure-openai
    baseUrl: https://\${REGION}.openai.azure.com
models:
  gpt-4o:
    targets: [openai/gpt-4o, { target: azure-eu/gpt-4o, weight: 2 }]
keys:
  ${'a1'.repeat(32)}: { label: checkout, models: ['gpt-*'] }
secrets:
  openai: \${OPENAI_KEY}
  azure-eu: [one, two]
  groq: three, four
settings:
  defaultModel: gpt-4o
`);

    expect(file).toEqual({
      items: [
        { kind: 'provider', name: 'azure-eu', type: 'azure-openai', baseUrl: 'https://eu.openai.azure.com' },
        { kind: 'model', name: 'gpt-4o', targets: ['openai/gpt-4o', { target: 'azure-eu/gpt-4o', weight: 2 }] },
        { kind: 'key', name: 'a1'.repeat(32), label: 'checkout', models: ['gpt-*'] },
        { kind: 'settings', name: 'default', defaultModel: 'gpt-4o' },
      ],
      secrets: { openai: ['sk-openai'], 'azure-eu': ['one', 'two'], groq: ['three', 'four'] },
    });
  });

  test('may be JSON', () => {
    const { items } = parsed('{"models": {"m": {"targets": ["openai/x"]}}}');

    expect(items).toEqual([{ kind: 'model', name: 'm', targets: ['openai/x'] }]);
  });

  test.each(['', '# nothing yet', 'models:\nproviders: {}'])('may be as good as empty: %p', (text) => {
    expect(parsed(text)).toEqual({ items: [], secrets: {} });
  });

  test('may have lists in place of maps', () => {
    const { items } = parsed('models:\n- name: a\n  targets: [openai/x]\n- name: b\n  targets: [openai/y]\n');

    expect(items.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('keeps a name that looks like a number as it was written', () => {
    const { items } = parsed('models:\n  4.10: { targets: [openai/x] }\n');

    expect(items).toMatchObject([{ name: '4.10' }]);
  });

  test('may hold keys in plain text, which are hashed, under their label', () => {
    const { items } = parsed(`keys:\n  team: { key: "\${TEAM_KEY}", models: [a] }\n`);
    const list = parsed('keys:\n- { label: team, key: sl-team, models: [a] }\n');

    expect(items).toEqual([{ kind: 'key', name: sha256('sl-team'), label: 'team', models: ['a'] }]);
    expect(list.items).toEqual(items);
  });

  test('takes the default of a variable that is not set or empty', () => {
    const { secrets } = parsed(
      `secrets: { openai: "\${NONE:-a}", groq: "\${EMPTY:-b}", xai: "\${REGION:-c}", mistral: "\${NONE:-}" }`,
    );

    expect(secrets).toEqual({ openai: ['a'], groq: ['b'], xai: ['eu'] });
  });

  test('may use a provider that the environment adds', () => {
    const text = 'models:\n  m: { targets: [workers-ai/llama] }\n';

    expect(problemsOf(text)).toHaveLength(1);
    expect(() => parseConfigFile(text, { environment: { CLOUDFLARE_ACCOUNT_ID: '123' }, sha256 })).not.toThrow();
  });

  test('does not look for variables in models', () => {
    const { items } = parsed(`models:\n  m: { targets: ["openai/\${NONE}"] }\n`);

    expect(items).toMatchObject([{ targets: [`openai/\${NONE}`] }]);
  });
});

describe('a config file is refused, with the line and column,', () => {
  test.each([
    [
      'when it is not YAML',
      'models: [a',
      ['line 1:11: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['when a name is there twice', 'models:\n  a: {}\n  a: {}', ['line 3:3: Map keys must be unique']],
    ['when it is a list', '- a', ['line 1:1: the file must be a map of providers, models, keys, secrets, settings']],
    ['when a section has a slip in its name', 'model: {}', ['line 1:1 model: unknown section; did you mean "models"?']],
    ['when a section is text', 'models: a', ['line 1:1 models: must be a map by name, or a list']],
    ['when settings are a list', 'settings: []', ['line 1:1 settings: must be a map']],
    [
      'when an entry of a list has no name',
      'models:\n- targets: [a/b]',
      ['line 2:3 models: an entry of a list needs a name that is a string'],
    ],
    ['when an entry is text', 'models:\n  a: openai/x', ['line 2:3 model/a: must be a map']],
    [
      'when an item is wrong',
      'models:\n  a: { targets: [opnai/x] }\n  b: { target: c }',
      [
        'line 2:3 model/a targets[0]: provider "opnai" is unknown; did you mean "openai"?',
        'line 3:3 model/b target: unknown field; did you mean "targets"?',
        'line 3:3 model/b targets: is missing',
      ],
    ],
    [
      'when two entries of a list have one name',
      'models:\n- { name: a, targets: [xai/x] }\n- { name: a, targets: [xai/x] }',
      ['line 3:3 model/a: is there more than once'],
    ],
    [
      'when a variable is not set',
      `secrets: { openai: "\${NONE}" }`,
      ['line 1:12 secrets/openai: the environment variable NONE is not set'],
    ],
    [
      'when a secret is a number',
      'secrets: { openai: 123 }',
      ['line 1:12 secrets/openai: The keys of "openai" must be a string, a comma list or an array of strings'],
    ],
    [
      'when nobody uses a secret',
      'secrets: { opnai: x }',
      ['line 1:12 secrets/opnai: no provider uses it; did you mean "openai"?'],
    ],
    [
      'when an entry says of what kind it is',
      'models:\n  a: { kind: model, targets: [xai/x] }',
      ['line 2:3 model/a kind: unknown field; the section says what it is'],
    ],
    [
      'when an entry has two names',
      'models:\n  a: { name: b, targets: [xai/x] }',
      ['line 2:3 model/a name: differs from the name above it'],
    ],
    ['when a key is empty', 'keys:\n  team: { key: "" }', ['line 2:3 keys key: must be a string that is not empty']],
    [
      'when a key has a limit that nothing enforces',
      'keys:\n  team: { key: abc, rpm: 5 }',
      [`line 2:3 key/${sha256('abc').slice(0, 8)}… rpm: unknown field`],
    ],
  ])('%s', (_, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  test('and never shows a key', () => {
    const texts = [
      'keys:\n  sk-secret: {}',
      'keys:\n- { name: x, key: [sk-secret] }',
      'secrets: { openai: { a: sk-secret } }',
      'secrets:\n  openai: "sk-secret" sk-secret',
    ];

    const problems = texts.flatMap(problemsOf);

    expect(problems.length).toBeGreaterThanOrEqual(texts.length);
    expect(problems.join('\n')).not.toContain('sk-secret');
  });
});

function parsed(text: string): ConfigFile {
  return parseConfigFile(text, { environment, sha256 });
}

function problemsOf(text: string): string[] {
  try {
    parsed(text);
  } catch (error) {
    if (error instanceof ConfigFileError) return error.problems;
    throw error;
  }
  return [];
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
