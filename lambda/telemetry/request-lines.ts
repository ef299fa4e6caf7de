import type { Snapshot } from '../config/snapshot.ts';
import type { Usage } from '../dialects/usage.ts';
import type { EmbedMetrics, MetricValues } from './embedded-metrics.ts';
import { factsText } from './facts-text.ts';
import type { AttemptRecord, RequestRecord } from './request-record.ts';
import { otherModel, targetModels } from './target-model.ts';

/** Whether an outcome speaks against the target; undefined where it was not asked, or not until its answer. */
const targetFailed: Readonly<Record<AttemptRecord['outcome'], boolean | undefined>> = {
  answered: false,
  rate_limited: true,
  overloaded: true,
  timeout: true,
  connection: true,
  server_error: true,
  bad_response: true,
  unauthorized: true,
  not_found: true,
  context_length: false,
  content_policy: false,
  rejected: false,
  generation_failed: true,
  no_secret: undefined,
  not_offered: undefined,
  unsupported: undefined,
  cancelled: undefined,
};

const errorMetrics = {
  caller: 'callerErrors',
  policy: 'policyErrors',
  provider: 'providerErrors',
  gateway: 'gatewayErrors',
} as const;

const longestName = 200;

/** Load balancers ask for the health every few seconds, which is nobody's request. */
const uncounted = 'health';

/**
 * Makes the lines of a finished request: one that says everything, with the metrics of the request and of the attempt
 * that answered or was the last, and before it one for each other attempt, which may have answered too: for another of
 * several models, or until it broke off. A line has one value for a dimension, so the
 * metrics of another target need a line of their own.
 */
export function requestLines(embed: EmbedMetrics) {
  const modelOf = targetModels();
  return (record: RequestRecord, snapshot: Snapshot | undefined, nowMs: number): string[] => {
    const last = record.attempts.findLast(({ outcome }) => outcome === 'answered') ?? record.attempts.at(-1);
    const line = (head: string, facts: object, name: string | undefined, values: MetricValues) => {
      const model = name === undefined ? '' : `,"model":${JSON.stringify(name)}`;
      const at = new Date(nowMs).toISOString();
      // The text of an object between its braces: cheaper than a copy with more fields.
      return `{"event":"${head},"at":"${at}",${factsText(facts).slice(1, -1)}${model}${embed(values, nowMs)}}`;
    };

    const lines: string[] = [];
    for (const attempt of record.attempts) {
      if (attempt === last) continue;
      const { model: targetModel, ...facts } = attempt;
      const name = modelOf(attempt, snapshot);
      const about = { requestId: record.requestId, ...facts, targetModel };
      lines.push(
        line(
          attempt.outcome === 'answered' ? 'AttemptAnswered"' : 'AttemptFailed"',
          about,
          name,
          attemptMetrics(attempt, name),
        ),
      );
    }
    const durationMs = nowMs - record.receivedAtMs;
    const values = requestMetrics(record, durationMs);
    const name = last && modelOf(last, snapshot);
    if (last) Object.assign(values, attemptMetrics(last, name));
    if (last?.outcome === 'answered') addAnswerMetrics(values, last, record, nowMs);
    complete(record, last);
    lines.push(line(`RequestCompleted","durationMs":${durationMs}`, record, name, values));
    return lines;
  };
}

/** The line's dimensions are those of the attempt that it is of; and the vendor's own words may be of any length. */
function complete(record: RequestRecord, last: AttemptRecord | undefined): void {
  if (last) {
    record.provider = last.provider;
    record.targetModel = last.model;
  }
  record.responseModel = record.responseModel?.slice(0, longestName);
  record.finishReason = record.finishReason?.slice(0, longestName);
}

function requestMetrics(record: RequestRecord, durationMs: number): MetricValues {
  const { operation, stream, faultDomain, status, timeToFirstChunkMs, overheadMs, attempts } = record;
  if (operation === uncounted) return {};
  const values: MetricValues = { requests: 1 };
  if (record.coldStart) values.coldStarts = 1;
  if (faultDomain) values[errorMetrics[faultDomain]] = 1;
  if (attempts.length === 0) return values;
  if (overheadMs !== undefined) values.overheadSeconds = seconds(overheadMs);
  if (status !== 200 || faultDomain) return values;
  values.requestSeconds = seconds(durationMs);
  if (stream && timeToFirstChunkMs !== undefined) values.firstTokenSeconds = seconds(timeToFirstChunkMs);
  return values;
}

/** A stream that broke off counts as a failure of the target although it had begun to answer. */
function addAnswerMetrics(values: MetricValues, attempt: AttemptRecord, record: RequestRecord, nowMs: number): void {
  // Where several models were asked, the fault may be of another; each attempt says itself whether it broke off.
  if (record.faultDomain === 'provider' && attempt.requestModel === undefined) values.attemptFailures = 1;
  else if (record.faultDomain === undefined) values.answerSeconds = seconds(nowMs - attempt.startedAtMs);
  if (record.stream) values.firstChunkSeconds = seconds(attempt.durationMs);
  addTokens(values, attempt.usage ?? record.usage);
}

function addTokens(values: MetricValues, usage: Usage | undefined): void {
  if (!usage) return;
  values.inputTokens = usage.inputTokens;
  values.outputTokens = usage.outputTokens;
  // A metric that is always zero costs as much as any other.
  if (usage.cacheReadInputTokens > 0) values.cacheReadInputTokens = usage.cacheReadInputTokens;
  if (usage.cacheCreationInputTokens > 0) values.cacheCreationInputTokens = usage.cacheCreationInputTokens;
  if (usage.reasoningOutputTokens > 0) values.reasoningOutputTokens = usage.reasoningOutputTokens;
}

function attemptMetrics({ outcome, brokeOff, usage }: AttemptRecord, model: string | undefined): MetricValues {
  // Whoever asks for models that do not exist must not wake those who watch the vendor.
  const isInvented = model === otherModel && outcome === 'not_found';
  const failed = !isInvented && targetFailed[brokeOff === undefined || brokeOff === 'differs' ? outcome : brokeOff];
  const values: MetricValues = failed === undefined ? {} : { attemptFailures: failed ? 1 : 0 };
  addTokens(values, usage);
  return values;
}

/** To the microsecond: what is beyond that is noise, and long. */
function seconds(ms: number): number {
  return Math.round(ms * 1000) / 1_000_000;
}
