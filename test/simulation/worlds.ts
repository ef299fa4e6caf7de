import type { FailureKind } from '../../lambda/routing/failure.ts';

/** How a target behaves at a moment: a logarithmic normal wait with a tail, and failures. Times in milliseconds. */
export type Behaviour = {
  medianMs: number;
  sigma: number;
  /** Share of answers that take `tailMs` instead. */
  tailShare?: number;
  tailMs?: number;
  failShare?: number;
  failure?: FailureKind;
  /** Until the failure shows. */
  failAfterMs?: number;
  retryAfterMs?: number;
};

/** A world: its targets by name, and how each behaves at a second of the run; undefined while it does not exist. */
export type World = { name: string; targets: Readonly<Record<string, (atS: number) => Behaviour | undefined>> };

const steady =
  (medianMs: number, more: Partial<Behaviour> = {}) =>
  (): Behaviour => ({
    medianMs,
    sigma: 0.4,
    failShare: 0.005,
    failure: 'server_error',
    failAfterMs: 200,
    ...more,
  });

type Change = { fromS: number; toS: number; during: Partial<Behaviour> };

const changing =
  (medianMs: number, { fromS, toS, during }: Change) =>
  (atS: number): Behaviour =>
    steady(medianMs, atS >= fromS && atS < toS ? during : {})();

/** Slowly up and down, once in ten minutes. */
const drifting =
  (medianMs: number, byMs: number) =>
  (atS: number): Behaviour =>
    steady(medianMs + byMs * Math.sin((2 * Math.PI * atS) / 600))();

const others = { B: steady(500), C: steady(700), D: steady(1_000) };

export const worlds: readonly World[] = [
  { name: 'steady', targets: { A: steady(400), ...others } },
  {
    name: 'one slow',
    targets: { A: changing(400, { fromS: 150, toS: 600, during: { medianMs: 3_000 } }), ...others },
  },
  {
    name: 'brown-out',
    targets: {
      A: changing(400, {
        fromS: 150,
        toS: 350,
        during: { medianMs: 1_200, failShare: 0.3, failure: 'overloaded', failAfterMs: 1_000 },
      }),
      ...others,
    },
  },
  {
    name: '429 storm',
    targets: {
      A: changing(350, {
        fromS: 150,
        toS: 400,
        during: { failShare: 0.6, failure: 'rate_limited', failAfterMs: 60, retryAfterMs: 2_000 },
      }),
      ...others,
    },
  },
  {
    name: 'diurnal drift',
    targets: { A: drifting(600, 300), B: drifting(600, -300), C: steady(700), D: steady(1_000) },
  },
  {
    name: 'heavy tails',
    targets: {
      A: steady(300, { tailShare: 0.06, tailMs: 9_000 }),
      B: steady(450, { sigma: 0.3 }),
      C: steady(600),
      D: steady(900),
    },
  },
  {
    name: 'new target',
    targets: { A: steady(600), B: steady(700), C: steady(900), D: (atS) => (atS < 200 ? undefined : steady(300)()) },
  },
  {
    name: 'correlated outage',
    targets: {
      A: changing(400, { fromS: 200, toS: 320, during: { failShare: 1, failure: 'connection', failAfterMs: 300 } }),
      B: changing(450, { fromS: 200, toS: 320, during: { failShare: 1, failure: 'connection', failAfterMs: 300 } }),
      C: steady(800),
      D: steady(1_000),
    },
  },
];

/** What one attempt will meet. */
export type Fate = { waitMs: number } | { failure: FailureKind; afterMs: number; retryAfterMs?: number };

export function fateOf(behaviour: Behaviour, random: () => number): Fate {
  const {
    medianMs,
    sigma,
    tailShare = 0,
    tailMs = 0,
    failShare = 0,
    failure,
    failAfterMs = 0,
    retryAfterMs,
  } = behaviour;
  if (failure && random() < failShare)
    return { failure, afterMs: failAfterMs, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  if (random() < tailShare) return { waitMs: tailMs * (0.5 + random()) };
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return { waitMs: medianMs * Math.exp(sigma * normal) };
}

/** The mean wait of an answer, and the share of failures, as only one who knows the world can tell. */
export function expectationOf({
  medianMs,
  sigma,
  tailShare = 0,
  tailMs = 0,
  failShare = 0,
  failAfterMs = 0,
}: Behaviour) {
  const answeredMs = (1 - tailShare) * medianMs * Math.exp(sigma ** 2 / 2) + tailShare * tailMs;
  return { answeredMs, failShare, failAfterMs };
}
