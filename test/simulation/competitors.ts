import { type Chooser, inOrder, type Policy, shuffled } from './policy.ts';
import { expectationOf } from './worlds.ts';

/** As everybody else here, they go on to their next choice when one fails, whether or not the original does. */
type Simple = Omit<Chooser, 'choose'> & { order(targets: readonly string[], nowMs: number): readonly string[] };

function policy(name: string, make: (parts: Parameters<Policy['fleet']>[1], gateway: number) => Simple): Policy {
  return {
    name,
    fleet: (gateways, parts) =>
      Array.from({ length: gateways }, (_, gateway) => {
        const { order, ...simple } = make(parts, gateway);
        return { ...simple, choose: async (nowMs, targets) => inOrder(order(targets, nowMs)) };
      }),
  };
}

const nothing = () => {};

export const roundRobin = policy('round-robin', (_, gateway) => {
  let turn = gateway;
  return {
    ended: nothing,
    order: (targets) => {
      const start = turn++ % targets.length;
      return [...targets.slice(start), ...targets.slice(0, start)];
    },
  };
});

export const randomChoice = policy('random', ({ random }) => ({
  ended: nothing,
  order: (targets) => shuffled(targets, random),
}));

/**
 * The last sample of each gateway decides; what it never asked counts as 0 and comes first, a failure as the longest of
 * all; one request in five goes anywhere.
 */
export const lowestLastSample = policy('lowest last sample', ({ random }) => {
  const last = new Map<string, number>();
  return {
    ended: ({ target, waitMs, failure }) => void last.set(target, failure ? Infinity : waitMs),
    order: (targets) => {
      const mixed = shuffled(targets, random);
      if (random() < 0.2) return mixed;
      return mixed.sort((a, b) => compare(last.get(a) ?? 0, last.get(b) ?? 0));
    },
  };
});

/** Infinity less infinity is no number. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

const listLength = 10;
const cooldownMs = 5_000;
const failureMs = 1_000_000;

/**
 * The lowest mean of the last ten samples of a gateway, whose memory is its own, as published; what it never asked counts
 * as 0 and comes first. A timeout counts 1000 s. A 429 rests a target for 5 s or as long as it asks, and so does failing more
 * than half of at least five requests within a minute.
 */
export const lowestMeanOfTen = policy('lowest mean of ten', ({ random }) => {
  const samples = new Map<string, number[]>();
  const recent = new Map<string, { atMs: number; failed: boolean }[]>();
  const restsUntil = new Map<string, number>();
  const mean = (target: string) => {
    const list = samples.get(target) ?? [];
    return list.reduce((sum, one) => sum + one, 0) / Math.max(list.length, 1);
  };
  return {
    ended({ target, waitMs, failure, retryAfterMs }, nowMs) {
      if (!failure || failure === 'timeout')
        samples.set(target, [...(samples.get(target) ?? []), failure ? failureMs : waitMs].slice(-listLength));
      const minute = [...(recent.get(target) ?? []), { atMs: nowMs, failed: failure !== undefined }].filter(
        ({ atMs }) => atMs > nowMs - 60_000,
      );
      recent.set(target, minute);
      const failures = minute.filter(({ failed }) => failed).length;
      const isFailing = minute.length >= 5 && failures > minute.length / 2;
      if (failure === 'rate_limited' || (failure && isFailing))
        restsUntil.set(target, nowMs + (retryAfterMs ?? cooldownMs));
    },
    order(targets, nowMs) {
      const rested = targets.filter((target) => (restsUntil.get(target) ?? 0) <= nowMs);
      return shuffled(rested.length > 0 ? rested : targets, random).sort((a, b) => mean(a) - mean(b));
    },
  };
});

const decayMs = 30_000;
const firstRttMs = 250;
const windowMs = 60_000;

type Load = {
  ewmaMs: number;
  atMs: number;
  inFlight: number;
  outcomes: { atMs: number; failed: boolean }[];
  outUntilMs: number;
};

/**
 * Two choices at random, the one with less load: peak EWMA of its waits (decay 30 s, 250 ms to begin with) times what is
 * under way. Within each gateway, as published. A target with a tenth of failures among at least 20 requests in a minute is
 * taken out until that changes, one that answers 429 for as long as it asks, or 30 s.
 */
export const peakEwma = policy('P2C with PeakEWMA', ({ random }) => {
  const loads = new Map<string, Load>();
  const load = (target: string): Load => {
    const known = loads.get(target) ?? { ewmaMs: firstRttMs, atMs: 0, inFlight: 0, outcomes: [], outUntilMs: 0 };
    loads.set(target, known);
    return known;
  };
  const score = (target: string, nowMs: number) => {
    const { ewmaMs, atMs, inFlight } = load(target);
    // What is not asked is slowly forgotten.
    return ewmaMs * Math.exp(-(nowMs - atMs) / decayMs) * (inFlight + 1);
  };
  return {
    started: (target) => void load(target).inFlight++,
    ended({ target, waitMs, failure, retryAfterMs }, nowMs) {
      const known = load(target);
      known.inFlight--;
      const weight = Math.exp(-(nowMs - known.atMs) / decayMs);
      known.ewmaMs = waitMs > known.ewmaMs ? waitMs : known.ewmaMs * weight + waitMs * (1 - weight);
      known.atMs = nowMs;
      known.outcomes = [...known.outcomes, { atMs: nowMs, failed: failure !== undefined }].filter(
        ({ atMs }) => atMs > nowMs - windowMs,
      );
      const failures = known.outcomes.filter(({ failed }) => failed).length;
      if (failure === 'rate_limited') known.outUntilMs = nowMs + (retryAfterMs ?? 30_000);
      else if (known.outcomes.length >= 20 && failures / known.outcomes.length > 0.1) known.outUntilMs = nowMs + 5_000;
    },
    order(targets, nowMs) {
      const inside = targets.filter((target) => load(target).outUntilMs <= nowMs);
      const [one = '', two = one, ...rest] = shuffled(inside.length > 0 ? inside : targets, random);
      const pair = score(one, nowMs) <= score(two, nowMs) ? [one, two] : [two, one];
      return [...new Set([...pair, ...rest])];
    },
  };
});

/** Knows how every target behaves at every moment, though not the luck of the next request. */
export const oracle = policy('oracle', ({ world }) => ({
  ended: nothing,
  order(targets, nowMs) {
    const expected = targets.map((target) => ({ target, ...expectationOf(world.targets[target]!(nowMs / 1000)!) }));
    const best = Math.min(...expected.filter(({ failShare }) => failShare < 1).map(({ answeredMs }) => answeredMs));
    return expected
      .map(({ target, answeredMs, failShare, failAfterMs }) => ({
        target,
        lossMs: (1 - failShare) * answeredMs + failShare * (failAfterMs + best),
      }))
      .sort((a, b) => a.lossMs - b.lossMs)
      .map(({ target }) => target);
  },
}));
