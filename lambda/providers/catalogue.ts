import type { CallIdForm } from '../dialects/call-ids.ts';
import type { DialectName } from '../dialects/chat-request.ts';
import type { ThoughtsField } from '../dialects/dialect.ts';

/**
 * How a provider wants its key: `Authorization: Bearer …`, or a header of its own. `sigv4` signs with the function's role,
 * and needs no key; one that is there goes as a bearer. A `google-service-account` is exchanged for a token.
 */
export type Auth =
  | { kind: 'bearer' }
  | { kind: 'header'; name: string }
  | { kind: 'sigv4'; service: string }
  | { kind: 'google-service-account' };

/**
 * A path under the base URL. `{deployment}` and `{apiVersion}` are filled in from configuration, `{model}` is the model's
 * name, `{location}` the project and region at Google. Some vendors have another path for streams.
 */
export type EndpointPath = string | { buffered: string; streamed: string };

/** The addresses of a vendor that has one in each region. */
export type Regions = {
  /** What its regions are called, with an example, to end a message with. */
  called: string;
  pattern: RegExp;
  /** The address, with `{region}` in it, and those that are made otherwise. */
  url: string;
  urls?: Readonly<Record<string, string>>;
  /** The region when configuration names none. */
  default?: string;
};

/** Which dialects a vendor speaks with some of its models; the first group of the pattern is the model's name there. */
export type ModelRoute = { pattern: RegExp; dialects: readonly DialectName[] };

/** Members of the body that differ from those of the dialect; `null` stands for one that must not be there. */
export type BodyMembers = Readonly<Record<string, string | null>>;

/**
 * What an error of a vendor means whose own code does not say so. `means` is a code that failures are judged by; a
 * message is looked at where the vendor gives nothing else to tell the error by.
 */
export type ErrorRule = { status?: number; type?: string; message?: RegExp; means: string };

/** Hosts of a vendor beside the one that is called; they speak TLS. */
export type AnswerHosts = { hosts: RegExp; keyHosts: readonly string[] };

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
  /** For vendors that do not speak every dialect with every model: the first that fits a model's name counts. */
  models?: readonly ModelRoute[];
  body?: Partial<Record<DialectName, BodyMembers>>;
  /** Value of `{apiVersion}` when configuration gives none. */
  apiVersion?: string;
  /** Paths that are others in some of the versions that configuration may name. */
  versions?: Readonly<Record<string, Partial<Record<DialectName, EndpointPath>>>>;
  /** Environment variables that may hold its key, the first set one wins. */
  environmentKeys: string[];
  /** For vendors whose address holds an account: the variable that names it, and the URL with `{}` in its place. */
  accountUrl?: { variable: string; url: string };
  /** Environment variables that fill in fields of its configuration. */
  environmentFields?: Readonly<Partial<Record<'region' | 'project', readonly string[]>>>;
  /** True when it may be called without any key, as servers on one's own machine are. */
  keyOptional?: true;
  /** Where it has an address in each region; configuration names the region. */
  regions?: Regions;
  /** Headers of every request, such as the version of its API. */
  headers?: Record<string, string>;
  /** What the limit of output tokens is called; `max_tokens` where nothing is said. */
  maxTokensField?: 'max_completion_tokens';
  /** The first that fits gives the code of an error. */
  errors?: readonly ErrorRule[];
  /**
   * Where answers are to be found that its first answer only points to, apart from where it was called; the key goes to
   * `keyHosts` alone.
   */
  answersAt?: AnswerHosts;
  /** True when streams carry usage unasked and `stream_options` is refused with 422, as Mistral does. */
  refusesStreamOptions?: true;
  /** What ids of calls it takes back; `openai` where nothing is said. */
  callIds?: CallIdForm;
  /** True when the calls of Gemini's dialect, and their results, must carry no ids. */
  refusesCallIds?: true;
  /** Where its chat protocol takes back what a model thought; most refuse fields that they do not know. */
  thoughtsField?: ThoughtsField;
  /** True when it takes Anthropic's `cache_control` on the parts of OpenAI's messages. */
  takesCacheHints?: true;
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
    headers: { 'anthropic-version': '2023-06-01' },
    paths: {
      'openai-chat': '/openai/deployments/{deployment}/chat/completions?api-version={apiVersion}',
      'openai-responses': '/openai/v1/responses',
      'anthropic-messages': '/anthropic/v1/messages',
    },
    // https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
    versions: { v1: { 'openai-chat': '/openai/v1/chat/completions' } },
    models: [
      { pattern: /^(claude.*)$/s, dialects: ['anthropic-messages'] },
      { pattern: /^(.+)$/s, dialects: ['openai-chat', 'openai-responses'] },
    ],
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
    errors: [
      // Both are 400 `invalid_request_error`, as everything is that a caller did wrong.
      { status: 400, message: /^Your credit balance is too low/, means: 'insufficient_quota' },
      {
        status: 400,
        message: /^(prompt is too long|input length and `max_tokens` exceed)/,
        means: 'context_length_exceeded',
      },
    ],
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
    name: 'google-vertex-ai',
    aliases: ['vertex-ai'],
    telemetryName: 'gcp.vertex_ai',
    regions: {
      called: 'a location of Google Cloud such as europe-west1, or global, us or eu',
      pattern: /^(global|us|eu|[a-z]+-[a-z]+\d{1,2})$/,
      url: 'https://{region}-aiplatform.googleapis.com',
      // https://docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/locations
      urls: {
        global: 'https://aiplatform.googleapis.com',
        us: 'https://aiplatform.us.rep.googleapis.com',
        eu: 'https://aiplatform.eu.rep.googleapis.com',
      },
      default: 'global',
    },
    auth: { kind: 'google-service-account' },
    paths: {
      gemini: {
        buffered: '/v1beta1{location}/publishers/google/models/{model}:generateContent',
        streamed: '/v1beta1{location}/publishers/google/models/{model}:streamGenerateContent?alt=sse',
      },
      'anthropic-messages': {
        buffered: '/v1{location}/publishers/anthropic/models/{model}:rawPredict',
        streamed: '/v1{location}/publishers/anthropic/models/{model}:streamRawPredict',
      },
      'openai-chat': '/v1{location}/endpoints/openapi/chat/completions',
    },
    // Models of other publishers keep theirs in their names: `meta/llama-…`.
    models: [
      { pattern: /^(?:anthropic\/)?(claude[^/]*)$/, dialects: ['anthropic-messages'] },
      { pattern: /^(?:google\/)?([^/]+)$/, dialects: ['gemini'] },
      { pattern: /^(.+)$/s, dialects: ['openai-chat'] },
    ],
    // https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
    body: { 'anthropic-messages': { model: null, anthropic_version: 'vertex-2023-10-16' } },
    // 400 'Unknown name "id"': https://github.com/langchain-ai/langchainjs/pull/10292
    refusesCallIds: true,
    thoughtsField: 'extra_content',
    environmentKeys: ['GOOGLE_VERTEX_AI_API_KEY', 'GOOGLE_APPLICATION_CREDENTIALS_JSON'],
    environmentFields: { region: ['GOOGLE_CLOUD_LOCATION'], project: ['GOOGLE_CLOUD_PROJECT'] },
  },
  {
    name: 'groq',
    telemetryName: 'groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    auth: bearer,
    paths: chatCompletions,
    // https://console.groq.com/docs/errors: the flex tier has no capacity left
    errors: [{ status: 498, means: 'overloaded' }],
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
    callIds: 'nine',
  },
  {
    name: 'deepseek',
    telemetryName: 'deepseek',
    baseUrl: 'https://api.deepseek.com/v1',
    auth: bearer,
    paths: chatCompletions,
    thoughtsField: 'reasoning_content',
    environmentKeys: ['DEEPSEEK_API_KEY'],
  },
  {
    name: 'xai',
    aliases: ['grok'],
    telemetryName: 'x_ai',
    baseUrl: 'https://api.x.ai/v1',
    auth: bearer,
    paths: { ...chatCompletions, 'openai-responses': '/responses' },
    // A wrong key has the status and the code of any wrong argument.
    errors: [{ status: 400, message: /^Incorrect API key provided/, means: 'invalid_api_key' }],
    environmentKeys: ['XAI_API_KEY', 'GROK_API_KEY'],
  },
  {
    name: 'perplexity',
    aliases: ['perplexity-ai'],
    telemetryName: 'perplexity',
    baseUrl: 'https://api.perplexity.ai',
    auth: bearer,
    paths: chatCompletions,
    errors: [{ type: 'too_many_prompt_tokens', means: 'context_length_exceeded' }],
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
    // https://docs.cohere.com/reference/errors: 498 is a token that is not valid
    errors: [{ status: 498, means: 'invalid_api_key' }],
    environmentKeys: ['COHERE_API_KEY', 'CO_API_KEY'],
  },
  {
    name: 'aws-bedrock',
    aliases: ['bedrock'],
    telemetryName: 'aws.bedrock',
    regions: {
      called: 'an AWS region such as eu-central-1',
      pattern: /^[a-z]{2}(-[a-z]+)+-\d$/,
      url: 'https://bedrock-runtime.{region}.amazonaws.com',
    },
    auth: { kind: 'sigv4', service: 'bedrock' },
    paths: { 'bedrock-converse': { buffered: '/model/{model}/converse', streamed: '/model/{model}/converse-stream' } },
    environmentKeys: ['AWS_BEARER_TOKEN_BEDROCK'],
  },
  {
    name: 'openrouter',
    telemetryName: 'openrouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    auth: bearer,
    headers: { 'anthropic-version': '2023-06-01' },
    paths: { ...chatCompletions, 'anthropic-messages': '/messages' },
    // With Claude, callers of Anthropic's dialect keep their cache hints and thoughts.
    models: [
      { pattern: /^(~?anthropic\/.+)$/s, dialects: ['openai-chat', 'anthropic-messages'] },
      { pattern: /^(.+)$/s, dialects: ['openai-chat'] },
    ],
    thoughtsField: 'reasoning_details',
    takesCacheHints: true,
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
    name: 'replicate',
    telemetryName: 'replicate',
    baseUrl: 'https://api.replicate.com/v1',
    auth: bearer,
    paths: { replicate: '/predictions' },
    answersAt: { hosts: /^[a-z0-9.-]+\.replicate\.(com|net)$/, keyHosts: ['api.replicate.com'] },
    environmentKeys: ['REPLICATE_API_TOKEN', 'REPLICATE_API_KEY'],
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
    // Whoever sends thoughts in this form takes them back; servers of one's own pass over what they do not know.
    thoughtsField: 'reasoning_details',
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
