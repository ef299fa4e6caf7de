import { splitTarget } from '../config/resolve-target.ts';
import type { Snapshot } from '../config/snapshot.ts';
import type { Breakers } from '../routing/breaker.ts';
import type { Scores, TargetScore } from '../routing/score.ts';
import { targetName } from '../routing/target-name.ts';
import { foldSamples } from '../store/fold-samples.ts';
import type { StatsStore } from '../store/stats-store.ts';
import { configuredModel } from '../telemetry/target-model.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export type FoldingParts = {
  stats: StatsStore;
  snapshot: () => Promise<Snapshot>;
  telemetry: Telemetry;
  now: () => number;
};

/** Folds, unless a gateway does so at the moment, and tells the metrics what is known then. */
export async function foldAndTell({ stats, snapshot, telemetry, now }: FoldingParts): Promise<void> {
  await foldSamples(stats, now());
  const [{ scores, breakers }, inForce] = await Promise.all([stats.readLive(), snapshot()]);
  for (const [target, score] of busyTargets(scores)) {
    const { provider, model: targetModel } = splitTarget(target);
    const model = configuredModel({ provider, model: targetModel }, inForce);
    const { attempts, failures } = score.outcomes;
    const wait = score.streamed.small ?? score.streamed.medium ?? score.streamed.large;
    telemetry.event(
      'TargetScored',
      { provider, model, targetModel, attempts, failures, firstChunkP50Ms: wait?.p50Ms },
      {
        scoreFailureRatio: attempts > 0 ? failures / attempts : 0,
        ...(wait && { scoreFirstChunkSeconds: wait.p50Ms / 1000 }),
      },
    );
  }
  const withoutTarget = modelsWithoutTarget(inForce.models, breakers, now());
  telemetry.event(
    'ScoresFolded',
    { foldedAtMs: scores.foldedAtMs, modelsWithoutTarget: withoutTarget.slice(0, mostNamed) },
    {
      modelsWithoutTarget: withoutTarget.length,
    },
  );
}

/** Those of which there is something new to tell: a line for every target that was ever asked would cost more than it says. */
function busyTargets({ targets }: Scores): [string, TargetScore][] {
  return Object.entries(targets).filter(([, { attemptsPerSecond }]) => attemptsPerSecond > 0.001);
}

/** A line that names every model of an outage might be too long for CloudWatch; the metric counts them all. */
const mostNamed = 20;

/** After its rest a target is tried by the next request; where none comes for so long, nobody is waiting for it. */
const triedWithinMs = 45_000;

/**
 * The configured models all of whose targets, and those of their fallbacks, are down. A breaker that might be tried and
 * is not says nothing any more, though its item may stay in the table for days: a model without callers wakes nobody.
 */
function modelsWithoutTarget(models: Snapshot['models'], breakers: Breakers, nowMs: number): string[] {
  const isDown = (target: { provider: string; model: string }) => {
    const name = targetName(target);
    const breaker = Object.hasOwn(breakers, name) ? breakers[name] : undefined;
    return breaker && nowMs - Math.max(breaker.openUntilMs, breaker.leasedUntilMs ?? 0) < triedWithinMs;
  };
  return Object.entries(models)
    .filter(([, { targets, fallbacks }]) => {
      const all = [...targets, ...fallbacks.flatMap((name) => models[name]?.targets ?? [])];
      return all.every(isDown);
    })
    .map(([name]) => name);
}
