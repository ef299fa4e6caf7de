import { isObject } from '../json-value.ts';
import type { EndpointForm } from '../vendor-endpoint.ts';
import { readEmbeddingRequest, splitFields, writeEmbeddings } from './embedding-request.ts';

/**
 * Cohere's `POST /v2/embed` (https://docs.cohere.com/reference/embed). It demands to be told what the vectors are for; where
 * the caller does not say so by Cohere's own `input_type`, they are taken for documents.
 */
export const cohereEmbed: EndpointForm = {
  encodeRequest(request, { model }) {
    const { texts, dimensions, others } = readEmbeddingRequest(request);
    const { own, unsupported } = splitFields(others, ['input_type', 'truncate', 'max_tokens', 'priority']);
    const size = dimensions === undefined ? {} : { output_dimension: dimensions };
    const body = { model, texts, input_type: 'search_document', embedding_types: ['float'], ...size, ...own };
    return { body, unsupported };
  },
  decodeAnswer(answer, asked) {
    const { embeddings, meta } = answer;
    const billed = isObject(meta) && isObject(meta['billed_units']) ? meta['billed_units']['input_tokens'] : undefined;
    return writeEmbeddings(
      {
        vectors: isObject(embeddings) ? embeddings['float'] : undefined,
        inputTokens: typeof billed === 'number' ? billed : undefined,
      },
      asked,
    );
  },
};

/** The same by Bedrock's InvokeModel, which names the model in its path and counts no tokens in its answer. */
export const bedrockCohereEmbed: EndpointForm = {
  ...cohereEmbed,
  encodeRequest(request, target) {
    const { body, unsupported } = cohereEmbed.encodeRequest(request, target);
    const { model: _, ...rest } = body;
    return { body: rest, unsupported };
  },
};
