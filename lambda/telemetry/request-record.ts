import type { Usage } from '../dialects/usage.ts';
import type { FailureKind } from '../routing/failure.ts';
import { targetName } from '../routing/target-name.ts';

/** What is remembered of one try. */
export type AttemptRecord = {
  /** Which of several models it was for. */
  requestModel?: string;
  provider: string;
  model: string;
  reason: string;
  /** Milliseconds since the epoch. */
  startedAtMs: number;
  /** Of a stream until its first content, else until the whole answer or the failure. */
  durationMs: number;
  outcome: FailureKind | 'answered';
  /** The vendor's HTTP status, when it is not a success. */
  status?: number | undefined;
  /** What happened, in words of ours. */
  detail?: string | undefined;
  retryAfterMs?: number | undefined;
  /** The same target was asked before: why it was asked again. */
  retry?: 'other_key' | 'fresh_secret' | 'same_key' | 'after_waiting';
  /** It was started besides a target that was still silent. */
  hedge?: true;
  /** It went to a target whose breaker was not closed. */
  breaker?: 'half-open' | 'open';
  /** Which of the provider's keys it went with, counted from 1. */
  key?: number;
  /** Why its stream broke off after the answer had begun; `differs` when it was no sequel of what the caller had. */
  brokeOff?: FailureKind | 'differs';
  /** What the vendor reported, where the request has other answers beside this one. */
  usage?: Usage | undefined;
};

/** A target of the plan, and why it has its place, or none. */
export type PlannedTarget = { target: string; reason: string };

/** What is known of one request when it is over. Holds no prompt, no answer and no secret, and never may. */
export type RequestRecord = {
  requestId: string;
  method: string;
  path: string;
  /** Milliseconds since the epoch. */
  receivedAtMs: number;
  /** What was asked of the gateway, by the name of its route. */
  operation?: string;
  status?: number;
  keyLabel?: string;
  requestModel?: string | undefined;
  provider?: string;
  targetModel?: string;
  responseModel?: string | undefined;
  /** By which the vendor finds the request in its own log. */
  vendorRequestId?: string | undefined;
  stream?: boolean;
  /** The first ten of the order that was planned; `attempts` says how far it went. */
  plan?: readonly PlannedTarget[];
  leftOut?: readonly PlannedTarget[];
  /** The rule of the model that decided. */
  rule?: string;
  attempts: readonly AttemptRecord[];
  /** Planned targets that were not asked after all. */
  passedOver?: readonly PlannedTarget[];
  /** From the receipt of the request to the first content, which is everything when the answer is buffered. */
  timeToFirstChunkMs?: number;
  /** Spent by the gateway itself: neither in waiting for vendors nor for the caller. */
  overheadMs?: number;
  usage?: Usage | undefined;
  /** The vendor counts no tokens; they are a guess of ours. */
  usageEstimated?: boolean;
  finishReason?: string | undefined;
  errorCode?: string;
  faultDomain?: 'caller' | 'policy' | 'provider' | 'gateway';
  /** Why an internal error happened: the type and the place of the exception, never its message. */
  cause?: string | undefined;
  configVersion?: number;
  /** The request whose kept answer this one got, by its idempotency key. */
  replayOf?: string;
  /** The first request of its environment, which had to wait for the start. */
  coldStart?: boolean;
};

/** No line needs more of a plan; the place of the target that answered is among its attempts. */
const mostShown = 10;

/** The targets of a plan as the log names them, the first of them when there are many. */
export function shownTargets(targets: readonly { provider: string; model: string; reason: string }[]): PlannedTarget[] {
  return targets.slice(0, mostShown).map((target) => ({ target: targetName(target), reason: target.reason }));
}
