import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { callLimit, longestCallMs } from './call-limit.ts';
import type { ConfigReader, SnapshotPointer } from './config-store.ts';
import { type DynamoItem, itemKey, rawItem } from './dynamo-item.ts';
import { decodeSnapshot } from './snapshot-encoding.ts';
import { compiledKinds, pointerName, snapshotChunkName } from './table-schema.ts';

/** How long an item may take, and a piece of a snapshot. */
export type ReadLimits = { itemMs?: number; chunkMs?: number };

/** A large snapshot is 28 items at once, which a small function takes its time to read. */
const longestChunkMs = 5_000;

/**
 * The gateway's view of the config table: GetItem on the kinds `pointer`, `snapshot` and `key`. All reads are
 * consistent: a pointer must not arrive before its chunks, an old one would let the compiler take an edit for no edit,
 * and a key works from the moment it is written.
 */
export function dynamoConfigReader(
  client: DynamoDBClient,
  tableName: string,
  { itemMs = longestCallMs, chunkMs = longestChunkMs }: ReadLimits = {},
): ConfigReader {
  async function read(kind: string, name: string, limitMs = itemMs): Promise<DynamoItem | undefined> {
    const command = new GetItemCommand({ TableName: tableName, Key: itemKey(kind, name), ConsistentRead: true });
    return (await client.send(command, callLimit(limitMs))).Item;
  }

  async function readChunk(pointer: SnapshotPointer, index: number): Promise<Uint8Array> {
    const name = snapshotChunkName(pointer, index);
    const data = (await read(compiledKinds.snapshot, name, chunkMs))?.['data']?.B;
    if (!data)
      throw new Error(`Snapshot ${pointer.version} is incomplete: ${compiledKinds.snapshot}/${name} is missing`);
    return data;
  }

  return {
    async readPointer() {
      const item = await read(compiledKinds.pointer, pointerName);
      return item && pointerOf(item);
    },
    async readSnapshot(pointer) {
      const indexes = Array.from({ length: pointer.chunks }, (_, index) => index);
      const chunks = await Promise.all(indexes.map((index) => readChunk(pointer, index)));
      return decodeSnapshot({ ...pointer, compiledAt: pointer.publishedAt, chunks });
    },
    async readKey(sha256) {
      const item = await read('key', sha256);
      return item && rawItem(item);
    },
  };
}

/** Reads the pointer item. */
export function pointerOf(item: DynamoItem): SnapshotPointer {
  const version = Number(item['version']?.N);
  const chunks = Number(item['chunks']?.N);
  const sha256 = item['sha256']?.S;
  const publishedAt = item['publishedAt']?.S;
  if (!Number.isInteger(version) || !Number.isInteger(chunks) || sha256 === undefined || publishedAt === undefined) {
    throw new Error(`${compiledKinds.pointer}/${pointerName} is damaged; delete it and save any item again`);
  }
  return { version, chunks, sha256, publishedAt };
}
