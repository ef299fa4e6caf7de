/** Keys of the config table, shared by the stack and the stores so that they cannot disagree. */
export const configTable = { partitionKey: 'kind', sortKey: 'name' } as const;

/** What people write. The compiler listens to these and to nothing else. */
export const authoredKinds = ['provider', 'model', 'key', 'settings'] as const;

/** What the compiler writes into the same table. */
export const compiledKinds = { snapshot: 'snapshot', pointer: 'pointer', status: 'status' } as const;

/** Name of the one pointer item, and of the one status item. */
export const pointerName = 'current';
export const statusName = 'config';

/** So many snapshot versions stay in the table; older ones are removed after a publication. */
export const keptVersions = 20;

/** What the names of a version's chunks begin with; names sort as versions do. */
export function snapshotNamePrefix(version: number): string {
  return String(Math.max(version, 0)).padStart(8, '0');
}

/**
 * Name of one chunk: `00000042#1a2b3c4d#00`. A part of the hash stands in it so that two compilers racing for the same
 * version never write over each other's chunks.
 */
export function snapshotChunkName({ version, sha256 }: { version: number; sha256: string }, index: number): string {
  return `${snapshotNamePrefix(version)}#${sha256.slice(0, 8)}#${String(index).padStart(2, '0')}`;
}

/**
 * Keys of the stats table, which machines write and which may be lost: everything in it expires (`expiresAt`, seconds
 * since the epoch). Kinds: `live` (what gateways poll in one query: `scores`, `breaker#provider/model`), and those below.
 */
export const statsTable = { partitionKey: 'kind', sortKey: 'name', expiry: 'expiresAt' } as const;

export const liveKind = 'live';
export const scoresName = 'scores';

/** Name of a target's breaker in the kind `live`. */
export function breakerName(target: string): string {
  return `breaker#${target}`;
}

const sampleBucketMs = 2_000;

/** Kind of the samples that were written in the same two seconds, `samples#2026-11-25T21:10:20Z`. */
export function samplesKind(writtenAtMs: number): string {
  const startMs = Math.floor(writtenAtMs / sampleBucketMs) * sampleBucketMs;
  return `${samplesPrefix}${new Date(startMs).toISOString().replace('.000', '')}`;
}

export const samplesPrefix = 'samples#';

/** The kinds of samples that were complete by `untilMs` and not yet by `sinceMs`; the oldest ones are left out. */
export function sampleKindsBetween(sinceMs: number, untilMs: number): string[] {
  // Writers' clocks differ a little, and a write takes its time.
  const graceMs = 1_000;
  const end = (ms: number) => Math.floor((ms - graceMs) / sampleBucketMs) * sampleBucketMs;
  const first = Math.max(end(sinceMs), end(untilMs) - mostSampleBuckets * sampleBucketMs);
  const count = Math.max((end(untilMs) - first) / sampleBucketMs, 0);
  return Array.from({ length: count }, (_, index) => samplesKind(first + index * sampleBucketMs));
}

/** Two minutes. The prober folds every minute; when nobody has for longer, what is older is not worth the reads. */
const mostSampleBuckets = 60;

/** What the fold remembers, and who may fold at the moment. */
export const foldKind = 'fold';
export const knowledgeName = 'knowledge';
export const foldLeaseName = 'lease';

/** The kind of a finished answer that may be replayed; `id` is a digest, of the caller's key and the idempotency key. */
export function idempotencyKind(id: string): string {
  return `idempotency#${id}`;
}

export const idempotencyAnswerName = 'answer';

/** Name of a further piece of an answer; without an index what all pieces of one owner begin with. */
export function idempotencyChunkName(owner: string, index?: number): string {
  return `chunk#${owner}#${index === undefined ? '' : String(index).padStart(2, '0')}`;
}

/** What the fleet has seen of targets that fail, one item for each target and minute. */
export const outcomesKind = 'outcomes';

/** Name of what was seen of a target in a minute, counted since the epoch. */
export function outcomesName(target: string, minute: number): string {
  return `${target}#${minute}`;
}

/** Counters by which keys and targets take turns over the fleet. */
export const turnKind = 'turn';

/** What probes have cost, by day and target. */
export const probesKind = 'probes';
