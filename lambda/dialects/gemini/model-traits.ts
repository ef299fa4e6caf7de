/** What the API takes for a model of this name. */
export type ModelTraits = {
  /** `none`: the model does not think; `budget`: in tokens; `level`: in words. */
  thinking: 'none' | 'budget' | 'level';
  /** The least and the most tokens of a thinking budget; `least` 0 means that thinking can be switched off. */
  budget: { least: number; most: number };
  /** JSON Schema for tools and answers; older models know only a part of OpenAPI's. */
  jsonSchema: boolean;
  /** A call in the history must carry a signature, and results of tools may hold media. */
  isThirdGeneration: boolean;
};

/**
 * Reads the generation out of names such as `gemini-2.5-flash-lite` and `gemini-3.1-pro-preview`; names without one
 * (`gemini-flash-latest`, endpoints of tuned models) count as the newest. Budgets:
 * https://ai.google.dev/gemini-api/docs/thinking#set-budget
 */
export function modelTraits(model: string): ModelTraits {
  const version = /gemini-(?:[a-z]+-)?(\d+)(?:\.(\d+))?/.exec(model);
  const generation = version ? Number(`${version[1]}.${version[2] ?? 0}`) : 3;
  const isPro = model.includes('pro');
  return {
    thinking: generation >= 3 ? 'level' : generation >= 2.5 ? 'budget' : 'none',
    budget: isPro ? { least: 128, most: 32_768 } : { least: 0, most: 24_576 },
    jsonSchema: generation >= 2.5,
    isThirdGeneration: generation >= 3,
  };
}
