import type { Auth, CatalogueEntry } from './catalogue-entry.ts';

const bearer: Auth = { kind: 'bearer' };
const chatCompletions = { 'openai-chat': '/chat/completions' } as const;

/** Providers that speak OpenAI's chat protocol, on their own endpoint or on one made for compatibility. */
export const catalogue: readonly CatalogueEntry[] = [
  {
    name: 'openai',
    telemetryName: 'openai',
    pricesId: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    auth: bearer,
    paths: { ...chatCompletions, 'openai-responses': '/responses' },
    maxTokensField: 'max_completion_tokens',
    cloudflare: { path: 'openai' },
    environmentKeys: ['OPENAI_API_KEY'],
  },
  {
    name: 'azure-openai',
    telemetryName: 'azure.ai.openai',
    pricesId: 'azure',
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
    cloudflare: {
      path: 'azure-openai/{resource}',
      paths: { 'openai-chat': '/{deployment}/chat/completions?api-version={apiVersion}' },
    },
    environmentKeys: ['AZURE_OPENAI_API_KEY'],
  },
  {
    name: 'anthropic',
    telemetryName: 'anthropic',
    pricesId: 'anthropic',
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
    cloudflare: { path: 'anthropic/v1' },
    environmentKeys: ['ANTHROPIC_API_KEY'],
  },
  {
    name: 'google-ai-studio',
    aliases: ['gemini'],
    telemetryName: 'gcp.gemini',
    pricesId: 'google',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    auth: { kind: 'header', name: 'x-goog-api-key' },
    paths: {
      gemini: {
        buffered: '/models/{model}:generateContent',
        streamed: '/models/{model}:streamGenerateContent?alt=sse',
      },
    },
    cloudflare: { path: 'google-ai-studio/v1beta' },
    environmentKeys: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  },
  {
    name: 'google-vertex-ai',
    aliases: ['vertex-ai'],
    telemetryName: 'gcp.vertex_ai',
    pricesId: 'google',
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
    cloudflare: { path: 'google-vertex-ai' },
    environmentKeys: ['GOOGLE_VERTEX_AI_API_KEY', 'GOOGLE_APPLICATION_CREDENTIALS_JSON'],
    environmentFields: { region: ['GOOGLE_CLOUD_LOCATION'], project: ['GOOGLE_CLOUD_PROJECT'] },
  },
  {
    name: 'groq',
    telemetryName: 'groq',
    pricesId: 'groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    auth: bearer,
    paths: chatCompletions,
    // https://console.groq.com/docs/errors: the flex tier has no capacity left
    errors: [{ status: 498, means: 'overloaded' }],
    cloudflare: { path: 'groq' },
    environmentKeys: ['GROQ_API_KEY'],
  },
  {
    name: 'mistral',
    telemetryName: 'mistral_ai',
    pricesId: 'mistral',
    baseUrl: 'https://api.mistral.ai/v1',
    auth: bearer,
    paths: chatCompletions,
    cloudflare: { path: 'mistral/v1' },
    environmentKeys: ['MISTRAL_API_KEY'],
    // 422 "extra_forbidden" on stream_options: https://github.com/openai/openai-agents-python/issues/442
    refusesStreamOptions: true,
    callIds: 'nine',
  },
  {
    name: 'deepseek',
    telemetryName: 'deepseek',
    pricesId: 'deepseek',
    baseUrl: 'https://api.deepseek.com/v1',
    auth: bearer,
    paths: chatCompletions,
    thoughtsField: 'reasoning_content',
    cloudflare: { path: 'deepseek' },
    environmentKeys: ['DEEPSEEK_API_KEY'],
  },
  {
    name: 'xai',
    aliases: ['grok'],
    telemetryName: 'x_ai',
    pricesId: 'x-ai',
    baseUrl: 'https://api.x.ai/v1',
    auth: bearer,
    paths: { ...chatCompletions, 'openai-responses': '/responses' },
    // A wrong key has the status and the code of any wrong argument.
    errors: [{ status: 400, message: /^Incorrect API key provided/, means: 'invalid_api_key' }],
    cloudflare: { path: 'grok/v1' },
    environmentKeys: ['XAI_API_KEY', 'GROK_API_KEY'],
  },
  {
    name: 'perplexity',
    aliases: ['perplexity-ai'],
    telemetryName: 'perplexity',
    pricesId: 'perplexity',
    baseUrl: 'https://api.perplexity.ai',
    auth: bearer,
    paths: chatCompletions,
    errors: [{ type: 'too_many_prompt_tokens', means: 'context_length_exceeded' }],
    cloudflare: { path: 'perplexity-ai' },
    environmentKeys: ['PERPLEXITY_API_KEY', 'PERPLEXITYAI_API_KEY'],
  },
  {
    name: 'cerebras',
    telemetryName: 'cerebras',
    pricesId: 'cerebras',
    baseUrl: 'https://api.cerebras.ai/v1',
    auth: bearer,
    paths: chatCompletions,
    cloudflare: { path: 'cerebras' },
    environmentKeys: ['CEREBRAS_API_KEY'],
  },
  {
    name: 'cohere',
    telemetryName: 'cohere',
    pricesId: 'cohere',
    baseUrl: 'https://api.cohere.com/v2',
    auth: bearer,
    paths: { 'cohere-chat': '/chat' },
    // https://docs.cohere.com/reference/errors: 498 is a token that is not valid
    errors: [{ status: 498, means: 'invalid_api_key' }],
    cloudflare: { path: 'cohere/v2' },
    environmentKeys: ['COHERE_API_KEY', 'CO_API_KEY'],
  },
  {
    name: 'aws-bedrock',
    aliases: ['bedrock'],
    telemetryName: 'aws.bedrock',
    pricesId: 'aws',
    regions: {
      called: 'an AWS region such as eu-central-1',
      pattern: /^[a-z]{2}(-[a-z]+)+-\d$/,
      url: 'https://bedrock-runtime.{region}.amazonaws.com',
    },
    auth: { kind: 'sigv4', service: 'bedrock' },
    paths: { 'bedrock-converse': { buffered: '/model/{model}/converse', streamed: '/model/{model}/converse-stream' } },
    cloudflare: { path: 'aws-bedrock/bedrock-runtime/{region}' },
    environmentKeys: ['AWS_BEARER_TOKEN_BEDROCK'],
  },
  {
    name: 'openrouter',
    telemetryName: 'openrouter',
    pricesId: 'openrouter',
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
    readsRoutingFields: true,
    cloudflare: { path: 'openrouter/v1' },
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
    cloudflare: { path: 'replicate' },
    environmentKeys: ['REPLICATE_API_TOKEN', 'REPLICATE_API_KEY'],
  },
  {
    name: 'workers-ai',
    telemetryName: 'workers_ai',
    accountUrl: { variable: 'CLOUDFLARE_ACCOUNT_ID', url: 'https://api.cloudflare.com/client/v4/accounts/{}/ai/v1' },
    auth: bearer,
    paths: chatCompletions,
    cloudflare: { path: 'workers-ai/v1' },
    environmentKeys: ['CLOUDFLARE_API_KEY', 'CLOUDFLARE_API_TOKEN'],
  },
  {
    // https://developers.cloudflare.com/ai-gateway/usage/chat-completion/: models are called provider/model there
    name: 'cloudflare-ai-gateway',
    telemetryName: 'cloudflare_ai_gateway',
    auth: { kind: 'header', name: 'cf-aig-authorization', prefix: 'Bearer ' },
    paths: { 'openai-chat': '/compat/chat/completions' },
    environmentKeys: ['CLOUDFLARE_AI_GATEWAY_TOKEN', 'CF_AIG_TOKEN'],
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
