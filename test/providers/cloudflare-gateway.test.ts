import { describe, expect, test } from '@jest/globals';
import { recordByName } from '../../lambda/config/snapshot.ts';
import type { DialectName } from '../../lambda/dialects/chat-request.ts';
import { catalogue } from '../../lambda/providers/catalogue.ts';
import { endpointPath, findProvider, spokenModel } from '../../lambda/providers/provider.ts';
import { aSnapshot } from '../support/snapshots.ts';

const gateway = { account: 'acc', gateway: 'gw' };

/** The whole URL of a streamed request, as the gateway's documentation writes it. */
function urlOf(config: Record<string, unknown>, model: string, dialect: DialectName = 'openai-chat'): string {
  const snapshot = aSnapshot({
    providers: recordByName([['it', { cloudflareGateway: gateway, ...config } as never]]),
  });
  const provider = findProvider(snapshot, 'it');
  const spoken = provider && spokenModel(provider, model, dialect);
  if (!provider || !spoken) throw new Error('There is no such provider');
  const path = endpointPath(provider, spoken, { stream: true, project: 'p' });
  return `${provider.origin.secure ? 'https' : 'http'}://${provider.origin.host}${path}`;
}

const base = 'https://gateway.ai.cloudflare.com/v1/acc/gw';
/** Each as the page of the vendor has it under https://developers.cloudflare.com/ai-gateway/usage/providers/. */
const documented: [string, Record<string, unknown>, string, string][] = [
  ['openai', {}, 'gpt-5', '/openai/chat/completions'],
  ['anthropic', {}, 'claude-x', '/anthropic/v1/messages'],
  ['google-ai-studio', {}, 'gemini-x', '/google-ai-studio/v1beta/models/gemini-x:streamGenerateContent?alt=sse'],
  [
    'google-vertex-ai',
    { region: 'us-east4' },
    'claude-x',
    '/google-vertex-ai/v1/projects/p/locations/us-east4/publishers/anthropic/models/claude-x:streamRawPredict',
  ],
  [
    'azure-openai',
    { baseUrl: 'https://acme.openai.azure.com', apiVersion: '2024-10-21', deployments: { 'gpt-4o': 'prod' } },
    'gpt-4o',
    '/azure-openai/acme/prod/chat/completions?api-version=2024-10-21',
  ],
  [
    'aws-bedrock',
    { region: 'us-east-1' },
    'amazon.nova-lite-v1:0',
    '/aws-bedrock/bedrock-runtime/us-east-1/model/amazon.nova-lite-v1%3A0/converse-stream',
  ],
  ['cohere', {}, 'command-x', '/cohere/v2/chat'],
  ['mistral', {}, 'm', '/mistral/v1/chat/completions'],
  ['groq', {}, 'm', '/groq/chat/completions'],
  ['deepseek', {}, 'm', '/deepseek/chat/completions'],
  ['xai', {}, 'm', '/grok/v1/chat/completions'],
  ['perplexity', {}, 'm', '/perplexity-ai/chat/completions'],
  ['cerebras', {}, 'm', '/cerebras/chat/completions'],
  ['openrouter', {}, 'a/b', '/openrouter/v1/chat/completions'],
  ['workers-ai', {}, '@cf/meta/llama', '/workers-ai/v1/chat/completions'],
  ['replicate', {}, 'a/b', '/replicate/predictions'],
  [
    'openai-compatible',
    { baseUrl: 'https://llm.example/v1', cloudflareGateway: { ...gateway, provider: 'custom-mine' } },
    'm',
    '/custom-mine/v1/chat/completions',
  ],
  [
    'openai-compatible',
    { cloudflareGateway: { ...gateway, provider: 'compat' } },
    'openai/gpt-5',
    '/compat/chat/completions',
  ],
];

describe("through Cloudflare's gateway", () => {
  test.each(documented)('%s with %j is called about %s at its place there', (type, config, model, path) => {
    expect(urlOf({ type, ...config }, model)).toBe(base + path);
  });

  test('every vendor is called that it knows', () => {
    const known = catalogue.filter(({ cloudflare }) => cloudflare).map(({ name }) => name);

    expect(documented.map(([type]) => type)).toEqual(expect.arrayContaining(known));
  });

  test('a domain of its own stands for account and gateway', () => {
    const cloudflareGateway = { url: 'https://ai.example.com/' };

    expect(urlOf({ type: 'groq', cloudflareGateway }, 'm')).toBe('https://ai.example.com/groq/chat/completions');
  });

  test('nothing is called that it does not know', () => {
    for (const type of ['huggingface', 'ollama']) expect(() => urlOf({ type }, 'm')).toThrow('no such provider');
    expect(() => urlOf({ type: 'azure-openai', baseUrl: 'https://proxy.example' }, 'm')).toThrow('no such provider');
  });
});
