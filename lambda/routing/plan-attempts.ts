import { applyRules } from './apply-rules.ts';
import { attemptLimits, hedgeTerms } from './attempt-limits.ts';
import { type Candidate, candidateOf } from './candidate.ts';
import { costMicroUsd } from './cost.ts';
import { hashed, seededRandom } from './draw.ts';
import { type WaitQuestion, waitQuestion } from './estimate-wait.ts';
import { type OrderContext, orderTargets } from './order-targets.ts';
import type { LeftOut, Plan, PlanInput, PlannedAttempt } from './plan.ts';
import { missedWish, type Preferences, whyNotPreferred } from './preferences.ts';
import type { Ranked } from './rank-by-loss.ts';
import type { RequestedModel } from './requested-model.ts';
import { isSurelyCapable, whyIncapable } from './requirements.ts';
import { type Ordered, settleBreakers } from './settle-breakers.ts';
import { targetName } from './target-name.ts';

const noPreferences: Preferences = {};

/** What is the same for all models of one plan. */
type Planning = PlanInput & {
  preferences: Preferences;
  question: WaitQuestion;
  random(): number;
  seen: Set<string>;
  leftOut: LeftOut[];
};

/**
 * Orders the targets of a model, then those of the models that stand in for it. Pure: the same arguments always give the
 * same plan. Never lists a target twice.
 */
export function planAttempts(input: PlanInput): Plan {
  const { snapshot, request, live, nowMs } = input;
  const planning: Planning = {
    ...input,
    preferences: request.preferences ?? noPreferences,
    question: waitQuestion(request, live.scores, nowMs),
    random: seededRandom(input.entropy),
    seen: new Set(),
    leftOut: [],
  };
  const { model, rule } = input.model.rules
    ? applyRules(input.model, snapshot.models, request, hashed(String(input.entropy)))
    : { model: input.model, rule: undefined };
  const ordered = orderModel(model, undefined, planning);
  for (const other of standIns(model, planning)) ordered.push(...orderModel(other, model.name, planning));
  const { attempts, leftOut } = settleBreakers(ordered, nowMs);
  const notes = uselessNames(model, planning);
  return {
    attempts: planning.preferences.allowFallbacks === false ? withoutFallbacks(attempts, planning) : attempts,
    leftOut: leftOut.length > 0 ? [...planning.leftOut, ...leftOut] : planning.leftOut,
    ...(rule !== undefined && { rule }),
    ...(notes.length > 0 && { notes }),
  };
}

/** The models to try after the one that was asked for: the caller's, then the configured ones that the caller may use. */
function standIns(model: RequestedModel, { alternatives = [], snapshot, mayUse, leftOut, preferences }: Planning) {
  if (preferences.allowFallbacks === false) return alternatives;
  const configured: RequestedModel[] = [];
  for (const name of model.fallbacks) {
    const config = Object.hasOwn(snapshot.models, name) ? snapshot.models[name] : undefined;
    if (!config) continue;
    if (!mayUse || mayUse(name)) configured.push({ name, ...config });
    else
      for (const { provider, model: other } of config.targets)
        leftOut.push({ provider, model: other, reason: `fallback ${name}, which this API key may not use` });
  }
  return configured.length === 0 ? alternatives : [...alternatives, ...configured];
}

/** The attempts on one model, in their order. */
function orderModel(model: RequestedModel, fallbackOf: string | undefined, planning: Planning): Ordered[] {
  const candidates = admitted(model, fallbackOf, planning);
  if (candidates.length === 0) return [];
  const { preferences } = planning;
  const sorts = { price: 'cost', throughput: 'throughput', latency: 'latency' } as const;
  const strategy = preferences.sort ? sorts[preferences.sort] : model.strategy;
  const ranked = orderTargets(strategy, candidates, orderContext(model, planning));
  const arranged = byPreference(bySuitability(ranked, planning), planning);
  return arranged.map(({ candidate, reason }, at) => {
    const why = fallbackOf === undefined ? reason : `fallback ${model.name} of ${fallbackOf}, ${reason}`;
    const attempt = attemptOn(candidate, why, { model, next: arranged[at + 1]?.candidate, planning });
    if (fallbackOf !== undefined) attempt.fallback = true;
    const { state, breaker } = candidate;
    return breaker ? { attempt, state, breaker } : { attempt, state };
  });
}

/** The targets that this request may be sent to; says of the others why not. */
function admitted({ targets }: RequestedModel, fallbackOf: string | undefined, planning: Planning): Candidate[] {
  const { request, live, question, nowMs, preferences, seen, leftOut, readsRoutingFields } = planning;
  const candidates: Candidate[] = [];
  for (const target of targets) {
    const name = targetName(target);
    if (seen.has(name)) continue;
    seen.add(name);
    const { provider, model } = target;
    const reason =
      (preferences !== noPreferences &&
        whyNotPreferred({ target }, preferences, readsRoutingFields?.(provider) ?? false)) ||
      whyIncapable(target, request);
    if (reason)
      leftOut.push({ provider, model, reason: fallbackOf === undefined ? reason : `fallback, but ${reason}` });
    else candidates.push(candidateOf(target, live, question, nowMs));
  }
  return candidates;
}

/** The draws of a session are always the same, so that it comes back to where its beginning is in the prompt cache. */
function orderContext(
  { affinity = 'conversation' }: RequestedModel,
  { request, random, turn }: Planning,
): OrderContext {
  const { session, conversation } = request;
  const key = affinity === 'none' ? undefined : (session ?? (affinity === 'session' ? undefined : conversation));
  if (key === undefined) return { request, turn, random, u: random };
  const seed = Math.floor(hashed(key) * 0x1_0000_0000);
  return { request, turn, random, u: ({ name }) => hashed(name, seed) };
}

/** Known to be able and quick enough before those that may not be. */
function bySuitability(ranked: Ranked[], { request, preferences }: Planning): Ranked[] {
  const matters = (request.needs?.length ?? 0) > 0 || request.inputTokens > 2_000;
  const wishes = preferences.preferredMaxLatencyMs ?? preferences.preferredMinThroughput;
  if (!matters && !wishes) return ranked;
  const capable = ranked.filter(({ candidate: { target } }) => isSurelyCapable(target, request));
  const sorted = capable.length === 0 ? ranked : [...capable, ...ranked.filter((one) => !capable.includes(one))];
  if (!wishes) return sorted;
  const missed = sorted.flatMap(({ candidate, reason }) => {
    const wish = missedWish(candidate, preferences);
    return wish === undefined ? [] : [{ candidate, reason: `last, since its ${wish}; ${reason}` }];
  });
  const slow = new Set(missed.map(({ candidate }) => candidate));
  return [...sorted.filter(({ candidate }) => !slow.has(candidate)), ...missed];
}

/** The providers that the caller named first, in that order. */
function byPreference(ranked: Ranked[], { preferences: { order, allowFallbacks } }: Planning): Ranked[] {
  if (!order) return ranked;
  const named = order.flatMap((provider, place) =>
    ranked.flatMap(({ candidate }) =>
      candidate.target.provider === provider ? [{ candidate, reason: `place ${place + 1} of provider.order` }] : [],
    ),
  );
  if (named.length === 0) return ranked;
  const first = new Map(named.map((one) => [one.candidate, one]));
  return allowFallbacks === false
    ? [...first.values()]
    : [...first.values(), ...ranked.filter(({ candidate }) => !first.has(candidate))];
}

type AttemptTerms = { model: RequestedModel; next: Candidate | undefined; planning: Planning };

function attemptOn(
  { target, wait }: Candidate,
  reason: string,
  { model, next, planning: { snapshot, request, preferences } }: AttemptTerms,
): PlannedAttempt {
  const { settings } = snapshot;
  const policy = model.unsupportedParameters ?? settings.unsupportedParameters;
  const limits = attemptLimits(model.timeouts, settings.timeouts ?? {}, wait, request);
  const attempt: PlannedAttempt = { provider: target.provider, model: target.model, limits, reason };
  if (policy === 'drop' && !preferences.requireParameters) attempt.dropsUnsupported = true;
  if (target.continuesPartial) attempt.continuesPartial = true;
  if (wait) attempt.expectedWaitMs = Math.round(wait.p50Ms);
  const cost = costMicroUsd(target, request);
  if (cost !== undefined) attempt.costMicroUsd = Math.round(cost);
  if (target.contextTokens !== undefined) attempt.contextTokens = target.contextTokens;
  const hedge = model.hedge && hedgeTerms(model.hedge, wait, next?.wait);
  if (hedge) attempt.hedge = hedge;
  return attempt;
}

/** Where the caller wants no other provider: the first one, or those of its order. */
function withoutFallbacks(attempts: readonly PlannedAttempt[], { preferences: { order } }: Planning) {
  const own = attempts.filter(({ provider, fallback }) => !fallback && order?.includes(provider));
  const alternatives = attempts.filter(({ fallback }) => fallback);
  if (own.length > 0) return [...own, ...alternatives];
  const main = attempts.filter(({ fallback }) => !fallback);
  const last = main.findIndex(({ breaker }) => breaker !== 'half-open');
  return [...main.slice(0, last < 0 ? 1 : last + 1), ...alternatives];
}

/** Names in the caller's preferences that no target of the model goes by. */
function uselessNames(
  { targets, name }: RequestedModel,
  { preferences: { order = [], only = [] } }: Planning,
): string[] {
  const fields = [
    ['order', order],
    ['only', only],
  ] as const;
  return fields.flatMap(([field, names]) =>
    names
      .filter((provider) => !targets.some((target) => target.provider === provider))
      .map((provider) => `provider.${field} names "${provider}", which serves no target of ${name}`),
  );
}
