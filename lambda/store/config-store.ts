import type { RawItem } from '../config/raw-item.ts';
import type { Snapshot } from '../config/snapshot.ts';
import type { EncodedSnapshot } from './snapshot-encoding.ts';

/** The tiny item that says which snapshot is in force; `sha256` is of its content, so equal content has an equal one. */
export type SnapshotPointer = { version: number; chunks: number; sha256: string; publishedAt: string };

/** What became of the last edit, readable with `aws dynamodb get-item` at kind=status, name=config. */
export type ConfigStatus = {
  state: 'published' | 'rejected';
  /** The snapshot version in force. */
  version: number;
  at: string;
  /** Why the edit was rejected, one sentence each, beginning with the item (`model/gpt-4o targets[0]: …`). */
  errors: string[];
};

/** What the gateway may do with the config table. */
export type ConfigReader = {
  readPointer(): Promise<SnapshotPointer | undefined>;
  /** The snapshot that a pointer names; throws when a chunk is missing or its SHA-256 differs. */
  readSnapshot(pointer: SnapshotPointer): Promise<Snapshot>;
  /** The `kind=key` item of a key's SHA-256, as it is stored. */
  readKey(sha256: string): Promise<RawItem | undefined>;
};

/** What the compiler may do with the config table. */
export type ConfigWriter = ConfigReader & {
  /** Every `provider`, `model` and `settings` item, read consistently. Never the keys: there may be a million. */
  listItems(): Promise<RawItem[]>;
  /** Publishes a snapshot if `expectedVersion` is still in force; false when another compiler was first. */
  publish(snapshot: EncodedSnapshot, expectedVersion: number): Promise<boolean>;
  writeStatus(status: ConfigStatus): Promise<void>;
};
