import { suggestion } from './closest-name.ts';
import { type CompilingModel, compileRules } from './compile-rules.ts';
import { compileTarget, targetErrors } from './compile-targets.ts';
import type { RawItem } from './raw-item.ts';
import type { ModelConfig } from './snapshot.ts';
import { type Validated, validateItem } from './validate-item.ts';

/** Validates a model item, resolves its targets, and adds what is publicly known of them. */
export function compileModel(item: RawItem, context: CompilingModel): Validated<[string, ModelConfig]> {
  const result = validateItem('model', item);
  if ('errors' in result) return result;
  const { name, strategy = 'latency', fallbacks = [], timeouts = {}, rules, ...others } = result.value;
  const { unsupportedParameters, onStreamFailure, affinity, hedge } = others;
  const targets = result.value.targets.map((target) => compileTarget(target, context));
  const compiled = rules && compileRules(rules, context);
  const errors = [
    ...targetErrors(targets, context),
    ...fallbacks.flatMap((fallback, i) => fallbackError(fallback, i, { name, context, fallbacks })),
    ...(compiled?.errors ?? []),
  ].map((problem) => `model/${name} ${problem}`);
  if (errors.length > 0) return { errors };
  const config: ModelConfig = {
    targets,
    strategy,
    fallbacks,
    timeouts,
    ...(unsupportedParameters && { unsupportedParameters }),
    ...(onStreamFailure && { onStreamFailure }),
    ...(compiled && { rules: compiled.rules }),
    ...(affinity && { affinity }),
    ...(hedge && { hedge }),
  };
  return { value: [name, config] };
}

type FallbackContext = { name: string; context: CompilingModel; fallbacks: string[] };

// Two models may name each other: a fallback's own fallbacks are not followed, so there is no cycle to run into.
function fallbackError(fallback: string, i: number, { name, context, fallbacks }: FallbackContext): string[] {
  const { models } = context.known;
  if (fallback === name) return [`fallbacks[${i}]: a model cannot be its own fallback`];
  if (fallbacks.indexOf(fallback) < i) return [`fallbacks[${i}]: repeats "${fallback}"`];
  if (models.has(fallback)) return [];
  return [`fallbacks[${i}]: model "${fallback}" is not configured${suggestion(fallback, models)}`];
}
