import { within } from './within.ts';

/** How old a cached value may be, and what happens when its source does not answer. */
export type CacheOptions = {
  /** Younger than this, a value is served as it is. */
  freshForMs: number;
  /** Younger than this, it is served while one refresh runs behind; older, the reader waits for the refresh. */
  staleForMs: number;
  /** Longest wait for a refresh while there is an old value to serve. Default 1000. */
  waitMs?: number;
  /** Older than this, a value is not served even when its source is down. Default: never too old. */
  maxAgeMs?: number;
  /** Pause after a failed refresh, so that an outage of the source slows nobody down. Default 3000. */
  retryAfterMs?: number;
  /** Least time between two forced refreshes. Default 10000. */
  forcedEveryMs?: number;
  /** A clock that goes on while the process is frozen, such as `Date.now`. */
  now: () => number;
  /** Hears of every failed load; readers do not, as long as there is an old value. */
  onError?: (error: unknown) => void;
};

/** One value in memory, refreshed behind its readers and served stale while its source is down. */
export type Cached<T> = {
  get(): Promise<T>;
  /** What is in memory, however old; nothing before the first load. One that is not fresh is refreshed behind. */
  peek(): T | undefined;
  /** Reads the source now, unless that was done a moment ago; the old value when the source fails. */
  refresh(): Promise<T>;
  /** Resolves when no load is running: Lambda freezes the process after the answer, loads must end before. */
  settled(): Promise<void>;
};

type Loaded<T> = { value: T; loadedAt: number };
type Load<T> = { startedAt: number; outcome: Promise<{ value: T } | { error: unknown }> };

/** A load that a freeze cut off may never end; after this long another one is started beside it. */
const abandonedAfterMs = 10_000;

/** Caches what `load` gives. The failure of a first load is thrown, and not remembered. */
export function cached<T>(load: () => Promise<T>, options: CacheOptions): Cached<T> {
  const { freshForMs, staleForMs, waitMs = 1000, maxAgeMs = Infinity, forcedEveryMs = 10_000, now } = options;
  const loader = createLoader(load, options);
  let forcedAt = -Infinity;

  async function get(): Promise<T> {
    const latest = loader.latest();
    const ageMs = latest ? now() - latest.loadedAt : Infinity;
    if (!latest || ageMs >= maxAgeMs) return unwrap(await loader.start().outcome);
    if (ageMs < freshForMs || loader.isPaused()) return latest.value;
    const { startedAt, outcome } = loader.start();
    if (ageMs < staleForMs) return latest.value;
    // Counted from the start of the load: when the source hangs, only its first reader waits for the full time.
    const leftMs = waitMs - (now() - startedAt);
    if (leftMs > 0) await within(leftMs, outcome);
    return (loader.latest() ?? latest).value;
  }

  function peek(): T | undefined {
    const latest = loader.latest();
    const isFresh = latest && now() - latest.loadedAt < freshForMs;
    if (!isFresh && !loader.isPaused()) loader.start();
    return latest?.value;
  }

  async function refresh(): Promise<T> {
    if (!loader.isRunning() && now() - forcedAt < forcedEveryMs) return get();
    forcedAt = now();
    const { outcome } = loader.start();
    const latest = loader.latest();
    if (!latest) return unwrap(await outcome);
    await within(waitMs, outcome);
    return (loader.latest() ?? latest).value;
  }

  return { get, peek, refresh, settled: loader.settled };
}

function createLoader<T>(load: () => Promise<T>, { staleForMs, retryAfterMs = 3000, now, onError }: CacheOptions) {
  let latest: Loaded<T> | undefined;
  let running: Load<T> | undefined;
  let pausedUntil = -Infinity;

  async function run(startedAt: number): Promise<{ value: T } | { error: unknown }> {
    try {
      const value = await load();
      // A value is as old as its question: a freeze may lie between that and the answer.
      if (!latest || latest.loadedAt <= startedAt) latest = { value, loadedAt: startedAt };
      return { value };
    } catch (error) {
      pausedUntil = now() + retryAfterMs;
      onError?.(error);
      return { error };
    } finally {
      if (running?.startedAt === startedAt) running = undefined;
    }
  }

  function start(): Load<T> {
    const startedAt = now();
    if (running && startedAt - running.startedAt < Math.min(staleForMs, abandonedAfterMs)) return running;
    running = { startedAt, outcome: Promise.resolve().then(() => run(startedAt)) };
    return running;
  }

  return {
    start,
    latest: () => latest,
    isRunning: () => running !== undefined,
    isPaused: () => now() < pausedUntil,
    settled: async () => void (await running?.outcome),
  };
}

function unwrap<T>(outcome: { value: T } | { error: unknown }): T {
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}
