import fc from 'fast-check';
import { type Capability, strategies } from '../../lambda/config/routing-schema.ts';
import type { ModelConfig, ModelRule, ModelTarget } from '../../lambda/config/snapshot.ts';
import { applyRules } from '../../lambda/routing/apply-rules.ts';
import type { Breaker } from '../../lambda/routing/breaker.ts';
import { foldScores } from '../../lambda/routing/fold-scores.ts';
import { noKnowledge } from '../../lambda/routing/knowledge.ts';
import type { LiveStats } from '../../lambda/routing/live-stats.ts';
import type { PlanInput } from '../../lambda/routing/plan.ts';
import type { Preferences } from '../../lambda/routing/preferences.ts';
import type { RequestedModel } from '../../lambda/routing/requested-model.ts';
import type { RoutingRequest } from '../../lambda/routing/routing-request.ts';
import { scoresOf } from '../../lambda/routing/scores-of.ts';
import { targetName } from '../../lambda/routing/target-name.ts';
import { aSample, slicesOf } from './samples.ts';
import { aSnapshot } from './snapshots.ts';

/** A plan's input, and the models in it as their rules made them: the one that was asked for, the caller's, fallbacks. */
export type PlanWorld = { input: PlanInput; models: readonly RequestedModel[]; forbidden: readonly ModelTarget[] };

const plannedAtMs = 1_800_000_000_000;
const providers = ['a', 'b', 'c', 'd'];
/** Each of them stands in several models, or in none. */
const places = providers.flatMap((provider) => ['x', 'y'].map((model) => ({ provider, model })));
const needs: Capability[] = ['tools', 'vision', 'jsonSchema'];

const each = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.array(arbitrary, { minLength: places.length, maxLength: places.length });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const anyPrice = fc.record({ input: fc.integer({ min: 0, max: 10 }), output: fc.integer({ min: 0, max: 10 }) });
const anyStrategy = fc.constantFrom(...strategies);
const optional: { requiredKeys: never[] } = { requiredKeys: [] };

const anyFacts = fc.record(
  {
    price: anyPrice,
    contextTokens: fc.constantFrom(4_000, 200_000),
    capabilities: fc.dictionary(fc.constantFrom(...needs), fc.constantFrom(true, true, false)),
  },
  optional,
);
const anyWeight = fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: 0, max: 1_000, noNaN: true }));

const anyTargets: fc.Arbitrary<ModelTarget[]> = each(fc.tuple(anyFacts, anyWeight)).chain((facts) =>
  fc.shuffledSubarray(
    places.map((place, at) => ({ ...place, ...facts[at]?.[0], weight: facts[at]?.[1] ?? 1 })),
    { minLength: 1, maxLength: 6 },
  ),
);

const noFallbacks: fc.Arbitrary<string[]> = fc.constant([]);
const someFallbacks: fc.Arbitrary<string[]> = fc.constant(['spare', 'forbidden', 'gone']);

const anyRule: fc.Arbitrary<ModelRule> = fc.record(
  {
    when: fc.record({ stream: fc.boolean(), needs: fc.subarray<Capability>(needs) }, optional),
    use: fc.record(
      {
        targets: anyTargets,
        strategy: anyStrategy,
        model: fc.constantFrom('mine', 'gone'),
        fallbacks: fc.constant([]),
      },
      optional,
    ),
  },
  { requiredKeys: ['use'] },
);

const anyModel: fc.Arbitrary<ModelConfig> = fc.record(
  {
    targets: anyTargets,
    strategy: anyStrategy,
    fallbacks: fc.oneof(noFallbacks, someFallbacks),
    timeouts: fc.constant({}),
    affinity: fc.constantFrom('conversation', 'session', 'none'),
    hedge: fc.record({ afterMs: fc.constant(2_000) }, optional),
    unsupportedParameters: fc.constantFrom('drop', 'reject'),
    rules: fc.array(anyRule, { maxLength: 2 }),
  },
  { requiredKeys: ['targets', 'strategy', 'fallbacks', 'timeouts'] },
);

const someProviders = fc.shuffledSubarray(providers, { minLength: 1 });
const anyLimits = fc.oneof(
  fc.record({ p50: fc.integer({ min: 1, max: 5_000 }) }),
  fc.dictionary(fc.constantFrom('p50', 'p75', 'p90', 'p99'), fc.integer({ min: 1, max: 5_000 }), { minKeys: 1 }),
);
/** Few at a time: of all together hardly any target is left. */
const anyPreferences: fc.Arbitrary<Preferences> = fc
  .array(
    fc.oneof(
      fc.record({ order: someProviders }),
      fc.record({ order: someProviders, allowFallbacks: fc.constant(false) }),
      fc.record({ order: someProviders, preferredMaxLatencyMs: anyLimits }),
      fc.record({ only: someProviders }),
      fc.record({ ignore: fc.shuffledSubarray(providers, { minLength: 1, maxLength: 2 }) }),
      fc.record({ sort: fc.constantFrom<NonNullable<Preferences['sort']>>('price', 'throughput', 'latency') }),
      fc.record({ maxPrice: anyPrice }),
      fc.record({ allowFallbacks: fc.boolean() }),
      fc.record({ preferredMaxLatencyMs: anyLimits }),
      fc.record({ preferredMinThroughput: anyLimits }),
      fc.record({ requireParameters: fc.constant(true) }),
      fc.record({ foreign: fc.constant(['zdr']) }),
    ),
    { maxLength: 3 },
  )
  .map((wishes) => Object.assign({}, ...wishes));

const anyRequest: fc.Arbitrary<RoutingRequest> = fc.record(
  {
    stream: fc.boolean(),
    inputTokens: fc.constantFrom(10, 10, 10, 3_000, 20_000),
    maxOutputTokens: fc.constantFrom(undefined, 4_000),
    bodyBytes: fc.constant(100),
    needs: fc.subarray<Capability>(needs),
    preferences: anyPreferences,
    session: fc.constantFrom('s1', 's2'),
    conversation: fc.constantFrom('c1', 'c2'),
  },
  { requiredKeys: ['stream', 'inputTokens', 'maxOutputTokens', 'bodyBytes'] },
);

const at = plannedAtMs;
const anyBreaker = fc.constantFrom<Breaker | undefined>(
  ...[undefined, undefined, undefined],
  { openedAtMs: at - 1, openUntilMs: at + 9_000, openings: 1, reason: 'timeout' },
  { openedAtMs: at - 9_000, openUntilMs: at, openings: 1, reason: 'timeout' },
  { openedAtMs: at - 9_000, openUntilMs: at - 1, openings: 2, reason: 'server_error', leasedUntilMs: at + 5_000 },
);
const anySeen = fc.record({
  waitMs: fc.integer({ min: 1, max: 5_000 }),
  answers: fc.integer({ min: 0, max: 40 }),
  failures: fc.integer({ min: 0, max: 20 }),
  outputTokens: fc.integer({ min: 1, max: 300 }),
});
type Seen = typeof anySeen extends fc.Arbitrary<infer S> ? S : never;

const anyLive: fc.Arbitrary<LiveStats> = fc
  .record({ seen: each(maybe(anySeen)), breakers: each(anyBreaker) })
  .map(({ seen, breakers }) => ({
    scores: scoresOf(foldScores(noKnowledge, slicesOf(...places.flatMap((_, i) => samplesOf(i, seen[i]))), at)),
    breakers: Object.fromEntries(places.flatMap((place, i) => (breakers[i] ? [[targetName(place), breakers[i]]] : []))),
  }));

function samplesOf(place: number, seen: Seen | undefined) {
  if (!seen) return [];
  const { waitMs, answers, failures, outputTokens } = seen;
  const target = { target: targetName(places[place] as ModelTarget), atMs: plannedAtMs - 1_000 };
  return [
    ...Array.from({ length: answers }, () => aSample({ ...target, waitMs, outputTokens, generationMs: 1_000 })),
    ...Array.from({ length: failures }, () => aSample({ ...target, outcome: 'overloaded' })),
  ];
}

/** Any configuration, knowledge and wish. */
export const anyPlanWorld: fc.Arbitrary<PlanWorld> = fc
  .record({
    models: fc.record({ asked: anyModel, mine: anyModel, spare: anyModel, forbidden: anyModel }),
    isLimited: fc.boolean(),
    namesMine: fc.boolean(),
    leavesRouting: fc.boolean(),
    request: anyRequest,
    live: anyLive,
    entropy: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    turn: maybe(fc.nat(10)),
  })
  .map(({ models, isLimited, namesMine, leavesRouting, request, live, entropy, turn }): PlanWorld => {
    const snapshot = aSnapshot({ models });
    const ruled = (name: keyof typeof models) => applyRules({ name, ...models[name] }, models, request, entropy);
    const asked = ruled('asked');
    const fallbacks = request.preferences?.allowFallbacks === false ? [] : asked.model.fallbacks;
    const tried = (['spare', 'forbidden'] as const).filter((name) => fallbacks.includes(name));
    const isForbidden = (name: string) => isLimited && name === 'forbidden';
    const standIns = [...(namesMine ? (['mine'] as const) : []), ...tried.filter((name) => !isForbidden(name))];
    return {
      models: [asked.model, ...standIns.map((name) => ruled(name).model)],
      forbidden: tried.filter(isForbidden).flatMap((name) => models[name].targets),
      input: {
        ...{ ...asked, snapshot, live, request, entropy, nowMs: plannedAtMs, turn: () => turn },
        alternatives: namesMine ? [{ name: 'mine', ...models.mine }] : undefined,
        mayUse: isLimited ? (name) => !isForbidden(name) : undefined,
        leavesRouting: leavesRouting ? (provider) => provider === 'd' : undefined,
      },
    };
  });
