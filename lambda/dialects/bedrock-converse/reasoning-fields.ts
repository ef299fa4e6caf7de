import type { Reasoning } from '../chat-request.ts';
import type { JsonObject } from '../json-value.ts';
import { claudeVersion, modelFamily } from './model-family.ts';

type Effort = NonNullable<Reasoning['effort']>;

/** What a wish to reason becomes in `additionalModelRequestFields`; undefined when the model cannot honour it. */
export function reasoningFields(
  reasoning: Reasoning,
  model: string,
  maxOutputTokens: number | undefined,
): JsonObject | undefined {
  const off = reasoning.effort === 'none' || reasoning.budgetTokens === 0;
  const effort = reasoning.effort ?? effortOf(reasoning.budgetTokens);
  switch (modelFamily(model)) {
    case 'claude':
      return off ? claudeOff(model) : claudeFields({ ...reasoning, effort }, model, maxOutputTokens);
    case 'nova':
      return novaFields(off ? 'none' : effort, model);
    case 'gpt-oss':
      return off ? undefined : { reasoning_effort: threeEfforts[effort] };
    default:
      return off ? {} : undefined;
  }
}

/** A budget in words, the inverse of `budgets`. */
function effortOf(budgetTokens: number | undefined): Effort {
  if (budgetTokens === undefined) return 'medium';
  if (budgetTokens <= 2048) return 'low';
  return budgetTokens <= 12_288 ? 'medium' : 'high';
}

const threeEfforts: Readonly<Record<Effort, string>> = {
  none: 'low',
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};

const budgets: Readonly<Record<Effort, number>> = {
  none: 1024,
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
};
/** https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html */
const leastBudget = 1024;

/**
 * Models before 4.6 know budgets only, later ones decide by an effort and refuse budgets from 4.7 on
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html).
 */
function claudeFields(
  { effort, budgetTokens, summary }: Reasoning & { effort: Effort },
  model: string,
  maxOutputTokens: number | undefined,
): JsonObject | undefined {
  const version = claudeVersion(model);
  if (version !== undefined && version < 307) return undefined;
  if (version !== undefined && version < 406) {
    // What is left of the limit is for the answer; both count against it.
    const most = maxOutputTokens === undefined ? Number.POSITIVE_INFINITY : Math.floor(maxOutputTokens * 0.8);
    if (most < leastBudget && budgetTokens === undefined) return undefined;
    const budget = budgetTokens ?? Math.min(budgets[effort], most);
    return { thinking: { type: 'enabled', budget_tokens: Math.max(leastBudget, budget) } };
  }
  // Thoughts of these models are hidden unless asked for.
  const display = summary === undefined ? {} : { display: 'summarized' };
  return { thinking: { type: 'adaptive', ...display }, output_config: { effort: claudeEffort(effort, version) } };
}

function claudeEffort(effort: Effort, version: number | undefined): string {
  if (effort === 'minimal' || effort === 'none') return 'low';
  return effort === 'xhigh' && version === 406 ? 'high' : effort;
}

function claudeOff(model: string): JsonObject | undefined {
  const version = claudeVersion(model);
  if (/fable|mythos/.test(model)) return undefined;
  // Only the newest think unasked; the others need no word, and the oldest would not know it.
  return version !== undefined && version >= 406 ? { thinking: { type: 'disabled' } } : {};
}

/** https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html */
function novaFields(effort: Effort, model: string): JsonObject | undefined {
  if (!model.includes('nova-2')) return effort === 'none' ? {} : undefined;
  if (effort === 'none') return { reasoningConfig: { type: 'disabled' } };
  return { reasoningConfig: { type: 'enabled', maxReasoningEffort: threeEfforts[effort] } };
}
