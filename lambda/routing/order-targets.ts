import type { Strategy } from '../config/routing-schema.ts';
import type { Candidate } from './candidate.ts';
import { costMicroUsd } from './cost.ts';
import { drawnPlace } from './draw.ts';
import { type DrawContext, type Loss, percent, type Ranked, rankByLoss } from './rank-by-loss.ts';
import type { RoutingRequest } from './routing-request.ts';

/** `turn` counts the requests of the whole fleet; called only where it decides. */
export type OrderContext = DrawContext & { request: RoutingRequest; turn(): number | undefined };

/** How candidates are ordered; each gives every candidate once, with a reason. */
type Order = (candidates: readonly Candidate[], context: OrderContext) => Ranked[];

const orders: Readonly<Record<Strategy, Order>> = {
  latency: (candidates, context) => rankByLoss(candidates, expectedLoss(candidates), context),
  throughput: (candidates, context) => rankByLoss(candidates, slowness, context),
  'least-errors': (candidates, context) => rankByLoss(candidates, unreliability, context),
  cost: byCost,
  weighted: byWeight,
  priority: (candidates) =>
    candidates.map((candidate, at) => ({ candidate, reason: `place ${at + 1} of ${candidates.length} as configured` })),
  'round-robin': inTurn,
};

export function orderTargets(strategy: Strategy, candidates: readonly Candidate[], context: OrderContext): Ranked[] {
  if (candidates.length === 1) return candidates.map((candidate) => ({ candidate, reason: 'the only target' }));
  return orders[strategy](candidates, context);
}

/** What a failure costs besides the wait on the next target. */
const failoverMs = 300;
/** A refusal comes at once. */
const refusalMs = 100;

/** The wait that is to be expected, with what comes of failures: the time until they show, and then another target's wait. */
function expectedLoss(candidates: readonly Candidate[]): (candidate: Candidate) => Loss | undefined {
  const means = candidates.flatMap(({ wait }) => (wait ? [wait.meanMs] : [])).sort((a, b) => a - b);
  return ({ wait, failures, score }) => {
    if (!wait) return undefined;
    const others = means[0] === wait.meanMs ? (means[1] ?? wait.meanMs) : (means[0] ?? wait.meanMs);
    const { attempts = 0, failures: failed = 0, rateLimited = 0 } = score?.outcomes ?? {};
    const refused = failed > 0 ? Math.min(rateLimited / failed, 1) : 0;
    const lostMs = others + refused * refusalMs + (1 - refused) * failoverMs;
    const value = (1 - failures) * wait.meanMs + failures * lostMs;
    const told = `${Math.round(value)} ms expected, p95 ${Math.round(wait.p95Ms)} ms, ${percent(failures)} of ${Math.round(attempts)} fail`;
    return { value, samples: wait.samples, told };
  };
}

function slowness({ score }: Candidate): Loss | undefined {
  const pace = score?.outputTokensPerSecond;
  if (!pace || pace.mean <= 0) return undefined;
  return { value: 1 / pace.mean, samples: pace.samples, told: `${Math.round(pace.mean)} tokens per second` };
}

/** Differences below this are chance. */
const unavoidable = 0.02;

function unreliability({ score, failures }: Candidate): Loss | undefined {
  if (!score) return undefined;
  const { attempts } = score.outcomes;
  return {
    value: failures + unavoidable,
    samples: attempts,
    told: `${percent(failures)} of ${Math.round(attempts)} fail`,
  };
}

/** The cheapest first; what nobody knows the price of comes last. Where prices are equal, the one drawn. */
function byCost(candidates: readonly Candidate[], { request, u }: OrderContext): Ranked[] {
  return candidates
    .map((candidate) => ({ candidate, cost: costMicroUsd(candidate.target, request), place: u(candidate) }))
    .sort((a, b) => (a.cost ?? Infinity) - (b.cost ?? Infinity) || a.place - b.place)
    .map(({ candidate, cost }, at) => ({
      candidate,
      reason:
        cost === undefined
          ? 'behind all known prices: its own is unknown'
          : `${toldCost(cost)}, ${at + 1} of ${candidates.length}`,
    }));
}

function toldCost(microUsd: number): string {
  if (microUsd === 0) return 'free of charge';
  return `about $${(microUsd / 1_000_000).toPrecision(2)} for this request`;
}

function byWeight(candidates: readonly Candidate[], { u }: OrderContext): Ranked[] {
  const total = candidates.reduce((sum, { target }) => sum + target.weight, 0);
  return candidates
    .map((candidate) => ({ candidate, place: drawnPlace(u(candidate), candidate.target.weight) }))
    .sort((a, b) => a.place - b.place || 0)
    .map(({ candidate }) => ({ candidate, reason: `drawn by weight ${candidate.target.weight} of ${total}` }));
}

function inTurn(candidates: readonly Candidate[], { turn, random }: OrderContext): Ranked[] {
  const start = (turn() ?? Math.floor(random() * candidates.length)) % candidates.length;
  return [...candidates.slice(start), ...candidates.slice(0, start)].map((candidate, at) => ({
    candidate,
    reason: at === 0 ? `its turn, ${start + 1} of ${candidates.length}` : 'next in turn',
  }));
}
