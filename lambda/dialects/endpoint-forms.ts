import { onDemand } from './on-demand.ts';
import type { EndpointForm, EndpointFormName } from './vendor-endpoint.ts';

const cohere = () => import('./embeddings/cohere-embed.ts');
const google = () => import('./embeddings/google-embed.ts');

/** The forms of endpoints that are not OpenAI's, loaded when they are first needed. */
export const endpointForms: Readonly<Record<EndpointFormName, () => EndpointForm | Promise<EndpointForm>>> = {
  'cohere-embed': onDemand(async () => (await cohere()).cohereEmbed),
  'bedrock-cohere-embed': onDemand(async () => (await cohere()).bedrockCohereEmbed),
  'gemini-embed': onDemand(async () => (await google()).geminiEmbed),
  'vertex-embed': onDemand(async () => (await google()).vertexEmbed),
  'titan-embed': onDemand(async () => (await import('./embeddings/titan-embed.ts')).titanEmbed),
  'cohere-rerank': onDemand(async () => (await import('./rerank/cohere-rerank.ts')).cohereRerank),
};
