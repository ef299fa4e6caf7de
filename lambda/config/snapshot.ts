import type { Affinity, Capability, Condition, Hedge, Price, Strategy } from './routing-schema.ts';
import type { ProviderItem, SettingsItem, Timeouts } from './schema.ts';
import type { StreamFailurePolicy } from './stream-failure.ts';

/** One provider as configured; what it leaves out comes from the catalogue entry of its `type`. */
export type ProviderConfig = Omit<ProviderItem, 'name'> & { type: string };

/** What is known of a target's model; what is absent is unknown. */
export type TargetFacts = {
  price?: Price;
  /** What it can read and write together. */
  contextTokens?: number;
  capabilities?: Partial<Record<Capability, boolean>>;
};

/** `continuesPartial`: it goes on behind the beginning of an answer that ends the conversation. */
export type ModelTarget = {
  provider: string;
  model: string;
  weight: number;
  continuesPartial?: boolean;
} & TargetFacts;

/** What a rule puts in the place of what its model says; `model` is another configured one, whose rules do not count. */
export type RuleUse = {
  model?: string;
  targets?: ModelTarget[];
  strategy?: Strategy;
  fallbacks?: string[];
  timeouts?: Timeouts;
};

/** Either `use`, for all requests that it is for, or `split`, for shares of them by what `by` names. */
export type ModelRule = {
  name?: string;
  when?: Condition;
  use?: RuleUse;
  split?: { percent: number; use: RuleUse }[];
  by?: string;
};

/** One configured model: its targets in the order given, each with its weight (1 when none is given). */
export type ModelConfig = {
  targets: ModelTarget[];
  strategy: Strategy;
  fallbacks: string[];
  timeouts: Timeouts;
  unsupportedParameters?: 'reject' | 'drop';
  onStreamFailure?: StreamFailurePolicy;
  rules?: ModelRule[];
  affinity?: Affinity;
  hedge?: Hedge;
};

/** What people configured, without the stamp of a publication; equal configurations have equal content. */
export type SnapshotContent = {
  providers: Record<string, ProviderConfig>;
  models: Record<string, ModelConfig>;
  settings: Omit<SettingsItem, 'name'>;
};

/** Everything the gateway needs to know to serve, immutable once published. Keys are looked up one by one instead. */
export type Snapshot = SnapshotContent & {
  /** Counts up by one with every publication; 0 is the empty snapshot before the first. */
  version: number;
  /** ISO 8601 time of the compilation. */
  compiledAt: string;
};

/**
 * A record in sorted order and without a prototype: names come from callers and configuration, so `constructor` and
 * `__proto__` must be names like any other, both when written and when looked up.
 */
export function recordByName<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const record: Record<string, T> = Object.create(null);
  for (const [name, value] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) record[name] = value;
  return record;
}

/** What a gateway serves from while nothing was published yet: the catalogue's providers by `provider/model`. */
export const emptySnapshot: Snapshot = {
  version: 0,
  compiledAt: '1970-01-01T00:00:00.000Z',
  providers: recordByName([]),
  models: recordByName([]),
  settings: {},
};
