import { targetName } from '../../routing/target-name.ts';
import { answerHeaders } from '../answers/answer-headers.ts';
import { mayUse } from '../caller/authenticate.ts';
import { type Exchange, sendJson } from '../exchange.ts';
import type { GatewayDeps } from '../gateway-deps.ts';

/** Tells what is known of the targets at the moment: those of the models that the caller may use. Times in milliseconds. */
export async function tellStats(exchange: Exchange, deps: GatewayDeps): Promise<void> {
  const { record, timings, sink } = exchange;
  const { scores, breakers } = await deps.live();
  const nowMs = deps.now();
  const names = [...new Set([...Object.keys(scores.targets), ...Object.keys(breakers)])].sort();
  const visible = visibleTargets(exchange);
  const body = {
    object: 'list',
    scoresFoldedAt: scores.foldedAtMs > 0 ? new Date(scores.foldedAtMs).toISOString() : null,
    data: names.filter(visible).map((target) => {
      const { updatedAtMs, ...score } = scores.targets[target] ?? { updatedAtMs: undefined };
      return {
        object: 'target.stats',
        target,
        ageMs: updatedAtMs === undefined ? null : Math.max(nowMs - updatedAtMs, 0),
        ...score,
        breaker: breakers[target] ?? null,
      };
    }),
  };
  await sendJson(sink, 200, body, answerHeaders(record, timings));
}

/** A limited key sees the targets of its models, and those that it may name itself. */
function visibleTargets({ caller, snapshot }: Exchange): (target: string) => boolean {
  if (caller.models === undefined) return () => true;
  const own = Object.entries(snapshot.models).filter(([name]) => mayUse(caller, name));
  const targets = new Set(own.flatMap(([, model]) => model.targets.map(targetName)));
  return (target) => targets.has(target) || mayUse(caller, target);
}
