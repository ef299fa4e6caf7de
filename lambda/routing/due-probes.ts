import type { Snapshot } from '../config/snapshot.ts';
import type { Breakers } from './breaker.ts';
import type { Knowledge, TargetKnowledge } from './knowledge.ts';
import { targetName } from './target-name.ts';

/** A target to be probed: what is known of it is too little or too old to choose by. */
export type DueProbe = { provider: string; model: string; reason: string };

export type ProbeInput = { snapshot: Snapshot; knowledge: Knowledge; breakers: Breakers; nowMs: number };

const defaultStaleAfterMinutes = 10;
/** With so many recent samples a target is known well enough, however old the last of them. */
const enoughSamples = 5;
/** So little is left of one attempt after some minutes, since outcomes are forgotten fast. */
const leastDemand = 0.02;
/** A breaker that no traffic tries is tried by a probe; until then it is left to those who wait anyway. */
const untriedForMs = 30_000;

/**
 * The configured targets that are worth a probe, those of which least is known first: only where there is a choice to be
 * made, of models that somebody has asked for lately, and never of a target that is down and still has to rest.
 */
export function dueProbes({ snapshot, knowledge, breakers, nowMs }: ProbeInput): DueProbe[] {
  const { enabled = true, staleAfterMinutes = defaultStaleAfterMinutes } = snapshot.settings.probes ?? {};
  if (!enabled) return [];
  const known = (name: string) => (Object.hasOwn(knowledge.targets, name) ? knowledge.targets[name] : undefined);
  const due = new Map<string, DueProbe & { updatedAtMs: number }>();
  for (const name of Object.keys(snapshot.models)) {
    const targets = choicesOf(snapshot, name);
    if (targets.length < 2 || !targets.some((target) => isInDemand(known(targetName(target))))) continue;
    for (const target of targets) {
      const id = targetName(target);
      const reason = mayBeTried(breakers, id, nowMs) && needOf(known(id), nowMs - staleAfterMinutes * 60_000);
      if (reason) due.set(id, { ...target, reason, updatedAtMs: known(id)?.updatedAtMs ?? 0 });
    }
  }
  return [...due.values()]
    .sort((a, b) => a.updatedAtMs - b.updatedAtMs)
    .map(({ provider, model, reason }) => ({ provider, model, reason }));
}

/** All that a request for the model may end at: its targets, and those of its fallback models. */
function choicesOf({ models }: Snapshot, name: string): { provider: string; model: string }[] {
  const fallbacks = models[name]?.fallbacks ?? [];
  const targets = [name, ...fallbacks].flatMap((one) =>
    Object.hasOwn(models, one) ? (models[one]?.targets ?? []) : [],
  );
  // A comma would ask several models at once.
  return targets.filter(({ model }) => !model.includes(',')).map(({ provider, model }) => ({ provider, model }));
}

/** Whether callers want conversations of it: a probe would be one, and most models that embed or draw know none. */
function isInDemand(target: TargetKnowledge | undefined): boolean {
  const { attempts = 0, probes = 0, others = 0 } = target?.counters ?? {};
  return attempts - probes - others > leastDemand;
}

function needOf(target: TargetKnowledge | undefined, staleBeforeMs: number): string | undefined {
  if (!target) return 'never heard of';
  const { attempts = 0 } = target.counters;
  if (target.updatedAtMs < staleBeforeMs && attempts < enoughSamples) return 'not heard of lately';
  return undefined;
}

function mayBeTried(breakers: Breakers, name: string, nowMs: number): boolean {
  const breaker = Object.hasOwn(breakers, name) ? breakers[name] : undefined;
  return !breaker || Math.max(breaker.openUntilMs, breaker.leasedUntilMs ?? 0) + untriedForMs < nowMs;
}
