import {
  type BufferedWait,
  type PromptSize,
  promptSize,
  type RareWaits,
  type Scores,
  type TargetScore,
  type WaitSummary,
} from './score.ts';

/**
 * How long a target will let this request wait: until the first content of a stream, or for a whole answer. `samples` says
 * how much it is founded on; what was measured of other requests counts for less.
 */
export type Estimate = {
  samples: number;
  meanMs: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  beforeDoubt?: RareWaits | undefined;
};

/** What of a request decides how long it waits. */
export type WaitQuestion = {
  streamed: boolean;
  size: PromptSize;
  /** The answer that is expected, where it is waited for as a whole. */
  outputTokens: number;
  /** What the scores' weights have decayed to since they were folded. */
  freshness: number;
};

/** Nobody has counted: about a paragraph or two. */
const usualOutputTokens = 300;
const halfLifeMs = 300_000;

export function waitQuestion(
  { stream, inputTokens, maxOutputTokens = Infinity }: QuestionedRequest,
  scores: Scores,
  nowMs: number,
): WaitQuestion {
  return {
    streamed: stream,
    size: promptSize(inputTokens),
    outputTokens: Math.min(maxOutputTokens, usualOutputTokens),
    freshness: 2 ** (-Math.max(nowMs - scores.foldedAtMs, 0) / halfLifeMs),
  };
}

type QuestionedRequest = { stream: boolean; inputTokens: number; maxOutputTokens: number | undefined };

const sizes: readonly PromptSize[] = ['small', 'medium', 'large'];
/** Waits of prompts of another size are this many times as long, until they are measured. */
const relativeWait: Readonly<Record<PromptSize, number>> = { small: 1, medium: 1.4, large: 2.5 };
/** What is measured of one kind of request says so much of another. */
const otherSize = 0.15;
const otherMode = 0.1;
/** With so many samples of its own kind nothing else is needed. */
const enough = 12;

/** What the score says of a request like this one; undefined when it says nothing. */
export function estimateWait(score: TargetScore, question: WaitQuestion): Estimate | undefined {
  const own = question.streamed ? score.streamed[question.size] : bufferedWait(score, question.size, question);
  if (own && own.samples * question.freshness >= enough) return scaled(own, 1, question.freshness);
  let sum = own && scaled(own, 1, question.freshness);
  for (const size of sizes) {
    const ratio = relativeWait[question.size] / relativeWait[size];
    const streamed = score.streamed[size];
    const buffered = score.buffered[size];
    if (question.streamed) {
      if (streamed && size !== question.size)
        sum = blended(sum, scaled(streamed, ratio, otherSize * question.freshness));
      if (buffered) sum = blended(sum, scaled(firstOfBuffered(buffered, score), ratio, otherMode * question.freshness));
    } else {
      const whole = size === question.size ? undefined : bufferedWait(score, size, question);
      if (whole) sum = blended(sum, scaled(whole, ratio, otherSize * question.freshness));
      const last = streamed && lastOfStreamed(streamed, score, question.outputTokens, ratio);
      if (last) sum = blended(sum, scaled(last, 1, otherMode * question.freshness));
    }
  }
  return sum;
}

function scaled(
  { samples, meanMs, p50Ms, p95Ms, p99Ms, beforeDoubt }: Estimate,
  by: number,
  certainty: number,
): Estimate {
  return {
    samples: samples * certainty,
    meanMs: meanMs * by,
    p50Ms: p50Ms * by,
    p95Ms: p95Ms * by,
    p99Ms: p99Ms * by,
    beforeDoubt: beforeDoubt && {
      samples: beforeDoubt.samples * certainty,
      p95Ms: beforeDoubt.p95Ms * by,
      p99Ms: beforeDoubt.p99Ms * by,
    },
  };
}

/** The same with other times. */
export function withTimes(wait: Estimate, change: (ms: number) => number): Estimate {
  const { samples, meanMs, p50Ms, p95Ms, p99Ms, beforeDoubt } = wait;
  return {
    samples,
    meanMs: change(meanMs),
    p50Ms: change(p50Ms),
    p95Ms: change(p95Ms),
    p99Ms: change(p99Ms),
    beforeDoubt: beforeDoubt && {
      samples: beforeDoubt.samples,
      p95Ms: change(beforeDoubt.p95Ms),
      p99Ms: change(beforeDoubt.p99Ms),
    },
  };
}

function blended(a: Estimate | undefined, b: Estimate): Estimate {
  if (!a) return b;
  const samples = a.samples + b.samples;
  const share = samples > 0 ? b.samples / samples : 0;
  const mix = (left: number, right: number) => left + share * (right - left);
  return {
    samples,
    meanMs: mix(a.meanMs, b.meanMs),
    p50Ms: mix(a.p50Ms, b.p50Ms),
    p95Ms: mix(a.p95Ms, b.p95Ms),
    p99Ms: mix(a.p99Ms, b.p99Ms),
    beforeDoubt: a.beforeDoubt ?? b.beforeDoubt,
  };
}

/** A buffered answer of the expected length, from those that were measured, which were shorter or longer. */
function bufferedWait(score: TargetScore, size: PromptSize, { outputTokens }: WaitQuestion): Estimate | undefined {
  const measured = score.buffered[size];
  const pace = score.outputTokensPerSecond?.mean;
  if (!measured || !pace || measured.meanOutputTokens === undefined) return measured;
  return shifted(measured, ((outputTokens - measured.meanOutputTokens) * 1000) / pace);
}

/** The first content of answers that were only seen whole. */
function firstOfBuffered(measured: BufferedWait, score: TargetScore): Estimate {
  const pace = score.outputTokensPerSecond?.mean;
  const { meanOutputTokens: tokens } = measured;
  return pace && tokens !== undefined ? shifted(measured, (-tokens * 1000) / pace) : measured;
}

/** The end of answers of which only the first content was timed. */
function lastOfStreamed(
  measured: WaitSummary,
  { outputTokensPerSecond: pace }: TargetScore,
  tokens: number,
  ratio: number,
): Estimate | undefined {
  return pace && shifted(scaled(measured, ratio, 1), (tokens * 1000) / pace.mean);
}

/** Nothing gets faster than a fifth of what was measured by a calculation. */
const mostShortened = 0.2;

function shifted(wait: Estimate, byMs: number): Estimate {
  return withTimes(wait, (ms) => Math.max(ms + byMs, ms * mostShortened));
}

/** As if so many attempts had been made before, of which one in a hundred failed. */
const imaginedAttempts = 10;
const imaginedShare = 0.01;

/** The share of attempts that fail: neither zero nor one where few were made. */
export function failureShare(score: TargetScore | undefined): number {
  const { attempts = 0, failures = 0 } = score?.outcomes ?? {};
  return Math.min((failures + imaginedAttempts * imaginedShare) / (attempts + imaginedAttempts), 0.99);
}
