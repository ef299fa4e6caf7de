import { setLatest } from '../routing/set-latest.ts';
import { type Cached, type CacheOptions, cached } from './cached.ts';

/** As for one value, and how many of them, and how long something that does not exist is remembered. */
export type CachedMapOptions = CacheOptions & {
  /** At most so many values found, and as many names not found; the least recently used go first. Default 10000. */
  maxEntries?: number;
  /** How long "there is none" is believed. Short, so that what was just added works. Default 5000. */
  missingForMs?: number;
};

/** Many values in memory, each under its key and with the same promises as one `Cached`. */
export type CachedMap<V> = {
  get(key: string): Promise<V | undefined>;
  /** Resolves when no load is running. */
  settled(): Promise<void>;
};

/** Caches what `load` gives by key; `undefined` means that there is none. */
export function cachedMap<V>(
  load: (key: string) => Promise<V | undefined>,
  { maxEntries = 10_000, missingForMs = 5000, ...options }: CachedMapOptions,
): CachedMap<V> {
  // Apart, so that a flood of wrong keys cannot push out the right ones.
  const found = new Map<string, Cached<V | undefined>>();
  const missing = new Map<string, number>();
  const loading = new Map<string, Cached<V | undefined>>();

  async function get(key: string): Promise<V | undefined> {
    if (options.now() < (missing.get(key) ?? -Infinity)) return undefined;
    const cache = found.get(key) ?? loading.get(key) ?? cached(() => load(key), options);
    if (!found.has(key)) loading.set(key, cache);
    try {
      const value = await cache.get();
      remember(key, cache, value);
      return value;
    } finally {
      loading.delete(key);
    }
  }

  function remember(key: string, cache: Cached<V | undefined>, value: V | undefined): void {
    (value === undefined ? found : missing).delete(key);
    if (value === undefined) setLatest(missing, key, options.now() + missingForMs, maxEntries);
    else setLatest(found, key, cache, maxEntries);
  }

  async function settled(): Promise<void> {
    await Promise.all([...found.values(), ...loading.values()].map((cache) => cache.settled()));
  }

  return { get, settled };
}
