import * as v from 'valibot';
import { providerModel, timeoutsSchema } from './value-schemas.ts';

/** How the targets of a model are ordered. */
export const strategies = [
  'latency',
  'weighted',
  'priority',
  'cost',
  'throughput',
  'round-robin',
  'least-errors',
] as const;
export type Strategy = (typeof strategies)[number];
export const strategySchema = v.picklist(strategies);

/** What a request may need of a model beyond reading and writing text. */
export const capabilities = ['tools', 'vision', 'audio', 'files', 'jsonSchema'] as const;
export type Capability = (typeof capabilities)[number];
export const capabilitySchema = v.picklist(capabilities);

const usdPerMillion = v.pipe(
  v.number(),
  v.minValue(0, 'must not be negative'),
  v.maxValue(1_000_000, 'must be at most 1000000 US dollars per million tokens'),
);

/** US dollars per million tokens; both must be known to say what a request costs. */
export const priceSchema = v.strictObject({ input: usdPerMillion, output: usdPerMillion });

const tokens = v.pipe(
  v.number(),
  v.integer('must be a whole number of tokens'),
  v.minValue(1, 'must be at least 1'),
  v.maxValue(1_000_000_000, 'must be at most 1000000000 tokens'),
);

/** What a target is known to be able to do, and what it costs; it replaces what the price library says. */
export const targetFactEntries = {
  price: v.optional(priceSchema),
  contextTokens: v.optional(tokens),
  capabilities: v.optional(
    v.strictObject({
      tools: v.optional(v.boolean()),
      vision: v.optional(v.boolean()),
      audio: v.optional(v.boolean()),
      files: v.optional(v.boolean()),
      jsonSchema: v.optional(v.boolean()),
    }),
  ),
};

const weight = v.pipe(
  v.number(),
  v.minValue(0, 'must not be negative'),
  v.maxValue(1_000_000, 'must be at most 1000000'),
);

/** The long form of a target, for those that need more than their name. */
export const targetSchema = v.strictObject({
  target: providerModel,
  weight: v.optional(weight),
  continuesPartial: v.optional(v.boolean()),
  ...targetFactEntries,
});

export const targetsSchema = v.pipe(
  v.array(v.union([providerModel, targetSchema])),
  v.minLength(1, 'needs at least one target'),
  v.maxLength(100, 'takes at most 100 targets'),
);

const text = v.pipe(v.string(), v.maxLength(500, 'takes at most 500 characters'));
const texts = v.pipe(v.array(text), v.minLength(1, 'needs at least one value'), v.maxLength(100, 'takes at most 100'));

/** What a text must be: one value, one of several, begin with something, be there, or none of these. */
export const textConditionSchema = v.union([
  text,
  texts,
  v.strictObject({
    startsWith: v.optional(text),
    exists: v.optional(v.boolean()),
    not: v.optional(v.union([text, texts])),
  }),
]);

const bound = v.pipe(v.number(), v.minValue(0, 'must not be negative'));
export const rangeSchema = v.strictObject({ min: v.optional(bound), max: v.optional(bound) });

const byName = v.record(
  v.pipe(v.string(), v.regex(/^[^\s]{1,100}$/, 'must be a name of 1 to 100 characters without spaces')),
  textConditionSchema,
);

/** All that is said must hold. */
export const conditionSchema = v.strictObject({
  metadata: v.optional(byName),
  headers: v.optional(byName),
  key: v.optional(textConditionSchema),
  user: v.optional(textConditionSchema),
  stream: v.optional(v.boolean()),
  bodyBytes: v.optional(rangeSchema),
  inputTokens: v.optional(rangeSchema),
  needs: v.optional(v.array(capabilitySchema)),
});

/** What a rule changes of its model, or which other model it uses instead. */
export const useSchema = v.strictObject({
  model: v.optional(v.string()),
  targets: v.optional(targetsSchema),
  strategy: v.optional(strategySchema),
  fallbacks: v.optional(v.pipe(v.array(v.string()), v.maxLength(20, 'takes at most 20 models'))),
  timeouts: v.optional(timeoutsSchema),
});

const percent = v.pipe(v.number(), v.minValue(0, 'must not be negative'), v.maxValue(100, 'must be at most 100'));
export const shareSchema = v.strictObject({ percent, use: useSchema });

export const stickyBySchema = v.pipe(
  v.string(),
  v.regex(
    /^(session|user|key|request|metadata\.[^\s]{1,100})$/,
    'must be session, user, key, request or metadata.NAME',
  ),
);

export const ruleSchema = v.strictObject({
  name: v.optional(
    v.pipe(v.string(), v.nonEmpty('must not be empty'), v.maxLength(100, 'takes at most 100 characters')),
  ),
  when: v.optional(conditionSchema),
  use: v.optional(useSchema),
  split: v.optional(
    v.pipe(v.array(shareSchema), v.minLength(1, 'needs at least one share'), v.maxLength(20, 'takes at most 20')),
  ),
  by: v.optional(stickyBySchema),
});
export const rulesSchema = v.pipe(v.array(ruleSchema), v.maxLength(50, 'takes at most 50 rules'));

/** Whether conversations stay with the target that has their beginning in its prompt cache. */
export const affinitySchema = v.picklist(['conversation', 'session', 'none']);

export const hedgeSchema = v.strictObject({
  afterMs: v.optional(
    v.pipe(
      v.number(),
      v.integer('must be a whole number of milliseconds'),
      v.minValue(1, 'must be at least 1 millisecond'),
      v.maxValue(900_000, 'must be at most 900000 milliseconds'),
    ),
  ),
  maxShare: v.optional(v.pipe(v.number(), v.minValue(0, 'must not be negative'), v.maxValue(1, 'must be at most 1'))),
  maxCostFactor: v.optional(
    v.pipe(v.number(), v.minValue(0, 'must not be negative'), v.maxValue(100, 'must be at most 100')),
  ),
});

export const keyRotations = ['random', 'round-robin', 'priority', 'weighted'] as const;

/** Which of a provider's keys a request takes; weights go by the places of the keys in the vendor secret. */
export const keysSchema = v.strictObject({
  rotation: v.optional(v.picklist(keyRotations)),
  weights: v.optional(
    v.pipe(v.array(weight), v.minLength(1, 'needs at least one weight'), v.maxLength(1000, 'takes at most 1000')),
  ),
});

export type Price = v.InferOutput<typeof priceSchema>;
export type TextCondition = v.InferOutput<typeof textConditionSchema>;
export type Condition = v.InferOutput<typeof conditionSchema>;
export type UseItem = v.InferOutput<typeof useSchema>;
export type RuleItem = v.InferOutput<typeof ruleSchema>;
export type Affinity = v.InferOutput<typeof affinitySchema>;
export type Hedge = v.InferOutput<typeof hedgeSchema>;
export type KeyRotation = (typeof keyRotations)[number];
