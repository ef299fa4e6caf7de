import { suggestion } from './closest-name.ts';
import type { RawItem } from './raw-item.ts';
import { type KnownNames, providerName, splitTarget, targetProblem } from './resolve-target.ts';
import type { ModelItem } from './schema.ts';
import type { ModelConfig } from './snapshot.ts';
import { type Validated, validateItem } from './validate-item.ts';

/** Validates a model item and resolves its targets. */
export function compileModel(item: RawItem, known: KnownNames): Validated<[string, ModelConfig]> {
  const result = validateItem('model', item);
  if ('errors' in result) return result;
  const { name, strategy = 'latency', fallbacks = [], timeouts = {} } = result.value;
  const { unsupportedParameters, onStreamFailure } = result.value;
  const targets = result.value.targets.map((target) => compileTarget(target, known));
  const errors = [
    ...targetErrors(targets, known),
    ...fallbacks.flatMap((fallback, i) => fallbackError(fallback, i, { name, known, fallbacks })),
  ].map((problem) => `model/${name} ${problem}`);
  return errors.length > 0
    ? { errors }
    : {
        value: [
          name,
          {
            targets,
            strategy,
            fallbacks,
            timeouts,
            ...(unsupportedParameters && { unsupportedParameters }),
            ...(onStreamFailure && { onStreamFailure }),
          },
        ],
      };
}

function compileTarget(target: ModelItem['targets'][number], known: KnownNames): ModelConfig['targets'][number] {
  const long = typeof target === 'string' ? { target } : target;
  const { target: name, weight = 1, continuesPartial } = long;
  const { provider, model } = splitTarget(name);
  return { provider: providerName(provider, known), model, weight, ...(continuesPartial && { continuesPartial }) };
}

function targetErrors(targets: ModelConfig['targets'], known: KnownNames): string[] {
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

type FallbackContext = { name: string; known: KnownNames; fallbacks: string[] };

// Two models may name each other: a fallback's own fallbacks are not followed, so there is no cycle to run into.
function fallbackError(fallback: string, i: number, { name, known, fallbacks }: FallbackContext): string[] {
  if (fallback === name) return [`fallbacks[${i}]: a model cannot be its own fallback`];
  if (fallbacks.indexOf(fallback) < i) return [`fallbacks[${i}]: repeats "${fallback}"`];
  if (known.models.has(fallback)) return [];
  return [`fallbacks[${i}]: model "${fallback}" is not configured${suggestion(fallback, known.models)}`];
}
