import type { Snapshot } from '../config/snapshot.ts';
import type { VendorSecrets } from '../config/vendor-secrets.ts';
import type { AccessTokens } from '../providers/access-tokens.ts';
import type { KeyRing } from '../providers/key-ring.ts';
import type { AwsCredentials } from '../providers/sigv4.ts';
import type { Upstream } from '../providers/upstream.ts';
import type { AttemptSample } from '../routing/attempt-sample.ts';
import type { LiveStats } from '../routing/live-stats.ts';
import type { IdempotencyStore } from '../store/idempotency-store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { BreakerBoard } from './attempts/breaker-board.ts';
import type { HedgeBudget } from './attempts/hedge-budget.ts';
import type { RetryBudget } from './attempts/retry-budget.ts';
import type { Turns } from './attempts/turns.ts';

/** Someone who may call: what the key that was sent stands for. */
export type Caller = {
  /** Names the key in logs without revealing it. */
  label: string;
  /** Patterns of the models it may use; undefined means all. */
  models: readonly string[] | undefined;
};

/** Everything that the core needs from the world, given by the host's entry. */
export type GatewayDeps = {
  /** The configuration in force. */
  snapshot(): Promise<Snapshot>;
  /** The caller of a key, by the key's SHA-256 in hexadecimal; undefined when the key lets nobody in. */
  findCaller(sha256: string): Promise<Caller | undefined>;
  /** The vendors' keys; `refresh` asks the source again, since a vendor has refused one. */
  secrets: { get(): Promise<VendorSecrets>; refresh(): Promise<VendorSecrets> };
  /** The credentials of the function's role, for providers that are called by signature. */
  awsCredentials(): AwsCredentials | undefined;
  /** Scores and breakers as far as they are known here. Waits a few milliseconds for the table at most; never fails. */
  live(): Promise<LiveStats>;
  /** Takes what an attempt showed of its target. */
  measure(sample: AttemptSample): void;
  /** Tokens of providers that exchange their key for one. */
  accessTokens: AccessTokens;
  /** Remembers which requests were answered, and how. */
  idempotency: IdempotencyStore;
  /** The breakers as they are known here; `live` has them laid over what was polled. */
  breakers: BreakerBoard;
  retries: RetryBudget;
  hedges: HedgeBudget;
  /** Whose turn it is, over the fleet. */
  turns: Pick<Turns, 'next' | 'peek'>;
  upstream: Upstream;
  keyRing: KeyRing;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a clock that never jumps, with their fractions. */
  monotonicMs(): number;
  /** A number in [0, 1). */
  random(): number;
  /** Letters and digits that nobody has had before. */
  newId(): string;
  sleep(ms: number): Promise<void>;
  /** Takes what happened, for the log and the metrics. */
  telemetry: Telemetry;
  /** The first request has to wait for the start of the environment. */
  coldStart: boolean;
};
