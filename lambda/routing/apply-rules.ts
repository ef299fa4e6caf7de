import type { Condition, TextCondition } from '../config/routing-schema.ts';
import type { ModelConfig, ModelRule, RuleUse } from '../config/snapshot.ts';
import { hashed } from './draw.ts';
import type { RequestedModel } from './requested-model.ts';
import type { RoutingRequest } from './routing-request.ts';

type Models = Readonly<Record<string, ModelConfig>>;

/** A model as it is for one request, and the rule that made it so. */
export type RuledModel = { model: RequestedModel; rule?: string };

/**
 * What the first rule that holds makes of a model. `entropy` in [0, 1) decides splits of requests that have none of what
 * the split goes by. Rules of a model that a rule leads to do not count.
 */
export function applyRules(
  model: RequestedModel,
  models: Models,
  request: RoutingRequest,
  entropy: number,
): RuledModel {
  if (!model.rules) return { model };
  const drawn = hashed(String(entropy));
  for (const [index, rule] of model.rules.entries()) {
    if (rule.when && !holds(rule.when, request)) continue;
    const name = rule.name ?? `rule ${index + 1}`;
    if (rule.use) return { model: withUse(model, rule.use, models), rule: name };
    const share = rule.split && shareOf(rule, { seed: `${model.name}#${index}`, drawn }, request);
    return share ? { model: withUse(model, share.use, models), rule: `${name} (${share.percent} %)` } : { model };
  }
  return { model };
}

function withUse(model: RequestedModel, use: RuleUse, models: Models): RequestedModel {
  const { model: name, ...changes } = use;
  const other = name !== undefined && Object.hasOwn(models, name) ? models[name] : undefined;
  // Whole: what the other model says nothing of is not as it is with the first.
  const base = other ?? model;
  return { ...base, ...changes, timeouts: { ...base.timeouts, ...changes.timeouts }, name: model.name };
}

/** Equal values always fall into the same share; the rest stays with the model as it is. */
function shareOf(
  { split = [], by = 'session' }: ModelRule,
  { seed, drawn }: { seed: string; drawn: number },
  request: RoutingRequest,
): { percent: number; use: RuleUse } | undefined {
  const value = splitValue(by, request);
  const point = 100 * (value === undefined ? drawn : hashed(`${seed}#${value}`));
  let below = 0;
  return split.find(({ percent }) => {
    below += percent;
    return point < below;
  });
}

function splitValue(by: string, request: RoutingRequest): string | undefined {
  if (by === 'session') return request.session ?? request.conversation;
  if (by === 'user') return request.user;
  if (by === 'key') return request.keyLabel;
  return by.startsWith('metadata.') ? ownText(request.metadata, by.slice('metadata.'.length)) : undefined;
}

function ownText(record: Readonly<Record<string, string | undefined>> | undefined, name: string): string | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}

function holds(condition: Condition, request: RoutingRequest): boolean {
  const { metadata = {}, headers = {}, key, user, stream, bodyBytes, inputTokens, needs = [] } = condition;
  return (
    Object.entries(metadata).every(([name, wanted]) => textHolds(wanted, ownText(request.metadata, name))) &&
    Object.entries(headers).every(([name, wanted]) =>
      textHolds(wanted, ownText(request.headers, name.toLowerCase())),
    ) &&
    (key === undefined || textHolds(key, request.keyLabel)) &&
    (user === undefined || textHolds(user, request.user)) &&
    (stream === undefined || stream === request.stream) &&
    (bodyBytes === undefined || isWithin(bodyBytes, request.bodyBytes)) &&
    (inputTokens === undefined || isWithin(inputTokens, request.inputTokens)) &&
    needs.every((need) => request.needs?.includes(need))
  );
}

function textHolds(wanted: TextCondition, value: string | undefined): boolean {
  if (typeof wanted === 'string') return value === wanted;
  if (Array.isArray(wanted)) return value !== undefined && wanted.includes(value);
  const { exists, startsWith, not } = wanted;
  if (exists !== undefined && exists !== (value !== undefined)) return false;
  if (startsWith !== undefined && !value?.startsWith(startsWith)) return false;
  return not === undefined || !textHolds(not, value);
}

function isWithin(
  { min = 0, max = Infinity }: { min?: number | undefined; max?: number | undefined },
  value: number,
): boolean {
  return value >= min && value <= max;
}
