import { isObject, type JsonObject } from '../json-value.ts';
import type { EndpointForm } from '../vendor-endpoint.ts';
import { readEmbeddingRequest, splitFields, writeEmbeddings } from './embedding-request.ts';

/** Google's own names, and how they are written in OpenAI's manner. */
const ownFields: Readonly<Record<string, string>> = {
  task_type: 'taskType',
  taskType: 'taskType',
  title: 'title',
};

function renamed(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [ownFields[name] ?? name, value]));
}

/** Google AI Studio's `batchEmbedContents` (https://ai.google.dev/api/embeddings), which counts no tokens. */
export const geminiEmbed: EndpointForm = {
  encodeRequest(request, { model }) {
    const { texts, dimensions, others } = readEmbeddingRequest(request);
    const { own, unsupported } = splitFields(others, Object.keys(ownFields));
    const shared = { ...renamed(own), ...(dimensions === undefined ? {} : { outputDimensionality: dimensions }) };
    const name = model.startsWith('models/') ? model : `models/${model}`;
    const requests = texts.map((text) => ({ model: name, content: { parts: [{ text }] }, ...shared }));
    return { body: { requests }, unsupported };
  },
  decodeAnswer({ embeddings }, asked) {
    const vectors = Array.isArray(embeddings)
      ? embeddings.map((one) => (isObject(one) ? one['values'] : undefined))
      : undefined;
    return writeEmbeddings({ vectors, inputTokens: undefined }, asked);
  },
};

/** `predict` of Vertex AI (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api). */
export const vertexEmbed: EndpointForm = {
  encodeRequest(request) {
    const { texts, dimensions, others } = readEmbeddingRequest(request);
    const { own, unsupported } = splitFields(others, [...Object.keys(ownFields), 'auto_truncate']);
    const { auto_truncate: autoTruncate, ...named } = own;
    const { taskType, ...more } = renamed(named);
    const instance = { ...more, ...(taskType === undefined ? {} : { task_type: taskType }) };
    const parameters = {
      ...(dimensions === undefined ? {} : { outputDimensionality: dimensions }),
      ...(autoTruncate === undefined ? {} : { autoTruncate }),
    };
    return { body: { instances: texts.map((content) => ({ content, ...instance })), parameters }, unsupported };
  },
  decodeAnswer({ predictions }, asked) {
    const embeddings = (Array.isArray(predictions) ? predictions : []).map((one) =>
      isObject(one) && isObject(one['embeddings']) ? one['embeddings'] : {},
    );
    const counts = embeddings.map(({ statistics }) => (isObject(statistics) ? statistics['token_count'] : undefined));
    const counted = counts.every((count) => typeof count === 'number');
    const inputTokens = counted ? counts.reduce((sum, count) => sum + count, 0) : undefined;
    return writeEmbeddings({ vectors: embeddings.map(({ values }) => values), inputTokens }, asked);
  },
};
