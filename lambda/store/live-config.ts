import { emptySnapshot, type Snapshot } from '../config/snapshot.ts';
import { type CacheOptions, cached } from './cached.ts';
import type { ConfigReader } from './config-store.ts';

/** The snapshot in force, kept up to date. */
export type LiveSnapshot = {
  current(): Promise<Snapshot>;
  /** Resolves when no poll is running. */
  settled(): Promise<void>;
};

/** Clock and error sink of the polling; the ages are there for tests. */
export type LiveSnapshotOptions = Pick<CacheOptions, 'now' | 'onError'> & Partial<CacheOptions>;

/**
 * Polls the pointer and downloads a snapshot only when its version changed. No request is served from a version that
 * was replaced more than 8 seconds ago, even when the process was frozen in between, unless the table does not answer.
 */
export function liveSnapshot(
  reader: Pick<ConfigReader, 'readPointer' | 'readSnapshot'>,
  options: LiveSnapshotOptions,
): LiveSnapshot {
  let snapshot = emptySnapshot;
  let sha256: string | undefined;
  const cache = cached(
    async () => {
      const pointer = await reader.readPointer();
      // A table restored from a backup may count the same number for something else.
      if (!pointer || (pointer.version === snapshot.version && pointer.sha256 === sha256)) return snapshot;
      snapshot = await reader.readSnapshot(pointer);
      sha256 = pointer.sha256;
      return snapshot;
    },
    { freshForMs: 3000, staleForMs: 8000, waitMs: 1000, ...options },
  );
  return { current: cache.get, settled: cache.settled };
}
