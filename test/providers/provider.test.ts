import { describe, expect, test } from '@jest/globals';
import { type ProviderConfig, recordByName } from '../../lambda/config/snapshot.ts';
import {
  authHeaders,
  endpointPath,
  findProvider,
  type PathContext,
  type Provider,
  spokenModel,
} from '../../lambda/providers/provider.ts';
import { aSnapshot } from '../support/snapshots.ts';

function configured(providers: Record<string, ProviderConfig>) {
  return aSnapshot({ providers: recordByName(Object.entries(providers)) });
}

function found(config: ProviderConfig, name = 'mine'): Provider {
  const provider = findProvider(configured({ [name]: config }), name);
  if (!provider) throw new Error('The provider was not found');
  return provider;
}

const azure = { type: 'azure-openai', baseUrl: 'https://acme.openai.azure.com' };

describe('findProvider', () => {
  test.each<[string, object, string]>([
    ['https://api.example/v1', { secure: true, hostname: 'api.example', port: 443, host: 'api.example' }, '/v1'],
    ['http://api.example', { secure: false, hostname: 'api.example', port: 80, host: 'api.example' }, ''],
    [
      'https://api.example:8443/a/b//',
      { secure: true, hostname: 'api.example', port: 8443, host: 'api.example:8443' },
      '/a/b',
    ],
    ['http://[::1]:8080/v1', { secure: false, hostname: '::1', port: 8080, host: '[::1]:8080' }, '/v1'],
    ['https://[2001:db8::1]/', { secure: true, hostname: '2001:db8::1', port: 443, host: '[2001:db8::1]' }, ''],
    ['https://api.example:443/v1', { secure: true, hostname: 'api.example', port: 443, host: 'api.example' }, '/v1'],
    [
      'http://api.example/a b/ü',
      { secure: false, hostname: 'api.example', port: 80, host: 'api.example' },
      '/a%20b/%C3%BC',
    ],
  ])('reads the address %s', (baseUrl, origin, basePath) => {
    expect(found({ type: 'openai-compatible', baseUrl })).toMatchObject({ origin, basePath });
  });

  test('knows a catalogue provider without any configuration, by its aliases too', () => {
    const byAlias = findProvider(aSnapshot(), 'grok');

    expect(byAlias).toMatchObject({ name: 'xai', origin: { host: 'api.x.ai' } });
    expect(byAlias?.secretNames).toContain('xai');
  });

  test('leads an alias to what is configured under the name it stands for', () => {
    const snapshot = configured({ xai: { type: 'xai', baseUrl: 'https://proxy.example/v1', headers: { 'x-a': '1' } } });

    expect(findProvider(snapshot, 'grok')).toMatchObject({
      name: 'xai',
      origin: { host: 'proxy.example' },
      headers: { 'x-a': '1' },
    });
  });

  test('prefers a provider that is configured under the alias itself', () => {
    const snapshot = configured({
      xai: { type: 'xai', baseUrl: 'https://one.example' },
      grok: { type: 'openai-compatible', baseUrl: 'https://two.example' },
    });

    expect(findProvider(snapshot, 'grok')).toMatchObject({ name: 'grok', origin: { host: 'two.example' } });
  });

  test('looks for the keys under its own name, then under that of its type, or only where it is told to', () => {
    expect(found(azure).secretNames).toEqual(['mine', 'azure-openai']);
    expect(found({ ...azure, secret: 'vault' }).secretNames).toEqual(['vault']);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'azure-openai', 'openai-compatible'])(
    'finds nothing to call under %j',
    (name) => {
      expect(findProvider(aSnapshot(), name)).toBeUndefined();
      expect(findProvider(aSnapshot({ providers: {} }), name)).toBeUndefined();
    },
  );

  test('names each configured header once, in lower case', () => {
    expect(found({ ...azure, headers: { 'User-Agent': 'mine', 'X-A': '1' } }).headers).toEqual({
      'user-agent': 'mine',
      'x-a': '1',
    });
  });

  test('remembers what it found as long as the snapshot lives', () => {
    const snapshot = configured({ mine: azure });

    expect(findProvider(snapshot, 'mine')).toBe(findProvider(snapshot, 'mine'));
    expect(findProvider(configured({ mine: azure }), 'mine')).not.toBe(findProvider(snapshot, 'mine'));
  });
});

function pathTo(provider: Provider, model: string, context: PathContext = { stream: false }): string | undefined {
  const spoken = spokenModel(provider, model, 'openai-chat');
  return spoken && endpointPath(provider, spoken, context);
}

describe('endpointPath', () => {
  test('keeps the path of the base URL in front', () => {
    const provider = found({ type: 'openai-compatible', baseUrl: 'https://h.example/proxy/v1/' });

    expect(pathTo(provider, 'm')).toBe('/proxy/v1/chat/completions');
  });

  test.each([
    ['gpt-4o', 'prod-4o'],
    ['my model', 'my%20model'],
    ['a/b?c#d', 'a%2Fb%3Fc%23d'],
    ['$&', '%24%26'],
    ['ü', '%C3%BC'],
    ['constructor', 'constructor'],
    ['__proto__', '__proto__'],
    ['\ud800', '%EF%BF%BD'],
  ])('names the deployment of %j in one segment', (model, segment) => {
    const provider = found({ ...azure, apiVersion: '2025-01-01', deployments: recordByName([['gpt-4o', 'prod-4o']]) });

    expect(pathTo(provider, model)).toBe(`/openai/deployments/${segment}/chat/completions?api-version=2025-01-01`);
  });

  test.each(['.', '..'])('has no path for a deployment %j, which would leave its segment', (model) => {
    expect(pathTo(found(azure), model)).toBeUndefined();
  });

  test("uses the catalogue's API version when none is configured", () => {
    expect(pathTo(found(azure), 'm')).toMatch(/api-version=\d{4}-\d\d-\d\d$/);
  });
});

describe('Vertex AI', () => {
  test.each([
    [undefined, 'aiplatform.googleapis.com'],
    ['global', 'aiplatform.googleapis.com'],
    ['europe-west1', 'europe-west1-aiplatform.googleapis.com'],
    ['us', 'aiplatform.us.rep.googleapis.com'],
    ['eu', 'aiplatform.eu.rep.googleapis.com'],
  ])('is called in the region %s at %s', (region, host) => {
    const provider = found({ type: 'google-vertex-ai', ...(region ? { region } : {}) });

    expect(provider.origin).toMatchObject({ host, secure: true });
    expect(pathTo(provider, 'gemini-2.5-pro', { stream: false, project: 'p' })).toBe(
      `/v1beta1/projects/p/locations/${region ?? 'global'}/publishers/google/models/gemini-2.5-pro:generateContent`,
    );
  });

  const google = '/v1beta1/projects/acme/locations/us/publishers/google/models';
  const anthropic = '/v1/projects/acme/locations/us/publishers/anthropic/models';
  test.each([
    ['gemini-2.5-pro', false, `${google}/gemini-2.5-pro:generateContent`],
    ['google/gemini-2.5-pro', true, `${google}/gemini-2.5-pro:streamGenerateContent?alt=sse`],
    ['claude-haiku-4-5@20251001', false, `${anthropic}/claude-haiku-4-5@20251001:rawPredict`],
    ['anthropic/claude-haiku-4-5', true, `${anthropic}/claude-haiku-4-5:streamRawPredict`],
    ['meta/llama-3.3-70b-maas', true, '/v1/projects/acme/locations/us/endpoints/openapi/chat/completions'],
    ['google/a/b', false, '/v1/projects/acme/locations/us/endpoints/openapi/chat/completions'],
    ['a?b#c', false, `${google}/a%3Fb%23c:generateContent`],
  ])('finds the publisher of %s', (model, stream, path) => {
    const provider = found({ type: 'google-vertex-ai', region: 'us', project: 'acme' });

    expect(pathTo(provider, model, { stream })).toBe(path);
  });

  test('names no project where the key stands for one', () => {
    expect(pathTo(found({ type: 'google-vertex-ai' }), 'gemini-2.5-pro')).toBe(
      '/v1beta1/publishers/google/models/gemini-2.5-pro:generateContent',
    );
  });
});

describe('authHeaders', () => {
  test.each([
    [{ kind: 'bearer' as const }, 's', { authorization: 'Bearer s' }],
    [{ kind: 'header' as const, name: 'api-key' }, 's', { 'api-key': 's' }],
    [{ kind: 'sigv4' as const, service: 'bedrock' }, 's', { authorization: 'Bearer s' }],
    [{ kind: 'sigv4' as const, service: 'bedrock' }, undefined, {}],
    [{ kind: 'bearer' as const }, undefined, {}],
  ])('makes %j of %j', (auth, secret, headers) => {
    expect(authHeaders(auth, secret)).toEqual(headers);
  });
});
