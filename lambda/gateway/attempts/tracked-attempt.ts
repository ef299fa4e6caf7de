import type { Usage } from '../../dialects/usage.ts';
import type { AttemptSample } from '../../routing/attempt-sample.ts';
import { healthSign, isAboutKey } from '../../routing/breaker.ts';
import type { Failure, FailureKind } from '../../routing/failure.ts';
import type { Limits, PlannedAttempt } from '../../routing/plan.ts';
import { targetName } from '../../routing/target-name.ts';
import { fairWaitMs } from '../../routing/time-share.ts';
import type { AttemptRecord } from '../../telemetry/request-record.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { type AttemptContext, type AttemptOutcome, attemptTarget } from './attempt.ts';
import type { Lease } from './leases.ts';
import { pauseClock } from './pause-clock.ts';

/** One try, and why it is one. */
export type Try = {
  target: PlannedAttempt;
  limits: Limits;
  lease?: Lease | undefined;
  retry?: AttemptRecord['retry'];
  hedge?: AttemptRecord['hedge'];
};

/** How a streamed answer ended: `failure` when it was not whole. */
export type StreamEnd = { failure?: Failure | undefined; usage?: Usage | undefined };

export type Tracked = {
  outcome: AttemptOutcome;
  record: AttemptRecord;
  /** Takes the end of a streamed answer; the first word counts. Only then is it known what the attempt was worth. */
  settle(end: StreamEnd): void;
};

/** Why an attempt is called off: another target has answered. */
export const lostRace = Symbol('Another target was faster');

/** The vendor may have counted tokens, but has not said so. */
const lostDetail = 'Another target was faster; what this one cost is not known';

/** Timers may end a little before the clock says so. */
const timerSlackMs = 5;

/** Makes one attempt and hands on what it shows: to the log at once, to the statistics when its outcome is known. */
export async function trackedAttempt(
  attempt: Try,
  context: AttemptContext,
  deps: GatewayDeps,
  records: AttemptRecord[],
): Promise<Tracked> {
  const { target, limits, retry, hedge } = attempt;
  const startedAtMs = deps.now();
  deps.retries.earn(targetName(target));
  const { key, ...outcome } = await attemptTarget({ ...target, limits }, context, deps);
  const durationMs = deps.now() - startedAtMs;
  const failure = outcome.kind === 'failed' ? outcome.failure : undefined;
  const record: AttemptRecord = {
    provider: target.provider,
    model: target.model,
    reason: target.reason,
    startedAtMs,
    durationMs,
    outcome: failure?.kind ?? 'answered',
    ...(failure && { status: failure.status, detail: failure.detail, retryAfterMs: failure.retryAfterMs }),
    ...(retry && { retry }),
    ...(hedge && { hedge }),
    ...(target.breaker && { breaker: target.breaker }),
    ...(key && { key }),
  };
  if (failure?.kind === 'cancelled' && context.signal.reason === lostRace) record.detail = lostDetail;
  insertByStart(records, record);
  const isConversation = context.operation.conversation !== undefined;
  const show = (outcome: FailureKind | 'answered', measured: Partial<AttemptSample>) => {
    // A model that answers may have no embeddings, and be told so in the same words as one that does not exist.
    if (outcome === 'not_found' && !isConversation) return;
    noteHealth(outcome, { ...attempt, startedAtMs }, deps);
    if (context.operation.isAside) return;
    deps.measure({
      target: targetName(target),
      atMs: deps.now(),
      streamed: context.operation.stream,
      promptSize: context.promptSize,
      outcome,
      retry: retry !== undefined,
      ...(!isConversation && { other: true }),
      ...measured,
    });
  };
  if (failure) {
    const waited = { streamed: context.operation.stream, leftMs: context.deadlineMs - startedAtMs, durationMs };
    const hurried = failure.status === undefined && wasHurried(attempt, waited);
    if (wasAsked(failure)) show(...verdict(failure.kind, durationMs, hurried));
    return { outcome, record, settle: () => {} };
  }
  if (outcome.kind !== 'streaming') {
    if (outcome.kind === 'buffered') show('answered', { waitMs: durationMs, ...tokens(outcome.facts.usage) });
    return { outcome, record, settle: () => {} };
  }
  return streamed(outcome, { record, show, deps, deadlineMs: context.deadlineMs });
}

/** In the order in which they began, though one that is called off ends after the one that was faster. */
function insertByStart(records: AttemptRecord[], record: AttemptRecord): void {
  const behind = records.findIndex(({ startedAtMs }) => startedAtMs > record.startedAtMs);
  records.splice(behind < 0 ? records.length : behind, 0, record);
}

/** Tells the breakers, but for what only concerns a key: whether another one is left is not known here. */
function noteHealth(
  outcome: FailureKind | 'answered',
  { target, lease, startedAtMs }: Try & { startedAtMs: number },
  { breakers }: GatewayDeps,
): void {
  const sign = healthSign(outcome);
  if (isAboutKey(sign)) return;
  const reason = outcome === 'answered' ? 'cancelled' : outcome;
  const answered = outcome === 'answered';
  breakers.note({ target: targetName(target), sign, reason, startedAtMs, answered, lease });
}

/** Of some failures no vendor has heard. */
function wasAsked({ kind, status }: Failure): boolean {
  const needsAnswer = kind === 'not_found' || kind === 'rate_limited';
  const isOurs = kind === 'no_secret' || kind === 'unsupported' || kind === 'not_offered';
  return !isOurs && !(needsAnswer && status === undefined);
}

/** What a failed attempt says of its target. A silence that was cut short, for a caller in a hurry, is no failure. */
function verdict(kind: FailureKind, durationMs: number, hurried: boolean): [FailureKind, Partial<AttemptSample>] {
  if (kind === 'cancelled' || (kind === 'timeout' && hurried)) return ['cancelled', { waitMs: durationMs }];
  return [kind, kind === 'timeout' ? { waitMs: durationMs } : {}];
}

/** Whether the end of the caller's time, or its share of it, ended the wait, and not what the target may take. */
function wasHurried({ target, limits }: Try, { streamed, leftMs, durationMs }: Waited): boolean {
  const limitMs = streamed ? limits.firstContentMs : (limits.answerMs ?? Infinity);
  const waitedMs = durationMs + timerSlackMs;
  return waitedMs >= Math.min(limitMs, leftMs) && waitedMs < fairWaitMs(target, streamed);
}

type Waited = { streamed: boolean; leftMs: number; durationMs: number };

function tokens(usage: Usage | undefined): Pick<AttemptSample, 'outputTokens'> {
  return usage ? { outputTokens: usage.outputTokens } : {};
}

type Streaming = Extract<AttemptOutcome, { kind: 'streaming' }>;
type Tracking = {
  record: AttemptRecord;
  show: (outcome: FailureKind | 'answered', measured: Partial<AttemptSample>) => void;
  deps: GatewayDeps;
  /** When the time for the whole request is over. */
  deadlineMs: number;
};

function streamed(outcome: Streaming, { record, show, deps, deadlineMs }: Tracking): Tracked {
  const clock = pauseClock(outcome.guard, deps.now);
  const begunAtMs = deps.now();
  const waitMs = record.durationMs;
  let isSettled = false;
  return {
    outcome: { ...outcome, guard: clock.guard },
    record,
    settle({ failure, usage }) {
      if (isSettled) return;
      isSettled = true;
      if (failure) {
        Object.assign(record, { brokeOff: failure.kind, detail: failure.detail });
        // The end of the request's own time says nothing of a target that was still sending.
        const isOver = failure.kind === 'timeout' && deps.now() + timerSlackMs >= deadlineMs;
        const kind = isOver ? 'cancelled' : failure.kind;
        // Of a timeout it would mean that the wait was longer.
        return show(kind, kind === 'timeout' || kind === 'cancelled' ? {} : { waitMs });
      }
      const generationMs = deps.now() - begunAtMs;
      // A caller who reads slowly makes the vendor slow.
      const pace = clock.pausedMs() <= generationMs / 10 ? { generationMs } : {};
      show('answered', { waitMs, ...tokens(usage), ...pace });
    },
  };
}
