/** Whose model answers: Converse is one for all, but what goes beyond it differs. */
export type ModelFamily =
  | 'claude'
  | 'nova'
  | 'cohere'
  | 'mistral'
  | 'ai21'
  | 'gpt-oss'
  | 'deepseek'
  | 'llama'
  | 'titan'
  | 'other';

const marks: readonly (readonly [RegExp, ModelFamily])[] = [
  [/anthropic|claude/, 'claude'],
  [/nova/, 'nova'],
  [/cohere/, 'cohere'],
  [/mistral/, 'mistral'],
  [/ai21/, 'ai21'],
  [/gpt-oss/, 'gpt-oss'],
  [/deepseek/, 'deepseek'],
  [/llama/, 'llama'],
  [/titan/, 'titan'],
];

/**
 * The family that a model's id, inference profile or ARN names, with or without a region's prefix. The ARN of an
 * application inference profile names none.
 */
export function modelFamily(model: string): ModelFamily {
  return marks.find(([mark]) => mark.test(model))?.[1] ?? 'other';
}
