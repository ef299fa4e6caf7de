/** Whose model answers: Converse is one for all, but what goes beyond it differs. */
export type ModelFamily = 'claude' | 'nova' | 'cohere' | 'mistral' | 'ai21' | 'gpt-oss' | 'deepseek' | 'other';

const marks: readonly (readonly [RegExp, ModelFamily])[] = [
  [/anthropic|claude/, 'claude'],
  [/nova/, 'nova'],
  [/cohere/, 'cohere'],
  [/mistral/, 'mistral'],
  [/ai21/, 'ai21'],
  [/gpt-oss/, 'gpt-oss'],
  [/deepseek/, 'deepseek'],
];

/**
 * The family that a model's id, inference profile or ARN names, with or without a region's prefix. The ARN of an
 * application inference profile names none.
 */
export function modelFamily(model: string): ModelFamily {
  return marks.find(([mark]) => mark.test(model))?.[1] ?? 'other';
}

/** Major and minor of a Claude model as one number that grows with them, 4.5 being 405; undefined when not told. */
export function claudeVersion(model: string): number | undefined {
  // claude-3-7-sonnet-20250219, claude-sonnet-4-5-20250929, claude-sonnet-4-20250514, claude-opus-5
  const match = /claude-(?:[a-z]+-)?(\d{1,2})(?:-(\d{1,2}))?(?!\d)/.exec(model);
  return match ? Number(match[1]) * 100 + Number(match[2] ?? 0) : undefined;
}
