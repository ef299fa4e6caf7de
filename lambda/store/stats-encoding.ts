import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { type Knowledge, noKnowledge } from '../routing/knowledge.ts';
import type { SampleSlice } from '../routing/sample-slice.ts';
import type { BufferedWait, PromptSize, TargetScore } from '../routing/score.ts';

/** An item holds 400 KB, its keys and other attributes included. Callers choose names of models, in any script. */
const mostItemBytes = 380_000;
/** Every gateway reads the scores every two seconds, which costs by their size: longer ones are not for people any more. */
const mostReadableBytes = 16_000;

/**
 * The targets of the scores, as text that people can read and that is small: waits are lists without names. Compressed
 * where there are many; without the last ones, which are the least busy, where an item could not hold all.
 */
export function encodeTargets(targets: Readonly<Record<string, TargetScore>>): string | Uint8Array {
  const members: string[] = [];
  let bytes = 2;
  for (const [name, score] of Object.entries(targets)) {
    const member = `${JSON.stringify(name)}:${JSON.stringify(encodeTarget(score))}`;
    bytes += Buffer.byteLength(member) + 1;
    if (bytes > mostItemBytes) break;
    members.push(member);
  }
  const text = `{${members.join()}}`;
  return bytes > mostReadableBytes ? compressed(text) : text;
}

/** Reads what `encodeTargets` wrote; throws when it is something else. */
export function decodeTargets(written: string | Uint8Array): Record<string, TargetScore> {
  const text = typeof written === 'string' ? written : brotliDecompressSync(written).toString();
  const targets: Record<string, ReturnType<typeof encodeTarget>> = JSON.parse(text);
  return Object.fromEntries(Object.entries(targets).map(([name, target]) => [name, decodeTarget(target)]));
}

/**
 * `[samples, meanMs, p50Ms, p90Ms, p95Ms, p99Ms, meanOutputTokens]`, then `samples, p95Ms, p99Ms` from before a doubt. What
 * is unknown is left out, or 0 where more follows.
 */
type WaitList = readonly number[];

function encodeTarget({ streamed, buffered, outputTokensPerSecond: pace, outcomes, ...score }: TargetScore) {
  const { attempts, failures, timeouts, rateLimited } = outcomes;
  return {
    ...score,
    streamed: bySize(streamed, waitList),
    buffered: bySize(buffered, waitList),
    ...(pace && { outputTokensPerSecond: [pace.samples, pace.mean, pace.p50].map(short) }),
    outcomes: [attempts, failures, timeouts, rateLimited].map(short),
  };
}

function decodeTarget(target: ReturnType<typeof encodeTarget>): TargetScore {
  const { streamed, buffered, outputTokensPerSecond: pace, outcomes, ...score } = target;
  const [attempts = 0, failures = 0, timeouts = 0, rateLimited = 0] = outcomes;
  const [samples = 0, mean = 0, p50 = 0] = pace ?? [];
  return {
    ...score,
    streamed: bySize(streamed, waitSummary),
    buffered: bySize(buffered, waitSummary),
    ...(pace && { outputTokensPerSecond: { samples, mean, p50 } }),
    outcomes: { attempts, failures, timeouts, rateLimited },
  };
}

function bySize<From, To>(waits: Partial<Record<PromptSize, From>>, change: (wait: From) => To) {
  const entries = Object.entries(waits) as [PromptSize, From][];
  return Object.fromEntries(entries.map(([size, wait]) => [size, change(wait)])) as Partial<Record<PromptSize, To>>;
}

function waitList({ beforeDoubt, meanOutputTokens, ...wait }: BufferedWait): number[] {
  const list = [wait.samples, wait.meanMs, wait.p50Ms, wait.p90Ms, wait.p95Ms, wait.p99Ms];
  if (meanOutputTokens !== undefined || beforeDoubt) list.push(meanOutputTokens ?? 0);
  if (beforeDoubt) list.push(beforeDoubt.samples, beforeDoubt.p95Ms, beforeDoubt.p99Ms);
  return list.map(short);
}

function waitSummary(list: WaitList): BufferedWait {
  const [samples = 0, meanMs = 0, p50Ms = 0, p90Ms = 0, p95Ms = 0, p99Ms = 0, meanOutputTokens, ...before] = list;
  const [samplesBefore, p95Before = 0, p99Before = 0] = before;
  return {
    ...{ samples, meanMs, p50Ms, p90Ms, p95Ms, p99Ms },
    ...(meanOutputTokens && { meanOutputTokens }),
    ...(samplesBefore && { beforeDoubt: { samples: samplesBefore, p95Ms: p95Before, p99Ms: p99Before } }),
  };
}

/** Four digits are more than the cells of the histograms can tell apart. */
function short(value: number): number {
  return Number(value.toPrecision(4));
}

/** What the fold remembers: nobody reads it, so it is compressed. Of what no item could hold, the busier half. */
export function encodeKnowledge({ targets }: Knowledge): Uint8Array {
  let kept = Object.entries(targets);
  let data = compressed(JSON.stringify(targets));
  while (data.length > mostItemBytes) {
    kept = kept.slice(0, kept.length / 2);
    data = compressed(JSON.stringify(Object.fromEntries(kept)));
  }
  return data;
}

function compressed(text: string): Uint8Array {
  return brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
}

/** Reads what `encodeKnowledge` wrote; throws when it is something else. */
export function decodeKnowledge(foldedAtMs: number, data: Uint8Array): Knowledge {
  return { ...noKnowledge, foldedAtMs, targets: JSON.parse(brotliDecompressSync(data).toString()) };
}

/** One gateway's samples as text. */
export function encodeSlices(slices: readonly SampleSlice[]): string {
  return JSON.stringify(slices);
}

/** Reads what `encodeSlices` wrote; nothing when it is something else, since samples may be lost. */
export function decodeSlices(text: string): SampleSlice[] {
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}
