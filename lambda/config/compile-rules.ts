import { suggestion } from './closest-name.ts';
import { compileTarget, type TargetContext, targetErrors } from './compile-targets.ts';
import type { RuleItem, UseItem } from './routing-schema.ts';
import type { ModelRule, RuleUse } from './snapshot.ts';

export type CompilingModel = TargetContext;

/** Resolves the rules of a model; says of each what is wrong, beginning with `rules[0]`. */
export function compileRules(
  rules: readonly RuleItem[],
  context: CompilingModel,
): { rules: ModelRule[]; errors: string[] } {
  const errors: string[] = [];
  const compiled = rules.map((rule, i): ModelRule => {
    const at = `rules[${i}]`;
    const { name, when, use, split, by } = rule;
    errors.push(...ruleErrors(rule).map((problem) => `${at}${problem}`));
    const uses = (item: UseItem, place: string): RuleUse => {
      const result = compileUse(item, context);
      errors.push(...result.errors.map((problem) => `${at}.${place}.${problem}`));
      return result.use;
    };
    return {
      ...(name !== undefined && { name }),
      ...(when && { when }),
      ...(use && { use: uses(use, 'use') }),
      ...(split && {
        split: split.map(({ percent, use: share }, n) => ({ percent, use: uses(share, `split[${n}].use`) })),
      }),
      ...(by !== undefined && { by }),
    };
  });
  return { rules: compiled, errors };
}

function ruleErrors({ use, split, by, when }: RuleItem): string[] {
  const errors: string[] = [];
  if ((use === undefined) === (split === undefined)) errors.push(': needs either use or split');
  if (by !== undefined && split === undefined) errors.push('.by: belongs to a split');
  const sum = split?.reduce((total, { percent }) => total + percent, 0) ?? 0;
  // Fractions do not add up exactly: 97.4 + 2.2 + 0.4 is a little more than 100.
  if (sum > 100 + 1e-9) errors.push(`.split: the shares add up to ${Number(sum.toFixed(6))} percent`);
  if (use && when === undefined) errors.push(': holds always; say when, or change the model itself');
  return errors;
}

function compileUse(
  { model, targets, strategy, fallbacks, timeouts }: UseItem,
  context: CompilingModel,
): { use: RuleUse; errors: string[] } {
  const { models } = context.known;
  const compiled = targets?.map((target) => compileTarget(target, context));
  const named = [
    ...(model === undefined ? [] : [['model', model] as const]),
    ...(fallbacks ?? []).map((fallback, i) => [`fallbacks[${i}]`, fallback] as const),
  ];
  const errors = [
    ...named
      .filter(([, name]) => !models.has(name))
      .map(([field, name]) => `${field}: model "${name}" is not configured${suggestion(name, models)}`),
    ...(compiled ? targetErrors(compiled, context) : []),
  ];
  const use: RuleUse = {
    ...(model !== undefined && { model }),
    ...(compiled && { targets: compiled }),
    ...(strategy && { strategy }),
    ...(fallbacks && { fallbacks }),
    ...(timeouts && { timeouts }),
  };
  return { use, errors };
}
