import { RequestProblem } from '../request-problem.ts';
import type { EndpointForm } from '../vendor-endpoint.ts';
import { readEmbeddingRequest, splitFields, writeEmbeddings } from './embedding-request.ts';

/**
 * Amazon's Titan Text Embeddings by Bedrock's InvokeModel
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html): one text for each call.
 */
export const titanEmbed: EndpointForm = {
  encodeRequest(request) {
    const { texts, dimensions, others } = readEmbeddingRequest(request);
    if (texts.length > 1) throw new RequestProblem('This model takes one text for each call in "input".', 'input');
    const { own, unsupported } = splitFields(others, ['normalize']);
    const size = dimensions === undefined ? {} : { dimensions };
    return { body: { inputText: texts[0], ...size, ...own }, unsupported };
  },
  decodeAnswer({ embedding, inputTextTokenCount: count }, asked) {
    return writeEmbeddings({ vectors: [embedding], inputTokens: typeof count === 'number' ? count : undefined }, asked);
  },
};
