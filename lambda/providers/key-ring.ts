import type { KeyRotation } from '../config/routing-schema.ts';
import { setLatest } from '../routing/set-latest.ts';

/** One of a provider's keys and its place among them, from 1 on: the place may be told, the key never. */
export type PlacedKey = { secret: string; place: number };

export type KeyWish = {
  /** `provider/model`: a limit holds for a key and a model. */
  target: string;
  rotation: KeyRotation;
  /** For `weighted`, by place; 1 where there is none. */
  weights: readonly number[];
  nowMs: number;
  /** In [0, 1). */
  entropy: number;
  /** For `round-robin`: the next turn of the fleet. */
  turn: () => number;
};

/** Why a key rests: everywhere, or only for one target; `asked` when the vendor has said until when. */
export type Rest = { untilMs: number; target?: string; asked?: boolean };

/** Which of a provider's keys to use next; keys that were refused or limited rest for a while. */
export type KeyRing = {
  /**
   * A key that is not resting. When all rest, the one that is rested soonest, or, when the vendor has said of all of
   * them until when, only that time.
   */
  choose(keys: readonly PlacedKey[], wish: KeyWish): PlacedKey | { restsUntilMs: number } | undefined;
  /** Whether any of the keys is not resting. */
  hasRested(keys: readonly PlacedKey[], target: string, nowMs: number): boolean;
  rest(secret: string, rest: Rest): void;
};

const mostRemembered = 1000;

/** A ring that lives as long as the process; what it forgets costs one refused request. */
export function createKeyRing(): KeyRing {
  const rests = new Map<string, Required<Omit<Rest, 'target'>>>();
  const restOf = ({ secret }: PlacedKey, target: string) => {
    const [everywhere, there] = [rests.get(secret), rests.get(`${secret}\n${target}`)];
    return (everywhere?.untilMs ?? 0) > (there?.untilMs ?? 0) ? everywhere : there;
  };
  const isRested = (key: PlacedKey, target: string, nowMs: number) => (restOf(key, target)?.untilMs ?? 0) <= nowMs;

  return {
    choose(keys, wish) {
      const rested = keys.filter((key) => isRested(key, wish.target, wish.nowMs));
      if (rested.length > 0) return rotations[wish.rotation](rested, keys, wish);
      const resting = keys.map((key) => ({ key, rest: restOf(key, wish.target) ?? { untilMs: 0, asked: false } }));
      const [soonest] = resting.sort((a, b) => a.rest.untilMs - b.rest.untilMs);
      if (soonest && resting.every(({ rest }) => rest.asked)) return { restsUntilMs: soonest.rest.untilMs };
      return soonest?.key;
    },
    hasRested: (keys, target, nowMs) => keys.some((key) => isRested(key, target, nowMs)),
    rest(secret, { untilMs, target, asked = false }) {
      const id = target === undefined ? secret : `${secret}\n${target}`;
      const before = rests.get(id);
      if (before && before.untilMs >= untilMs) return;
      setLatest(rests, id, { untilMs, asked }, mostRemembered);
    },
  };
}

type Rotate = (rested: readonly PlacedKey[], all: readonly PlacedKey[], wish: KeyWish) => PlacedKey | undefined;

const rotations: Readonly<Record<KeyRotation, Rotate>> = {
  random: (rested, _, { entropy }) => rested[Math.floor(entropy * rested.length)],
  priority: (rested) => rested[0],
  'round-robin'(rested, all, { turn }) {
    // Counted over all of them, so that one that rests does not shift the turns of the others.
    const first = all[turn() % all.length];
    return rested.find(({ place }) => place >= (first?.place ?? 0)) ?? rested[0];
  },
  weighted(rested, _, { weights, entropy }) {
    const weightOf = ({ place }: PlacedKey) => weights[place - 1] ?? 1;
    let left = entropy * rested.reduce((sum, key) => sum + weightOf(key), 0);
    for (const key of rested) {
      left -= weightOf(key);
      if (left < 0) return key;
    }
    // Where all that are rested weigh nothing, one of them is still better than none.
    return rested.at(-1);
  },
};
