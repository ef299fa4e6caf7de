import { applyRules, type RuledModel } from './apply-rules.ts';
import { arrangeTargets } from './arrange-targets.ts';
import { type Candidate, candidateOf } from './candidate.ts';
import { hashed, seededRandom } from './draw.ts';
import { type WaitQuestion, waitQuestion } from './estimate-wait.ts';
import { type OrderContext, orderTargets } from './order-targets.ts';
import type { LeftOut, Placed, Plan, PlanInput } from './plan.ts';
import { plannedAttempt } from './planned-attempt.ts';
import { type Preferences, strategyOf, uselessNames, whyNotPreferred } from './preferences.ts';
import type { RequestedModel } from './requested-model.ts';
import { unknownNeed, whyIncapable } from './requirements.ts';
import { type Settled, settleBreakers } from './settle-breakers.ts';
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

/** A model whose targets are tried, as its rules made it; `fallbackOf` names the one that it stands in for. */
type PlannedModel = RuledModel & { fallbackOf?: string };

/**
 * Orders the targets of a model, then those of the models that stand in for it. Pure: the same arguments always give the
 * same plan. Never lists a target twice.
 */
export function planAttempts(input: PlanInput): Plan {
  const { model, rule, request, live, nowMs, entropy, leavesRouting } = input;
  const preferences = request.preferences ?? noPreferences;
  const planning: Planning = {
    ...input,
    preferences,
    question: waitQuestion(request, live.scores, nowMs),
    random: seededRandom(entropy),
    seen: new Set(),
    leftOut: [],
  };
  const models: PlannedModel[] = [{ model, ...(rule !== undefined && { rule }) }, ...standIns(planning)];
  const placed = models.flatMap((one) => placeTargets(one, planning));
  const mayReturn = preferences.allowFallbacks !== false;
  const settled = settleBreakers(placed, nowMs, { mayReturn });
  planning.leftOut.push(...settled.leftOut);
  const kept = mayReturn || preferences.order ? settled.kept : onlyFirsts(settled.kept, planning.leftOut);
  const notes = leavesRouting ? [] : uselessNames(model, preferences);
  return {
    attempts: kept.map((one, at) => plannedAttempt(one, kept[at + 1], input)),
    leftOut: planning.leftOut,
    ...(model.onStreamFailure && { onStreamFailure: model.onStreamFailure }),
    ...(rule !== undefined && { rule }),
    ...(notes.length > 0 && { notes }),
  };
}

/** The models to try after the one that was asked for: the caller's, then the configured ones that the caller may use. */
function standIns(planning: Planning): PlannedModel[] {
  const { model, alternatives = [], snapshot, mayUse, leftOut, preferences, request, entropy } = planning;
  const models = [...alternatives];
  for (const name of preferences.allowFallbacks === false ? [] : model.fallbacks) {
    const config = Object.hasOwn(snapshot.models, name) ? snapshot.models[name] : undefined;
    if (!config) continue;
    if (!mayUse || mayUse(name)) models.push({ name, ...config });
    else
      for (const { provider, model: other } of config.targets)
        leftOut.push({ provider, model: other, reason: `fallback ${name} is not for this API key`, isForbidden: true });
  }
  return models.map((one) => ({ ...applyRules(one, snapshot.models, request, entropy), fallbackOf: model.name }));
}

/** The targets of one model, in their order. */
function placeTargets(planned: PlannedModel, planning: Planning): Placed[] {
  const { model, rule, fallbackOf } = planned;
  const candidates = admitted(planned, planning);
  if (candidates.length === 0) return [];
  const strategy = strategyOf(model, planning.preferences);
  const ranked = orderTargets(strategy, candidates, orderContext(planned, planning));
  const name = rule === undefined ? model.name : `${model.name} by ${rule}`;
  return arrangeTargets(ranked, strategy, planning).map(({ candidate, reason, peers }) => ({
    candidate,
    peers,
    model,
    ...(fallbackOf === undefined ? { reason } : { fallbackOf, reason: `fallback ${name} of ${fallbackOf}, ${reason}` }),
  }));
}

/** Those who come to a model on different ways count their turns apart, lest each way always meet the same target. */
function counterOf({ model, rule, fallbackOf }: PlannedModel): string {
  const kind = fallbackOf === undefined ? 'model' : 'fallback';
  return rule === undefined ? `${kind}#${model.name}` : `${kind}#${model.name}#${rule}`;
}

/** The targets that this request may be sent to; says of the others why not. */
function admitted({ model: { targets }, fallbackOf }: PlannedModel, planning: Planning): Candidate[] {
  const { request, live, question, nowMs, preferences, seen, leftOut, leavesRouting } = planning;
  const leaveOut = ({ provider, model }: Candidate['target'], reason: string) =>
    leftOut.push({ provider, model, reason: fallbackOf === undefined ? reason : `fallback, but ${reason}` });
  const candidates: Candidate[] = [];
  for (const target of targets) {
    const name = targetName(target);
    if (seen.has(name)) continue;
    seen.add(name);
    const isPreferred = preferences === noPreferences || leavesRouting?.(target.provider);
    const reason = (!isPreferred && whyNotPreferred(target, preferences)) || whyIncapable(target, request);
    if (reason) leaveOut(target, reason);
    else candidates.push(candidateOf(target, live, question, nowMs));
  }
  if (!preferences.requireParameters) return candidates;
  const able = candidates.filter(({ target }) => unknownNeed(target, request) === undefined);
  if (able.length === 0) return candidates;
  for (const { target } of candidates) {
    const unknown = unknownNeed(target, request);
    if (unknown) leaveOut(target, `it is not known to ${unknown}, which provider.require_parameters wants`);
  }
  return able;
}

/** The draws of a session are always the same, so that it comes back to where its beginning is in the prompt cache. */
function orderContext(planned: PlannedModel, { request, random, turn: turnOf }: Planning): OrderContext {
  const { affinity = 'conversation' } = planned.model;
  const { session, conversation } = request;
  const turn = () => turnOf?.(counterOf(planned));
  const key = affinity === 'none' ? undefined : (session ?? (affinity === 'session' ? undefined : conversation));
  if (key === undefined) return { request, turn, random, u: random };
  const seed = Math.floor(hashed(key) * 0x1_0000_0000);
  return { request, turn, random, u: ({ name }) => hashed(name, seed) };
}

/** Of each model the first target, and those before it that may be back: where the caller wants no backup. */
function onlyFirsts(settled: readonly Settled[], leftOut: LeftOut[]): Settled[] {
  const done = new Set<RequestedModel>();
  return settled.filter(({ model, breaker, candidate: { target } }) => {
    const isWanted = !done.has(model);
    if (breaker !== 'half-open') done.add(model);
    if (!isWanted)
      leftOut.push({ provider: target.provider, model: target.model, reason: 'provider.allow_fallbacks is false' });
    return isWanted;
  });
}
