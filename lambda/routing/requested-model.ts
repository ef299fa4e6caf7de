import type { ModelConfig, Snapshot } from '../config/snapshot.ts';

/** What a caller's model name stands for. */
export type RequestedModel = Readonly<Omit<ModelConfig, 'fallbacks'>> & {
  /** The name by which permissions are judged: a configured model's, or `provider/model`. */
  name: string;
  fallbacks: readonly string[];
};

/**
 * Finds what a name means: a configured model, a pin `model@@provider` (split at the last `@@`), or a target
 * `provider/model` (split at the first slash; further ones belong to the model). `isProvider` tells whether a provider
 * of that name can be called. Undefined when the name means nothing.
 */
export function findRequestedModel(
  snapshot: Snapshot,
  name: string,
  isProvider: (provider: string) => boolean,
): RequestedModel | undefined {
  const configured = configuredModel(snapshot, name);
  if (configured) return { name, ...configured };
  const pin = name.lastIndexOf('@@');
  if (pin > 0) return pinnedModel(snapshot, name.slice(0, pin), name.slice(pin + 2), isProvider);
  const slash = name.indexOf('/');
  const provider = name.slice(0, slash);
  if (slash <= 0 || slash === name.length - 1 || !isProvider(provider)) return undefined;
  return directTarget(provider, name.slice(slash + 1));
}

function configuredModel(snapshot: Snapshot, name: string): ModelConfig | undefined {
  return Object.hasOwn(snapshot.models, name) ? snapshot.models[name] : undefined;
}

/** A pin of a configured model keeps to its targets at that provider; any other name is the provider's own. */
function pinnedModel(
  snapshot: Snapshot,
  model: string,
  provider: string,
  isProvider: (provider: string) => boolean,
): RequestedModel | undefined {
  const configured = configuredModel(snapshot, model);
  const targets = configured?.targets.filter((target) => target.provider === provider) ?? [];
  if (configured && targets.length > 0) {
    const { rules: _, ...rest } = configured;
    return { name: model, ...rest, targets, fallbacks: [] };
  }
  return isProvider(provider) ? directTarget(provider, model) : undefined;
}

function directTarget(provider: string, model: string): RequestedModel {
  return {
    name: `${provider}/${model}`,
    targets: [{ provider, model, weight: 1 }],
    strategy: 'priority',
    fallbacks: [],
    timeouts: {},
  };
}
