import type { Candidate } from './candidate.ts';
import { drawnPlace } from './draw.ts';

/** What a strategy may use besides the candidates; `u` is the candidate's draw, the same for all turns of a session. */
export type DrawContext = { random(): number; u(candidate: Candidate): number };

export type Ranked = { candidate: Candidate; reason: string };

/**
 * How much is lost by asking a candidate (a time, a share: less is better), how much that is founded on, and how it is
 * told. Unknown when nothing was measured.
 */
export type Loss = { value: number; samples: number; told: string };

/** Up to so much worse than the best is as good as the best; beyond it shares fall by e every `softness`. */
const nearly = 0.05;
const softness = 0.04;
/** The one that has most of the traffic already keeps it against one that is better by less than this. */
const incumbency = 0.04;

/** A measured value counts in full against so many samples' worth of what is usual among the candidates. */
const priorSamples = 3;

/** Of each other candidate the fleet wants to see a request every so often, and more often while it knows little. */
const wantedPerSecond = 1 / 20;
const wantedThinPerSecond = 1;
const thin = 3;
/** But never for more than this share of all requests: of one, and of all together. */
const mostExploring = 0.006;
const mostExploringThin = 0.15;
const mostExploringAll = 0.15;

type Weighed = { candidate: Candidate; value: number; loss: Loss | undefined; weight: number; explored: number };

/**
 * Orders candidates by what is lost with them: the first is drawn among the nearly best, or now and then from the others
 * to learn more of them; the rest follow in the order of their losses.
 */
export function rankByLoss(
  candidates: readonly Candidate[],
  lossOf: (candidate: Candidate) => Loss | undefined,
  { random, u }: DrawContext,
): Ranked[] {
  const losses = candidates.map(lossOf);
  const usual = median(losses.flatMap((loss) => (loss ? [loss.value] : [])));
  if (usual === undefined) return drawnAmongEquals(candidates, u);
  const weighed = candidates.map((candidate, at): Weighed => {
    const loss = losses[at];
    const samples = loss?.samples ?? 0;
    const value = ((loss?.value ?? 0) * samples + usual * priorSamples) / (samples + priorSamples);
    return { candidate, value, loss, weight: 0, explored: 0 };
  });
  weigh(weighed);
  const [first, why] = pickExplored(weighed, random()) ?? pickNearlyBest(weighed, u);
  const rest = weighed.filter((one) => one !== first).sort((a, b) => a.value - b.value);
  return [
    { candidate: first.candidate, reason: `${why}${told(first)}` },
    ...rest.map((one, at) => ({
      candidate: one.candidate,
      reason: `next best (${at + 2} of ${weighed.length})${told(one)}`,
    })),
  ];
}

function told({ loss }: Weighed): string {
  return loss ? `: ${loss.told}` : ': not measured yet, taken for average';
}

function drawnAmongEquals(candidates: readonly Candidate[], u: DrawContext['u']): Ranked[] {
  return candidates
    .map((candidate) => ({ candidate, place: drawnPlace(u(candidate), 1) }))
    .sort((a, b) => a.place - b.place)
    .map(({ candidate }) => ({ candidate, reason: 'drawn among equals, nothing measured yet' }));
}

function trafficOf({ candidate }: Weighed): number {
  return candidate.score?.attemptsPerSecond ?? 0;
}

/** Gives each candidate its share of the draw, and the share of requests that it gets to be learnt of. */
function weigh(weighed: readonly Weighed[]): void {
  const traffic = weighed.reduce((sum, one) => sum + trafficOf(one), 0);
  const most = Math.max(...weighed.map(trafficOf));
  for (const one of weighed) if (most > 0 && trafficOf(one) === most) one.value /= 1 + incumbency;
  const best = Math.min(...weighed.map(({ value }) => value));
  for (const one of weighed) {
    const worse = best > 0 ? one.value / best - 1 : 0;
    one.weight = Math.exp(-Math.max(worse - nearly, 0) / softness);
    one.explored = exploredShare(one, { worse, traffic });
  }
  const all = weighed.reduce((sum, { explored }) => sum + explored, 0);
  if (all > mostExploringAll) for (const one of weighed) one.explored *= mostExploringAll / all;
}

function exploredShare({ weight, loss }: Weighed, { worse, traffic }: { worse: number; traffic: number }): number {
  const isThin = (loss?.samples ?? 0) < thin;
  // Sessions that keep to their target would never draw the others: what is thinly known is looked at all the same.
  if (weight > 0.2 && !isThin) return 0;
  const wanted = (isThin ? wantedThinPerSecond : wantedPerSecond) / Math.max(traffic, 0.01);
  const most = isThin ? mostExploringThin : mostExploring;
  // The dearer a look is, the rarer.
  return Math.min(wanted, most) * Math.min(1, 2 / (1 + worse)) ** 2;
}

function pickExplored(weighed: readonly Weighed[], drawn: number): [Weighed, string] | undefined {
  let below = 0;
  for (const one of weighed) {
    below += one.explored;
    if (drawn < below) return [one, 'asked to learn more of it'];
  }
  return undefined;
}

function pickNearlyBest(weighed: readonly Weighed[], u: DrawContext['u']): [Weighed, string] {
  const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
  let chosen: Weighed | undefined;
  let first = Infinity;
  for (const one of weighed) {
    const place = drawnPlace(u(one.candidate), one.weight);
    if (chosen && place >= first) continue;
    chosen = one;
    first = place;
  }
  if (!chosen) throw new Error('Nothing to choose from');
  const share = chosen.weight / total;
  return [chosen, share > 0.99 ? 'the best' : `drawn with ${percent(share)} among the nearly best`];
}

export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

function median(values: number[]): number | undefined {
  const sorted = values.sort((a, b) => a - b);
  return sorted.length === 0 ? undefined : sorted[(sorted.length - 1) >> 1];
}
