import { createHash } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { recordByName, type Snapshot, type SnapshotContent } from '../config/snapshot.ts';

/** A snapshot as it is stored: compressed, cut to the size of an item, with the SHA-256 of its content. */
export type EncodedSnapshot = { version: number; compiledAt: string; sha256: string; chunks: Uint8Array[] };

/** An item holds 400 KB with its names and numbers; the rest is room for those. */
const chunkBytes = 350_000;

/**
 * Encodes a snapshot. The hash is of the content alone, without version and time: the same configuration has the same.
 * Brotli 5: for 10000 models 50 KB against 138 KB of gzip 6, and decoded in 2.5 ms against 4.4 ms.
 */
export function encodeSnapshot({ version, compiledAt, ...content }: Snapshot): EncodedSnapshot {
  const text = Buffer.from(JSON.stringify(content));
  const bytes = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) chunks.push(bytes.subarray(start, start + chunkBytes));
  return { version, compiledAt, sha256: sha256(text), chunks };
}

/** Decodes what was stored; throws when it is not what the hash says. */
export function decodeSnapshot({ version, compiledAt, sha256: expected, chunks }: EncodedSnapshot): Snapshot {
  const text = decompress(Buffer.concat(chunks));
  if (!text || sha256(text) !== expected) throw new Error(`Snapshot ${version} is damaged: its SHA-256 differs`);
  const { providers, models, settings }: SnapshotContent = JSON.parse(text.toString());
  return {
    version,
    compiledAt,
    providers: recordByName(Object.entries(providers)),
    models: recordByName(Object.entries(models)),
    settings,
  };
}

/** Size of a snapshot as it is stored. */
export function encodedBytes({ chunks }: EncodedSnapshot): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

function decompress(bytes: Buffer): Buffer | undefined {
  try {
    return brotliDecompressSync(bytes);
  } catch {
    return undefined;
  }
}

function sha256(text: Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}
