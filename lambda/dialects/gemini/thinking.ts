import type { Reasoning } from '../chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined, withoutUndefined } from '../json-value.ts';
import type { ModelTraits } from './model-traits.ts';

const levels = ['minimal', 'low', 'medium', 'high'] as const;

/** The budgets that Google itself gives OpenAI's efforts (https://ai.google.dev/gemini-api/docs/openai#thinking). */
const budgets = { minimal: 1024, low: 1024, medium: 8192, high: 24_576, xhigh: 24_576, max: 32_768 };

/** Reads a `thinkingConfig`. A budget of -1 is the model's own choice, as if nothing had been said. */
export function decodeThinking(config: unknown): Reasoning | undefined {
  if (!isObject(config)) return undefined;
  const { thinkingBudget: budget, includeThoughts } = config;
  const level = stringOrUndefined(config['thinkingLevel'])?.toLowerCase();
  const effort = levels.find((known) => known === level);
  return {
    ...(effort ? { effort } : {}),
    ...(budget === 0 ? { effort: 'none' as const } : {}),
    ...(typeof budget === 'number' && budget > 0 ? { budgetTokens: budget } : {}),
    ...(includeThoughts === true ? { summary: 'auto' } : {}),
  };
}

/** The `thinkingConfig` for a model, and what of the wish has no place there. */
export function encodeThinking(
  reasoning: Reasoning | undefined,
  traits: ModelTraits,
): { config: JsonObject | undefined; unsupported: string[] } {
  if (!reasoning) return { config: undefined, unsupported: [] };
  const { effort, summary } = reasoning;
  const isWished = effort !== undefined || reasoning.budgetTokens !== undefined;
  if (traits.thinking === 'none') {
    return { config: undefined, unsupported: isWished && effort !== 'none' ? ['reasoning_effort'] : [] };
  }
  const includeThoughts = summary !== undefined && summary !== 'none' && effort !== 'none' ? true : undefined;
  const { unsupported, ...amount } = traits.thinking === 'level' ? byLevel(reasoning) : byBudget(reasoning, traits);
  const config = withoutUndefined({ ...amount, includeThoughts });
  return { config: Object.keys(config).length > 0 ? config : undefined, unsupported };
}

type Amount = { thinkingLevel?: string; thinkingBudget?: number; unsupported: string[] };

/** Level and budget exclude each other; a budget is taken from callers who know no level. */
function byLevel({ effort, budgetTokens }: Reasoning): Amount {
  // These models always think (https://ai.google.dev/gemini-api/docs/thinking#levels-budgets).
  if (effort === 'none') return { thinkingLevel: 'low', unsupported: ['reasoning_effort'] };
  if (effort !== undefined)
    return { thinkingLevel: levels.find((level) => level === effort) ?? 'high', unsupported: [] };
  return { ...(budgetTokens === undefined ? {} : { thinkingBudget: budgetTokens }), unsupported: [] };
}

function byBudget({ effort, budgetTokens }: Reasoning, { budget }: ModelTraits): Amount {
  if (effort === 'none')
    return { thinkingBudget: budget.least, unsupported: budget.least > 0 ? ['reasoning_effort'] : [] };
  const wished = budgetTokens ?? (effort === undefined ? undefined : budgets[effort]);
  if (wished === undefined) return { unsupported: [] };
  return { thinkingBudget: Math.min(Math.max(wished, budget.least), budget.most), unsupported: [] };
}
