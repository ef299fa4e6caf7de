import type { RawItem } from '../config/raw-item.ts';
import type { ConfigStatus, ConfigWriter, SnapshotPointer } from './config-store.ts';
import { decodeSnapshot, type EncodedSnapshot } from './snapshot-encoding.ts';
import { keptVersions } from './table-schema.ts';

/** The config table in the memory of one process, with the ways to edit it that a table has. */
export type MemoryConfigStore = ConfigWriter & {
  putItem(item: RawItem): void;
  deleteItem(kind: string, name: string): void;
  /** What was last written by `writeStatus`. */
  status(): ConfigStatus | undefined;
};

/** Keeps items and snapshots in memory. */
export function memoryConfigStore(initialItems: Iterable<RawItem> = []): MemoryConfigStore {
  const items = new Map<string, RawItem>();
  const snapshots = new Map<number, EncodedSnapshot>();
  let pointer: SnapshotPointer | undefined;
  let status: ConfigStatus | undefined;

  const itemId = (kind: string, name: string) => `${kind}/${name}`;
  const putItem = (item: RawItem) => void items.set(itemId(item.kind, item.name), item);
  for (const item of initialItems) putItem(item);

  return {
    putItem,
    deleteItem: (kind, name) => void items.delete(itemId(kind, name)),
    status: () => status,
    readPointer: async () => pointer,
    readKey: async (sha256) => items.get(itemId('key', sha256)),
    listItems: async () => [...items.values()].filter(({ kind }) => kind !== 'key'),
    async readSnapshot({ version }) {
      const snapshot = snapshots.get(version);
      if (!snapshot) throw new Error(`Snapshot ${version} is not there any more`);
      return decodeSnapshot(snapshot);
    },
    async publish(snapshot, expectedVersion) {
      if ((pointer?.version ?? 0) !== expectedVersion) return false;
      const { version, compiledAt, sha256, chunks } = snapshot;
      snapshots.set(version, snapshot);
      snapshots.delete(version - keptVersions);
      pointer = { version, chunks: chunks.length, sha256, publishedAt: compiledAt };
      return true;
    },
    async writeStatus(written) {
      status = written;
    },
  };
}
