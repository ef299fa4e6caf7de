import { type KnownNames, providerName, splitTarget, type Target, targetProblem } from './resolve-target.ts';
import type { ModelItem } from './schema.ts';
import type { ModelTarget, TargetFacts } from './snapshot.ts';

/** What targets are resolved by: the names that exist, and what is publicly known of a target. */
export type TargetContext = { known: KnownNames; factsOf: (target: Target) => TargetFacts };

/** Resolves a target; what its item says of price, context and capabilities comes before what is publicly known. */
export function compileTarget(target: ModelItem['targets'][number], { known, factsOf }: TargetContext): ModelTarget {
  const long = typeof target === 'string' ? { target } : target;
  const { target: name, weight = 1, continuesPartial, ...facts } = long;
  const { provider, model } = splitTarget(name);
  const resolved = { provider: providerName(provider, known), model };
  const own = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  return { ...resolved, weight, ...(continuesPartial && { continuesPartial }), ...factsOf(resolved), ...own };
}

/** What is wrong with a list of targets, each beginning with `targets`. */
export function targetErrors(targets: readonly ModelTarget[], { known }: Pick<TargetContext, 'known'>): string[] {
  const errors = targets.flatMap((target, i) => {
    const problem = targetProblem(target, known);
    return problem ? [`targets[${i}]: ${problem}`] : [];
  });
  const seen = new Map<string, number>();
  for (const [i, { provider, model }] of targets.entries()) {
    const first = seen.get(`${provider}/${model}`);
    if (first !== undefined) errors.push(`targets[${i}]: repeats targets[${first}]; give one target a weight instead`);
    else seen.set(`${provider}/${model}`, i);
  }
  if (targets.every(({ weight }) => weight === 0)) errors.push('targets: at least one needs a weight above 0');
  return errors;
}
