import type { DialectName } from '../dialects/chat-request.ts';

/**
 * How a provider wants its key: `Authorization: Bearer …`, or a header of its own. `sigv4` signs with the function's role,
 * and needs no key; one that is there goes as a bearer.
 */
export type Auth = { kind: 'bearer' } | { kind: 'header'; name: string } | { kind: 'sigv4'; service: string };

/**
 * A path under the base URL. `{deployment}` and `{apiVersion}` are filled in from configuration, `{model}` is the model's
 * name. Some vendors have another path for streams.
 */
export type EndpointPath = string | { buffered: string; streamed: string };

/** Protocol facts of one vendor API. Models, weights and keys are configuration and never stand here. */
export type CatalogueEntry = {
  /** Name in configuration and in `provider/model`. */
  name: string;
  /** Other names under which people know it; each works wherever the name does. */
  aliases?: string[];
  /** OpenTelemetry `gen_ai.provider.name`. */
  telemetryName: string;
  /** Absent when every customer has an address of their own; configuration must then give it. */
  baseUrl?: string;
  auth: Auth;
  /** Where it speaks which dialect; callers of another one are translated into the first. */
  paths: Partial<Record<DialectName, EndpointPath>>;
  /** Value of `{apiVersion}` when configuration gives none. */
  apiVersion?: string;
  /** Environment variables that may hold its key, the first set one wins. */
  environmentKeys: string[];
  /** For vendors whose address holds an account: the variable that names it, and the URL with `{}` in its place. */
  accountUrl?: { variable: string; url: string };
  /** True when it may be called without any key, as servers on one's own machine are. */
  keyOptional?: true;
  /** The address where it has one in each AWS region, with `{region}` in it; configuration names the region. */
  regionalUrl?: string;
  /** Headers of every request, such as the version of its API. */
  headers?: Record<string, string>;
  /** What the limit of output tokens is called; `max_tokens` where nothing is said. */
  maxTokensField?: 'max_completion_tokens';
  /** True when streams carry usage unasked and `stream_options` is refused with 422, as Mistral does. */
  refusesStreamOptions?: true;
};

const bearer: Auth = { kind: 'bearer' };
const chatCompletions = { 'openai-chat': '/chat/completions' } as const;

/** Providers that speak OpenAI's chat protocol, on their own endpoint or on one made for compatibility. */
export const catalogue: readonly CatalogueEntry[] = [
  {
    name: 'openai',
    telemetryName: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    auth: bearer,
    paths: { ...chatCompletions, 'openai-responses': '/responses' },
    maxTokensField: 'max_completion_tokens',
    environmentKeys: ['OPENAI_API_KEY'],
  },
  {
    name: 'azure-openai',
    telemetryName: 'azure.ai.openai',
    auth: { kind: 'header', name: 'api-key' },
    paths: { 'openai-chat': '/openai/deployments/{deployment}/chat/completions?api-version={apiVersion}' },
    apiVersion: '2024-10-21',
    maxTokensField: 'max_completion_tokens',
    environmentKeys: ['AZURE_OPENAI_API_KEY'],
  },
  {
    name: 'anthropic',
    telemetryName: 'anthropic',
    baseUrl: 'https://api.anthropic.com/v1',
    auth: { kind: 'header', name: 'x-api-key' },
    headers: { 'anthropic-version': '2023-06-01' },
    paths: { 'anthropic-messages': '/messages' },
    environmentKeys: ['ANTHROPIC_API_KEY'],
  },
  {
    name: 'google-ai-studio',
    aliases: ['gemini'],
    telemetryName: 'gcp.gemini',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    auth: { kind: 'header', name: 'x-goog-api-key' },
    paths: {
      gemini: {
        buffered: '/models/{model}:generateContent',
        streamed: '/models/{model}:streamGenerateContent?alt=sse',
      },
    },
    environmentKeys: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  },
  {
    name: 'groq',
    telemetryName: 'groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    auth: bearer,
    paths: chatCompletions,
    environmentKeys: ['GROQ_API_KEY'],
  },
  {
    name: 'mistral',
    telemetryName: 'mistral_ai',
    baseUrl: 'https://api.mistral.ai/v1',
    auth: bearer,
    paths: chatCompletions,
    environmentKeys: ['MISTRAL_API_KEY'],
    // 422 "extra_forbidden" on stream_options: https://github.com/openai/openai-agents-python/issues/442
    refusesStreamOptions: true,
  },
  {
    name: 'deepseek',
    telemetryName: 'deepseek',
    baseUrl: 'https://api.deepseek.com/v1',
    auth: bearer,
    paths: chatCompletions,
    environmentKeys: ['DEEPSEEK_API_KEY'],
  },
  {
    name: 'xai',
    aliases: ['grok'],
    telemetryName: 'x_ai',
    baseUrl: 'https://api.x.ai/v1',
    auth: bearer,
    paths: chatCompletions,
    environmentKeys: ['XAI_API_KEY', 'GROK_API_KEY'],
  },
  {
    name: 'perplexity',
    aliases: ['perplexity-ai'],
    telemetryName: 'perplexity',
    baseUrl: 'https://api.perplexity.ai',
    auth: bearer,
    paths: chatCompletions,
    environmentKeys: ['PERPLEXITY_API_KEY', 'PERPLEXITYAI_API_KEY'],
  },
  {
    name: 'cerebras',
    telemetryName: 'cerebras',
    baseUrl: 'https://api.cerebras.ai/v1',
    auth: bearer,
    paths: chatCompletions,
    environmentKeys: ['CEREBRAS_API_KEY'],
  },
  {
    name: 'cohere',
    telemetryName: 'cohere',
    baseUrl: 'https://api.cohere.com/v2',
    auth: bearer,
    paths: { 'cohere-chat': '/chat' },
    environmentKeys: ['COHERE_API_KEY', 'CO_API_KEY'],
  },
  {
    name: 'aws-bedrock',
    aliases: ['bedrock'],
    telemetryName: 'aws.bedrock',
    regionalUrl: 'https://bedrock-runtime.{region}.amazonaws.com',
    auth: { kind: 'sigv4', service: 'bedrock' },
    paths: { 'bedrock-converse': { buffered: '/model/{model}/converse', streamed: '/model/{model}/converse-stream' } },
    environmentKeys: ['AWS_BEARER_TOKEN_BEDROCK'],
  },
  {
    name: 'openrouter',
    telemetryName: 'openrouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    auth: bearer,
    paths: chatCompletions,
    environmentKeys: ['OPENROUTER_API_KEY'],
  },
  {
    name: 'huggingface',
    telemetryName: 'huggingface',
    baseUrl: 'https://router.huggingface.co/v1',
    auth: bearer,
    paths: chatCompletions,
    environmentKeys: ['HUGGINGFACE_API_KEY', 'HF_TOKEN'],
  },
  {
    name: 'workers-ai',
    telemetryName: 'workers_ai',
    accountUrl: { variable: 'CLOUDFLARE_ACCOUNT_ID', url: 'https://api.cloudflare.com/client/v4/accounts/{}/ai/v1' },
    auth: bearer,
    paths: chatCompletions,
    environmentKeys: ['CLOUDFLARE_API_KEY', 'CLOUDFLARE_API_TOKEN'],
  },
  {
    name: 'ollama',
    telemetryName: 'ollama',
    baseUrl: 'http://localhost:11434/v1',
    auth: bearer,
    paths: chatCompletions,
    environmentKeys: ['OLLAMA_API_KEY'],
    keyOptional: true,
  },
  {
    name: 'openai-compatible',
    telemetryName: 'openai_compatible',
    auth: bearer,
    paths: chatCompletions,
    environmentKeys: [],
    keyOptional: true,
  },
];

const entryByName = new Map(
  catalogue.flatMap((entry) => [entry.name, ...(entry.aliases ?? [])].map((name) => [name, entry])),
);

/** The entry of a provider type, by its name or an alias. */
export function catalogueEntry(type: string): CatalogueEntry | undefined {
  return entryByName.get(type);
}
