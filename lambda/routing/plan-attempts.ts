import type { Strategy } from '../config/routing-schema.ts';
import { applyRules } from './apply-rules.ts';
import { type Arranged, arrange } from './arrange.ts';
import { attemptLimits, hedgeTerms } from './attempt-limits.ts';
import { type Candidate, candidateOf } from './candidate.ts';
import { costMicroUsd } from './cost.ts';
import { hashed, seededRandom } from './draw.ts';
import { type WaitQuestion, waitQuestion } from './estimate-wait.ts';
import { type OrderContext, orderTargets } from './order-targets.ts';
import type { LeftOut, Plan, PlanInput, PlannedAttempt } from './plan.ts';
import { type Preferences, whyNotPreferred } from './preferences.ts';
import type { RequestedModel } from './requested-model.ts';
import { whyIncapable } from './requirements.ts';
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
  const ordered = orderModel(model, { turnName: rule === undefined ? model.name : `${model.name}#${rule}` }, planning);
  for (const other of standIns(model, planning))
    ordered.push(...orderModel(other, { turnName: other.name, fallbackOf: model.name }, planning));
  const { settled, leftOut } = settleBreakers(ordered, nowMs);
  const kept = planning.preferences.allowFallbacks === false ? withoutFallbacks(settled, planning) : settled;
  const notes = uselessNames(model, planning);
  return {
    attempts: kept.map((one, at) => hedged(one, kept[at + 1])),
    leftOut: leftOut.length > 0 ? [...planning.leftOut, ...leftOut] : planning.leftOut,
    ...(model.onStreamFailure && { onStreamFailure: model.onStreamFailure }),
    ...(rule !== undefined && { rule }),
    ...(notes.length > 0 && { notes }),
  };
}

/** Helped out by the model's next target, now that it is settled who is down; by none of which that is not certain. */
function hedged({ attempt, wait, hedge }: Ordered, next: Ordered | undefined): PlannedAttempt {
  const terms =
    hedge && next?.hedge === hedge && next.state === 'closed' ? hedgeTerms(hedge, wait, next.wait) : undefined;
  return terms ? { ...attempt, hedge: terms } : attempt;
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

/** Whose place a model has in the plan, and under which name its targets take turns. */
type Place = { turnName: string; fallbackOf?: string };

/** The attempts on one model, in their order. */
function orderModel(model: RequestedModel, { turnName, fallbackOf }: Place, planning: Planning): Ordered[] {
  const candidates = admitted(model, fallbackOf, planning);
  if (candidates.length === 0) return [];
  const { preferences, request } = planning;
  const sorts = { price: 'cost', throughput: 'throughput', latency: 'latency' } as const;
  const strategy = preferences.sort ? sorts[preferences.sort] : model.strategy;
  const ranked = orderTargets(strategy, candidates, orderContext(model, turnName, planning));
  return arrange(ranked, request, preferences).map((arranged): Ordered => {
    const { candidate, reason } = arranged;
    const why = fallbackOf === undefined ? reason : `fallback ${model.name} of ${fallbackOf}, ${reason}`;
    const attempt = attemptOn(candidate, why, model, planning);
    if (fallbackOf !== undefined) attempt.fallback = true;
    const { state, breaker, wait } = candidate;
    const mayLead = fallbackOf === undefined && isEverFirst(arranged, strategy);
    return { attempt, state, breaker, wait, hedge: model.hedge, mayLead };
  });
}

/** Whether requests like this one go to it first at times, so that one of them may find out whether it is back. */
function isEverFirst({ candidate, isLast }: Arranged, strategy: Strategy): boolean {
  if (isLast || strategy === 'priority' || strategy === 'cost') return false;
  return strategy !== 'weighted' || candidate.target.weight > 0;
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
  turnName: string,
  { request, random, turn: turnOf }: Planning,
): OrderContext {
  const turn = () => turnOf?.(turnName);
  const { session, conversation } = request;
  const key = affinity === 'none' ? undefined : (session ?? (affinity === 'session' ? undefined : conversation));
  if (key === undefined) return { request, turn, random, u: random };
  const seed = Math.floor(hashed(key) * 0x1_0000_0000);
  return { request, turn, random, u: ({ name }) => hashed(name, seed) };
}

function attemptOn(
  { target, wait }: Candidate,
  reason: string,
  model: RequestedModel,
  { snapshot, request, preferences }: Planning,
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
  return attempt;
}

/** Where the caller wants no other provider: the first one, or those of its order. Models that it named itself stay. */
function withoutFallbacks(settled: readonly Ordered[], { preferences: { order } }: Planning): readonly Ordered[] {
  const main = settled.filter(({ attempt }) => !attempt.fallback);
  const alternatives = settled.filter(({ attempt }) => attempt.fallback);
  const own = main.filter(({ attempt }) => order?.includes(attempt.provider));
  if (own.length > 0) return [...own, ...alternatives];
  const last = main.findIndex(({ attempt }) => attempt.breaker !== 'half-open');
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
