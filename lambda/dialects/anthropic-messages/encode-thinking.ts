import type { Reasoning } from '../chat-request.ts';
import { isObject, type JsonObject } from '../json-value.ts';
import type { ModelTraits } from './claude-models.ts';

/** What is sent of a wish for thought; `honoured` is false where the model cannot do it. */
export type EncodedThinking = {
  thinking?: JsonObject;
  effort?: string;
  maxTokens: number;
  honoured: boolean;
};

type Wish = {
  reasoning: Reasoning | undefined;
  maxOutputTokens: number | undefined;
  /** The model must call a tool, which excludes thinking: "Thinking may not be enabled when tool_choice forces tool use". */
  forced: boolean;
  /** The turn that goes on has calls without the thoughts before them, which excludes a budget for thinking. */
  interrupted: boolean;
  /** Fields of this dialect's own callers. */
  extensions: JsonObject;
};

const smallestBudget = 1024;

/** Maps effort and budget to what the model takes (https://platform.claude.com/docs/en/build-with-claude/thinking). */
export function encodeThinking(wish: Wish, traits: ModelTraits): EncodedThinking {
  const { reasoning, maxOutputTokens, extensions } = wish;
  const maxTokens = maxOutputTokens ?? traits.defaultMaxTokens;
  if (isObject(extensions['thinking'])) {
    if (wish.interrupted && extensions['thinking']['type'] === 'enabled') return { maxTokens, honoured: true };
    return { thinking: extensions['thinking'], ...effortOf(reasoning, traits), maxTokens, honoured: true };
  }
  if (!reasoning) return { maxTokens, honoured: true };
  if (reasoning.effort === 'none' || reasoning.budgetTokens === 0) return { ...switchedOff(traits), maxTokens };
  if (extensions['thinking'] === null || wish.forced) {
    const effort = effortOf(reasoning, traits);
    // Where the model decides, it may decide not to think.
    const isFree = takesWords(traits) && reasoning.effort === undefined && reasoning.budgetTokens === undefined;
    return { ...effort, maxTokens, honoured: isFree || effort.effort !== undefined };
  }
  const display = displayOf(reasoning, extensions);
  if (takesBudget(reasoning, traits) && wish.interrupted) return { maxTokens, honoured: true };
  if (takesBudget(reasoning, traits)) return withBudget(wish, traits, display);
  if (traits.thinking === 'none') return { maxTokens, honoured: false };
  return { thinking: { type: 'adaptive', ...display }, ...effortOf(reasoning, traits), maxTokens, honoured: true };
}

function takesWords({ thinking }: ModelTraits): boolean {
  return thinking === 'adaptive' || thinking === 'both';
}

function takesBudget({ budgetTokens }: Reasoning, { thinking }: ModelTraits): boolean {
  return thinking === 'budget' || (thinking === 'both' && budgetTokens !== undefined);
}

/** Models before thinking have nothing to switch off; those that always think are asked to think little. */
function switchedOff({
  thinking,
  thinkingOff,
  efforts,
}: ModelTraits): Pick<EncodedThinking, 'thinking' | 'effort' | 'honoured'> {
  if (thinking === 'none') return { honoured: true };
  if (thinkingOff !== 'never') return { thinking: { type: thinkingOff }, honoured: true };
  const [least] = efforts;
  return { ...(least ? { effort: least } : {}), honoured: true };
}

function displayOf({ summary }: Reasoning, extensions: JsonObject): JsonObject {
  if (extensions['thinking_display'] === 'omitted') return { display: 'omitted' };
  return summary === undefined ? {} : { display: 'summarized' };
}

/** The budget is part of the limit and must leave room below it. */
function withBudget(wish: Wish, traits: ModelTraits, display: JsonObject): EncodedThinking {
  const { reasoning, maxOutputTokens } = wish;
  const wanted = reasoning?.budgetTokens;
  const room = Math.min(traits.maxTokensLimit, (wanted ?? 0) + traits.defaultMaxTokens);
  const maxTokens = maxOutputTokens ?? room;
  if (wanted === undefined && maxTokens <= smallestBudget) return { maxTokens, honoured: false };
  const budget = wanted ?? budgetOf(reasoning?.effort, maxTokens);
  const { budgetTokens: _, ...said } = reasoning ?? {};
  const effort = effortOf(said, traits);
  return { thinking: { type: 'enabled', budget_tokens: budget, ...display }, ...effort, maxTokens, honoured: true };
}

/** Shares of the limit, as OpenRouter has them (https://openrouter.ai/docs/guides/best-practices/reasoning-tokens). */
const shares: Readonly<Record<string, number>> = {
  minimal: 0.1,
  low: 0.2,
  medium: 0.5,
  high: 0.8,
  xhigh: 0.95,
  max: 0.95,
};

function budgetOf(effort: string | undefined, maxTokens: number): number {
  const share = Math.floor(maxTokens * (shares[effort ?? 'medium'] ?? 0.5));
  return Math.max(smallestBudget, Math.min(share, maxTokens - 1));
}

/** The nearest word that the model knows, upwards; a budget in words where only words are taken. */
function effortOf(
  reasoning: { effort?: string | undefined; budgetTokens?: number | undefined } | undefined,
  { efforts }: ModelTraits,
): { effort?: string } {
  const wanted = reasoning?.effort ?? wordFor(reasoning?.budgetTokens);
  if (wanted === undefined || wanted === 'none' || efforts.length === 0) return {};
  const order = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'];
  const known = order.slice(order.indexOf(wanted)).find((word) => efforts.includes(word)) ?? efforts.at(-1);
  return known ? { effort: known } : {};
}

function wordFor(budgetTokens: number | undefined): string | undefined {
  if (budgetTokens === undefined) return undefined;
  if (budgetTokens <= 2048) return 'low';
  return budgetTokens <= 12_288 ? 'medium' : 'high';
}
