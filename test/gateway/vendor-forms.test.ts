import { afterEach, describe, expect, test } from '@jest/globals';
import { type ProviderConfig, recordByName } from '../../lambda/config/snapshot.ts';
import { chatRequest, closeCores, handled } from '../support/core.ts';
import { answer } from '../support/scripted-vendor.ts';
import { serviceAccountJson } from '../support/service-account.ts';
import { aSnapshot } from '../support/snapshots.ts';
import { suiteVendor } from '../support/suite-vendor.ts';

const vendor = suiteVendor();

afterEach(closeCores);

type Form = {
  provider: ProviderConfig;
  model: string;
  path: string;
  /** What the vendor sees of `fields`. */
  request: object;
  /** What it answers with these vectors. */
  answer(vectors: number[][]): object;
  counted: boolean;
  fields: object;
  mostTexts?: number;
};

const tokens = 8;
const forms: Record<string, Form> = {
  cohere: {
    provider: { type: 'cohere' },
    model: 'embed-v4.0',
    path: '/v1/embed',
    fields: { dimensions: 256, input_type: 'search_query' },
    request: {
      model: 'embed-v4.0',
      texts: ['a', 'b'],
      embedding_types: ['float'],
      output_dimension: 256,
      input_type: 'search_query',
    },
    answer: (float) => ({ id: 'x', embeddings: { float }, meta: { billed_units: { input_tokens: tokens } } }),
    counted: true,
  },
  'google-ai-studio': {
    provider: { type: 'google-ai-studio' },
    model: 'gemini-embedding-001',
    path: '/v1/models/gemini-embedding-001:batchEmbedContents',
    fields: { dimensions: 256, task_type: 'RETRIEVAL_QUERY' },
    request: {
      requests: ['a', 'b'].map((text) => ({
        model: 'models/gemini-embedding-001',
        content: { parts: [{ text }] },
        outputDimensionality: 256,
        taskType: 'RETRIEVAL_QUERY',
      })),
    },
    answer: (vectors) => ({ embeddings: vectors.map((values) => ({ values })) }),
    counted: false,
  },
  'google-vertex-ai': {
    provider: { type: 'google-vertex-ai', project: 'p', region: 'europe-west1' },
    model: 'text-embedding-005',
    path: '/v1/v1/projects/p/locations/europe-west1/publishers/google/models/text-embedding-005:predict',
    fields: { dimensions: 256, task_type: 'RETRIEVAL_QUERY', auto_truncate: false },
    request: {
      instances: ['a', 'b'].map((content) => ({ content, task_type: 'RETRIEVAL_QUERY' })),
      parameters: { outputDimensionality: 256, autoTruncate: false },
    },
    answer: (vectors) => ({
      predictions: vectors.map((values) => ({
        embeddings: { values, statistics: { token_count: tokens / vectors.length, truncated: false } },
      })),
    }),
    counted: true,
  },
  'aws-bedrock, Titan': {
    provider: { type: 'aws-bedrock', region: 'eu-central-1' },
    model: 'amazon.titan-embed-text-v2:0',
    path: '/v1/model/amazon.titan-embed-text-v2%3A0/invoke',
    fields: { dimensions: 256, normalize: true },
    request: { inputText: 'a', dimensions: 256, normalize: true },
    answer: ([embedding]) => ({ embedding, inputTextTokenCount: tokens }),
    counted: true,
    mostTexts: 1,
  },
  'aws-bedrock, Cohere': {
    provider: { type: 'aws-bedrock', region: 'eu-central-1' },
    model: 'cohere.embed-multilingual-v3',
    path: '/v1/model/cohere.embed-multilingual-v3/invoke',
    fields: { truncate: 'END' },
    request: { texts: ['a', 'b'], input_type: 'search_document', embedding_types: ['float'], truncate: 'END' },
    answer: (float) => ({ embeddings: { float }, response_type: 'embeddings_by_type' }),
    counted: false,
  },
};

function ask(form: Form, fields: object) {
  const providers = recordByName([['mine', { ...form.provider, baseUrl: vendor.url }]]);
  const body = Buffer.from(JSON.stringify({ model: `mine/${form.model}`, ...fields }));
  const path = 'documents' in fields ? '/v1/rerank' : '/v1/embeddings';
  const key =
    form.provider.type === 'google-vertex-ai' ? serviceAccountJson('http://127.0.0.1:9/token') : 'key-of-vendor';
  const secrets = { mine: [key] };
  return handled(aSnapshot({ providers }), chatRequest({}, { path, body }), {
    deps: {
      secrets: { get: async () => secrets, refresh: async () => secrets },
      accessTokens: { get: async () => ({ token: 'token', issuedAtMs: 0 }) as never, forget: () => {} },
    },
  });
}

describe.each(Object.entries(forms))('embeddings of %s', (_, form) => {
  const texts = ['a', 'b'].slice(0, form.mostTexts ?? 2);
  const vectors = texts.map((__, index) => [index + 0.5, -1]);

  test('are asked for in its own form and told in that of OpenAI', async () => {
    vendor.always(answer(200, form.answer(vectors)));

    const { text, head, line } = await ask(form, { input: texts, ...form.fields });

    expect(head?.status).toBe(200);
    expect(vendor.seen[0]).toMatchObject({ method: 'POST', path: form.path, body: form.request });
    expect(Object.keys(vendor.seen[0]?.body ?? {}).sort()).toEqual(Object.keys(form.request).sort());
    const body = JSON.parse(text);
    expect(body.data).toEqual(vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })));
    expect(body.object).toBe('list');
    if (form.counted) expect(body.usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
    else expect(body.usage.prompt_tokens).toBeGreaterThan(0);
    expect(head?.headers['x-sluice-estimated']).toBe(form.counted ? undefined : 'true');
    expect(line.usageEstimated).toBe(form.counted ? undefined : true);
    expect(line.usage.inputTokens).toBe(body.usage.prompt_tokens);
  });

  test('come as base64 to those who ask for it', async () => {
    vendor.always(answer(200, form.answer(vectors.slice(0, 1))));

    const { text } = await ask(form, { input: 'a', encoding_format: 'base64' });

    const bytes = Buffer.from(JSON.parse(text).data[0].embedding, 'base64');
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4), bytes.length]).toEqual([0.5, -1, 8]);
  });

  test.each([
    ['tokens instead of texts', { input: [[1, 2]] }, /token numbers/],
    ['no texts', { input: [] }, /"input"/],
    ['a format of their own', { input: 'a', encoding_format: 'int8' }, /encoding_format/],
    ['a field that it does not have', { input: 'a', colour: 'red' }, /"colour"/],
  ])('are refused with %s', async (__, fields, message) => {
    const { text, head } = await ask(form, fields);

    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error.message).toMatch(message);
    expect(vendor.seen).toHaveLength(0);
  });

  test('are no answer when there are fewer than texts', async () => {
    vendor.always(answer(200, form.answer([])));

    expect((await ask(form, { input: texts })).head?.status).toBe(502);
  });
});

test('Titan takes one text for each call, and says so', async () => {
  const { text, head } = await ask(forms['aws-bedrock, Titan'] as Form, { input: ['a', 'b'] });

  expect(head?.status).toBe(400);
  expect(JSON.parse(text).error).toMatchObject({ param: 'input', message: expect.stringMatching(/one text/) });
});

describe('rerank of cohere', () => {
  const results = [
    { index: 1, relevance_score: 0.9 },
    { index: 0, relevance_score: 0.1 },
  ];
  const cohere = { ...forms['cohere'], model: 'rerank-v3.5' } as Form;

  test('takes documents as texts or objects, and brings them back when asked', async () => {
    vendor.always(answer(200, { id: 'r', results, meta: { billed_units: { search_units: 1 } } }));

    const { text } = await ask(cohere, {
      query: 'q',
      documents: ['a', { text: 'b' }],
      top_n: 2,
      return_documents: true,
    });

    expect(vendor.seen[0]).toMatchObject({ path: '/v1/rerank' });
    expect(vendor.seen[0]?.body).toEqual({ model: 'rerank-v3.5', query: 'q', documents: ['a', 'b'], top_n: 2 });
    expect(JSON.parse(text)).toMatchObject({
      id: 'r',
      model: 'rerank-v3.5',
      results: [
        { index: 1, relevance_score: 0.9, document: { text: 'b' } },
        { index: 0, relevance_score: 0.1, document: { text: 'a' } },
      ],
    });
  });

  test('leaves the documents out otherwise, and counts tokens where the model does', async () => {
    vendor.always(answer(200, { results, meta: { tokens: { input_tokens: 12, output_tokens: 0 } } }));

    const { text, line } = await ask(cohere, { query: 'q', documents: ['a', 'b'] });

    expect(JSON.parse(text).results).toEqual(results);
    expect(line.usage).toMatchObject({ inputTokens: 12, outputTokens: 0 });
  });

  test.each([
    [{ query: 'q', documents: [] }, /documents/],
    [{ query: 'q', documents: [1] }, /documents/],
    [{ documents: ['a'] }, /query/],
  ])('refuses %j', async (fields, message) => {
    const { text, head } = await ask(cohere, fields);

    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error.message).toMatch(message);
  });
});
