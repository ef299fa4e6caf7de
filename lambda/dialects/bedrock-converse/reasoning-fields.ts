import { modelTraits } from '../anthropic-messages/claude-models.ts';
import { encodeThinking } from '../anthropic-messages/encode-thinking.ts';
import { lacksItsThoughts } from '../anthropic-messages/thinking-turn.ts';
import type { ChatRequest, Reasoning } from '../chat-request.ts';
import type { JsonObject } from '../json-value.ts';
import { modelFamily } from './model-family.ts';

type Effort = NonNullable<Reasoning['effort']>;

/** What a wish to reason becomes in `additionalModelRequestFields`, and the limit that must stand above it. */
export type ReasoningFields = { fields: JsonObject; maxTokens?: number; honoured: boolean };

const nothing: ReasoningFields = { fields: {}, honoured: true };
const refused: ReasoningFields = { fields: {}, honoured: false };

/** Each family has its own words for it; most have none. */
export function reasoningFields(request: ChatRequest, model: string): ReasoningFields {
  const { reasoning } = request;
  const family = modelFamily(model);
  // Callers of Anthropic's dialect may have said more about it than the vocabulary holds.
  if (family === 'claude') return claudeFields(request, model);
  if (!reasoning) return nothing;
  const off = reasoning.effort === 'none' || reasoning.budgetTokens === 0;
  const effort = threeEfforts[reasoning.effort ?? effortOf(reasoning.budgetTokens)];
  if (family === 'nova' && model.includes('nova-2')) {
    // https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
    const config = off ? { type: 'disabled' } : { type: 'enabled', maxReasoningEffort: effort };
    return { fields: { reasoningConfig: config }, honoured: true };
  }
  if (family === 'gpt-oss') return off ? refused : { fields: { reasoning_effort: effort }, honoured: true };
  return off ? nothing : refused;
}

/** Claude takes the fields of Anthropic's own API. */
function claudeFields(request: ChatRequest, model: string): ReasoningFields {
  const { reasoning, maxOutputTokens, toolChoice, extensions } = request;
  const forced = toolChoice?.type === 'required' || toolChoice?.type === 'tool';
  const own = extensions['anthropic-messages'] ?? {};
  const thought = encodeThinking(
    { reasoning, maxOutputTokens, forced, interrupted: lacksItsThoughts(request), extensions: own },
    modelTraits(model),
  );
  const hasBudget = thought.thinking?.['type'] === 'enabled';
  return {
    fields: {
      ...(thought.thinking ? { thinking: thought.thinking } : {}),
      ...(thought.effort ? { output_config: { effort: thought.effort } } : {}),
    },
    ...(hasBudget ? { maxTokens: thought.maxTokens } : {}),
    honoured: thought.honoured,
  };
}

/** A budget in words. */
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
