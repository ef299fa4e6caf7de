import type { GatewayDeps } from '../gateway/gateway-deps.ts';
import { healthSign } from '../routing/breaker.ts';
import { type DueProbe, dueProbes } from '../routing/due-probes.ts';
import { targetName } from '../routing/target-name.ts';
import type { Measurement } from '../store/measurement.ts';
import type { ProbeBudgetStore } from '../store/probe-budget-store.ts';
import type { StatsStore } from '../store/stats-store.ts';
import { errorName } from '../telemetry/error-name.ts';
import { probeTarget, probeTokensAtMost } from './probe-target.ts';

export type ProbingParts = {
  deps: GatewayDeps;
  stats: Pick<StatsStore, 'readKnowledge' | 'readLive'>;
  budget: ProbeBudgetStore;
  measurement: Pick<Measurement, 'probed'>;
};

const probesAtOnce = 8;
/** Slower answers are known to be slow by then. */
const longestProbeMs = 15_000;
/** For writing down what was found, though the table does not answer: a call, and all that runs behind. */
const marginMs = 5_000;
/** A few hundredths of a cent a day for each target, even at a dear model. */
const defaultDailyTokens = 4_000;

/**
 * Probes what is due, several at once, until the time is over; what is left over stands first the next time, since the
 * oldest knowledge comes first. Says how many targets were probed.
 */
export async function runProbes(parts: ProbingParts, untilMs: number): Promise<number> {
  const { deps, stats } = parts;
  const [snapshot, knowledge, { breakers }] = await Promise.all([
    deps.snapshot(),
    stats.readKnowledge(),
    stats.readLive(),
  ]);
  // Nobody can be asked without keys, and that says nothing of anybody. What failed was told where it was read.
  if (!(await canRead(deps.secrets))) return 0;
  const due = dueProbes({ snapshot, knowledge, breakers, nowMs: deps.now() });
  const dailyTokens = snapshot.settings.probes?.dailyTokens ?? defaultDailyTokens;
  let probed = 0;
  const work = async () => {
    for (let target = due.shift(); target; target = due.shift()) {
      if (untilMs - deps.now() < longestProbeMs + marginMs) return;
      if (await probe(target, dailyTokens, parts)) probed++;
    }
  };
  await Promise.all(Array.from({ length: probesAtOnce }, work));
  return probed;
}

function canRead(secrets: GatewayDeps['secrets']): Promise<boolean> {
  return secrets.get().then(
    () => true,
    () => false,
  );
}

/** Probes one target if its tokens of the day allow it. */
async function probe(target: DueProbe, dailyTokens: number, parts: ProbingParts): Promise<boolean> {
  const { deps, budget, measurement } = parts;
  const name = targetName(target);
  const nowMs = deps.now();
  const lost = (error: unknown) => {
    deps.telemetry.event('RefreshFailed', { reason: errorName(error), of: 'probe-budget' }, { refreshFailures: 1 });
    return false;
  };
  // Without a budget that can be kept there is no probe.
  const wish = { tokens: probeTokensAtMost, dailyTokens, nowMs };
  if (!(await budget.reserve(name, wish).catch(lost))) return false;
  const limits = { deadlineMs: nowMs + longestProbeMs, signal: new AbortController().signal };
  const result = await probeTarget(target, await deps.snapshot(), deps, limits);
  measurement.probed(name, result.promises);
  const { provider, model, reason } = target;
  const { outcome, tokens, timeToFirstChunkMs, promises } = result;
  const { atMs: _, ...kept } = promises;
  // No key is left, say: the vendor has not heard of it.
  const wasAsked = healthSign(outcome) !== 'neither';
  deps.telemetry.event(
    'ProbeCompleted',
    { provider, model, reason, outcome, timeToFirstChunkMs, tokens, ...kept },
    wasAsked ? { probeFailures: outcome === 'answered' ? 0 : 1, probeTokens: tokens } : {},
  );
  // What was reserved stays spent when this fails: rather too few probes than too many.
  await budget.settle(name, { tokens: tokens - probeTokensAtMost, nowMs }).catch(lost);
  return true;
}
