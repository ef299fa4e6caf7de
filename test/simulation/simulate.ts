import { seededRandom } from '../../lambda/routing/draw.ts';
import type { Chooser, Policy, Wish } from './policy.ts';
import { fateOf, type World } from './worlds.ts';

export type SimulationOptions = { gateways: number; requestsPerSecond: number; seconds: number; seed: number };

/** What callers saw: waits until the first content in milliseconds, failovers included, and who was asked first. */
export type SimulationResult = {
  policy: string;
  meanMs: number;
  p95Ms: number;
  p99Ms: number;
  /** Requests that nobody answered. */
  failures: number;
  shares: Readonly<Record<string, number>>;
};

/** Before that all are still finding out; it counts for nobody. */
const warmUpS = 30;

type Event = { atMs: number; run: () => void | Promise<void> };

/** Runs a fleet of gateways in a world, by the clock of the world; the same seed meets every policy with the same luck of arrivals. */
export async function simulate(world: World, policy: Policy, options: SimulationOptions): Promise<SimulationResult> {
  const { gateways, requestsPerSecond, seconds, seed } = options;
  const arrivals = seededRandom(seed);
  const luck = seededRandom((seed * 0.618_033_988_749) % 1);
  const queue = eventQueue();
  let nowMs = 0;
  const epochMs = 1_700_000_000_000;
  const fleet = policy.fleet(gateways, {
    world,
    random: seededRandom((seed * 0.754_877_666) % 1),
    now: () => epochMs + nowMs,
  });
  const waits: number[] = [];
  const firsts = new Map<string, number>();
  let failures = 0;

  const request = async (gateway: Chooser): Promise<void> => {
    const startedMs = nowMs;
    const existing = Object.keys(world.targets).filter((name) => world.targets[name]!(nowMs / 1000));
    const wishes = [...(await gateway.choose(policy.name === 'oracle' ? nowMs : epochMs + nowMs, existing))];
    let isFirst = true;
    const next = async (): Promise<void> => {
      const wish = await nextWish(wishes);
      if (!wish) {
        if (startedMs >= warmUpS * 1000) failures++;
        return gateway.settle?.(epochMs + nowMs);
      }
      if (isFirst && startedMs >= warmUpS * 1000) firsts.set(wish.target, (firsts.get(wish.target) ?? 0) + 1);
      isFirst = false;
      attempt(wish, async (answered) => {
        if (!answered) return next();
        if (startedMs >= warmUpS * 1000) waits.push(nowMs - startedMs);
        await gateway.settle?.(epochMs + nowMs);
      });
    };
    const attempt = (wish: Wish, done: (answered: boolean) => Promise<void>): void => {
      const beganMs = nowMs;
      const fate = fateOf(world.targets[wish.target]!(nowMs / 1000)!, luck);
      const takesMs = 'failure' in fate ? fate.afterMs : fate.waitMs;
      const isTimeout = takesMs > wish.limitMs;
      const waitMs = Math.min(takesMs, wish.limitMs);
      gateway.started?.(wish.target);
      queue.add(beganMs + waitMs, async () => {
        const failure = isTimeout ? ('timeout' as const) : 'failure' in fate ? fate.failure : undefined;
        const retryAfterMs = 'failure' in fate ? fate.retryAfterMs : undefined;
        const times = { target: wish.target, startedMs: epochMs + beganMs, waitMs };
        gateway.ended(
          { ...times, ...(failure && { failure }), ...(retryAfterMs !== undefined && { retryAfterMs }) },
          epochMs + nowMs,
        );
        await done(failure === undefined);
      });
    };
    await next();
  };

  for (let atMs = 0; atMs < seconds * 1000; atMs += (-Math.log(1 - arrivals()) * 1000) / requestsPerSecond) {
    const gateway = fleet[Math.floor(arrivals() * gateways)]!;
    queue.add(atMs, () => request(gateway));
  }
  for (let event = queue.next(); event; event = queue.next()) {
    nowMs = event.atMs;
    await event.run();
  }
  return summary(policy.name, waits, { failures, firsts });
}

async function nextWish(wishes: Wish[]): Promise<Wish | undefined> {
  for (let wish = wishes.shift(); wish; wish = wishes.shift()) {
    if (!wish.begin || (await wish.begin())) return wish;
  }
  return undefined;
}

function summary(
  policy: string,
  waits: number[],
  { failures, firsts }: { failures: number; firsts: ReadonlyMap<string, number> },
): SimulationResult {
  const sorted = Float64Array.from(waits).sort();
  const at = (share: number) => sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? 0;
  const asked = [...firsts.values()].reduce((sum, count) => sum + count, 0);
  return {
    policy,
    meanMs: sorted.reduce((sum, wait) => sum + wait, 0) / sorted.length,
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    failures,
    shares: Object.fromEntries([...firsts].sort().map(([target, count]) => [target, count / asked])),
  };
}

/** A binary heap by time; what is added later for the same time comes later. */
function eventQueue() {
  const heap: (Event & { order: number })[] = [];
  let order = 0;
  const before = (a: number, b: number) => heap[a]!.atMs - heap[b]!.atMs || heap[a]!.order - heap[b]!.order;
  const swap = (a: number, b: number) => {
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  };
  return {
    add(atMs: number, run: Event['run']): void {
      heap.push({ atMs, run, order: order++ });
      for (let at = heap.length - 1; at > 0 && before(at, (at - 1) >> 1) < 0; at = (at - 1) >> 1)
        swap(at, (at - 1) >> 1);
    },
    next(): Event | undefined {
      if (heap.length === 0) return undefined;
      swap(0, heap.length - 1);
      const first = heap.pop();
      for (let at = 0; ; ) {
        const [left, right] = [2 * at + 1, 2 * at + 2];
        let least = at;
        if (left < heap.length && before(left, least) < 0) least = left;
        if (right < heap.length && before(right, least) < 0) least = right;
        if (least === at) return first;
        swap(at, least);
        at = least;
      }
    },
  };
}
