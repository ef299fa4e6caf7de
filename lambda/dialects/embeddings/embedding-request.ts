import { estimatedTokens } from '../estimated-tokens.ts';
import { type JsonObject, stringOrUndefined } from '../json-value.ts';
import { optionalField } from '../openai-fields.ts';
import { RequestProblem } from '../request-problem.ts';
import { plainUsage } from '../usage.ts';
import type { FormAnswer } from '../vendor-endpoint.ts';

/** OpenAI's request (https://platform.openai.com/docs/api-reference/embeddings/create), as vendors of other forms need it. */
export type EmbeddingRequest = {
  texts: readonly string[];
  dimensions: number | undefined;
  /** Fields of another vendor's own. */
  others: JsonObject;
};

/** Reads it; throws `RequestProblem`. Inputs of token numbers belong to one model's vocabulary and mean nothing to others. */
export function readEmbeddingRequest(request: JsonObject): EmbeddingRequest {
  const { input, model: _, dimensions: __, encoding_format: format, user: ___, ...others } = request;
  const texts = typeof input === 'string' ? [input] : input;
  if (!Array.isArray(texts) || texts.length === 0 || !texts.every((text) => typeof text === 'string')) {
    const tokens = Array.isArray(texts) && texts.length > 0 && texts.every(isTokens);
    throw new RequestProblem(
      tokens
        ? '"input" holds token numbers, which this provider cannot read; send texts.'
        : '"input" must be a text or a list of texts.',
      'input',
    );
  }
  if (format !== undefined && format !== null && format !== 'float' && format !== 'base64') {
    throw new RequestProblem('"encoding_format" must be "float" or "base64".', 'encoding_format');
  }
  return { texts, dimensions: optionalField(request, 'dimensions', 'number'), others };
}

function isTokens(one: unknown): boolean {
  return typeof one === 'number' || (Array.isArray(one) && one.every((token) => typeof token === 'number'));
}

/** Of the fields that only some vendors have, those that this one takes, and the names of the rest. */
export function splitFields(others: JsonObject, taken: readonly string[]): { own: JsonObject; unsupported: string[] } {
  const entries = Object.entries(others).filter(([, value]) => value !== undefined && value !== null);
  return {
    own: Object.fromEntries(entries.filter(([name]) => taken.includes(name))),
    unsupported: entries.map(([name]) => name).filter((name) => !taken.includes(name)),
  };
}

/** What came back: vectors in the order of the texts, and how many tokens the vendor counted, if it did. */
export type Embedded = { vectors: unknown; inputTokens: number | undefined };

/** The answer in OpenAI's form; undefined when the vectors are none, or not as many as texts. */
export function writeEmbeddings(
  { vectors, inputTokens }: Embedded,
  { request, model }: { request: JsonObject; model: string },
): FormAnswer | undefined {
  const { texts } = readEmbeddingRequest(request);
  if (!Array.isArray(vectors) || vectors.length !== texts.length || !vectors.every(isVector)) return undefined;
  const encode = stringOrUndefined(request['encoding_format']) === 'base64' ? base64Of : (vector: number[]) => vector;
  const tokens = inputTokens ?? texts.reduce((sum, text) => sum + estimatedTokens(text), 0);
  const data = vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encode(vector) }));
  return {
    body: { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } },
    usage: plainUsage(tokens),
    ...(inputTokens === undefined ? { estimated: true } : {}),
  };
}

function isVector(vector: unknown): vector is number[] {
  return Array.isArray(vector) && vector.every((one) => typeof one === 'number');
}

/** 32-bit floats, the lowest byte first, which OpenAI's SDKs ask for and decode. */
function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}
