import { type EndpointFormName, type EndpointName, endpointNames } from '../dialects/vendor-endpoint.ts';

/**
 * Where a vendor offers something besides conversations: a path as in the catalogue, in OpenAI's form unless another is
 * named. One with `models` is for the models that fit.
 */
export type VendorEndpoint = string | { path: string; form: EndpointFormName; models?: RegExp };
export type VendorEndpoints = Readonly<Partial<Record<EndpointName, VendorEndpoint | readonly VendorEndpoint[]>>>;

/** Endpoints at OpenAI's paths, between what stands before and behind them elsewhere. */
function likeOpenAi(names: readonly EndpointName[], before = '', behind = ''): VendorEndpoints {
  return Object.fromEntries(names.map((name) => [name, `${before}/${name}${behind}`]));
}

const images = ['images/generations', 'images/edits', 'images/variations'] as const;
const audio = ['audio/speech', 'audio/transcriptions', 'audio/translations'] as const;
const atAzure = ['embeddings', 'images/generations', 'images/edits', ...audio] as const;
const invokeModel = '/model/{model}/invoke';

/** What the catalogue's vendors offer besides conversations; the version of the API may stand behind the name. */
const endpoints: Readonly<Record<string, VendorEndpoints>> = {
  openai: likeOpenAi(['embeddings', ...images, ...audio, 'moderations']),
  'azure-openai': likeOpenAi(atAzure, '/openai/deployments/{deployment}', '?api-version={apiVersion}'),
  'azure-openai v1': likeOpenAi(atAzure, '/openai/v1'),
  'google-ai-studio': { embeddings: { path: '/models/{model}:batchEmbedContents', form: 'gemini-embed' } },
  'google-vertex-ai': {
    embeddings: { path: '/v1{location}/publishers/google/models/{model}:predict', form: 'vertex-embed' },
  },
  groq: likeOpenAi(audio),
  mistral: likeOpenAi(['embeddings', 'moderations', 'audio/transcriptions']),
  xai: likeOpenAi(['images/generations', 'images/edits']),
  cohere: {
    embeddings: { path: '/embed', form: 'cohere-embed' },
    rerank: { path: '/rerank', form: 'cohere-rerank' },
  },
  'aws-bedrock': {
    embeddings: [
      { path: invokeModel, form: 'titan-embed', models: /amazon\.titan-embed-text/ },
      { path: invokeModel, form: 'bedrock-cohere-embed', models: /cohere\.embed/ },
    ],
  },
  // https://openrouter.ai/docs/guides/evaluate-and-optimize/rag
  openrouter: likeOpenAi(['embeddings', 'rerank']),
  'workers-ai': likeOpenAi(['embeddings']),
  ollama: likeOpenAi(['embeddings']),
  // Nobody knows what such a server offers; what it does not, it says itself.
  'openai-compatible': likeOpenAi(endpointNames),
};

/** What a vendor of the catalogue offers besides conversations, in the version of its API that is called. */
export function vendorEndpoints(vendor: string, apiVersion: string | undefined): VendorEndpoints {
  return endpoints[`${vendor} ${apiVersion}`] ?? endpoints[vendor] ?? {};
}

/** Versions of a vendor's API that the one in its base URL contains: the SDK of Google says `v1` since its third. */
const containedVersions: Readonly<Record<string, readonly string[]>> = { 'google-ai-studio': ['v1'] };

/** The versions that callers of a vendor's own API may name in place of the one in its base URL. */
export function versionsWithin(vendor: string): readonly string[] {
  return containedVersions[vendor] ?? [];
}
