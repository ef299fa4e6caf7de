import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { parseKeyItem } from './config/parse-key-item.ts';
import type { RawItem } from './config/raw-item.ts';
import { splitTarget } from './config/resolve-target.ts';
import type { Snapshot } from './config/snapshot.ts';
import {
  type BreakerBoard,
  type BreakerBoardParts,
  type BreakerEvent,
  createBreakerBoard,
} from './gateway/breaker-board.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import type { Caller } from './gateway/gateway-deps.ts';
import { createHedgeBudget } from './gateway/hedge-budget.ts';
import { createRetryBudget } from './gateway/retry-budget.ts';
import { fleetTurns } from './gateway/turns.ts';
import { createAccessTokens } from './providers/access-tokens.ts';
import { createKeyRing } from './providers/key-ring.ts';
import type { AwsCredentials } from './providers/sigv4.ts';
import { createUpstream } from './providers/upstream.ts';
import { emptyLiveStats } from './routing/live-stats.ts';
import type { BreakerStore } from './store/breaker-store.ts';
import { cached } from './store/cached.ts';
import { cachedMap } from './store/cached-map.ts';
import type { ConfigReader } from './store/config-store.ts';
import type { IdempotencyStore } from './store/idempotency-store.ts';
import { liveSnapshot } from './store/live-config.ts';
import type { SecretStore } from './store/secret-store.ts';
import type { TurnStore } from './store/turn-store.ts';
import { targetModels } from './telemetry/target-model.ts';
import type { Telemetry } from './telemetry/telemetry.ts';

/** The gateway with its stores behind caches, as both entries run it. */
export type AssembledGateway = {
  gateway: Gateway;
  /** Reads snapshot and secrets ahead of the first request. Never fails: what is missing is read when it is needed. */
  warm(): Promise<void>;
  /** Resolves when nothing runs behind the requests any more. */
  settled(): Promise<void>;
  close(): void;
};

/** What a gateway is assembled from; `coldStart` says whether its first request has to wait for its start. */
export type GatewayParts = {
  reader: ConfigReader;
  secretStore: SecretStore;
  awsCredentials: () => AwsCredentials | undefined;
  idempotencyStore: IdempotencyStore;
  telemetry: Telemetry;
  breakerStore: BreakerStore;
  turnStore: TurnStore;
  coldStart?: boolean;
};

const firstCaller: Caller = { label: 'first-key', models: undefined };

/** Puts the core together with a config table, a source of secrets and a log. */
export function assembleGateway(parts: GatewayParts): AssembledGateway {
  const { reader, secretStore, awsCredentials, idempotencyStore, telemetry, coldStart = false } = parts;
  const now = Date.now;
  const onError = (error: unknown) => {
    const reason = error instanceof Error ? error.name : typeof error;
    telemetry.event('RefreshFailed', { reason }, { refreshFailures: 1 });
  };
  const snapshot = liveSnapshot(reader, { now, onError });
  const secretAge = { freshForMs: 300_000, staleForMs: 900_000, now, onError };
  const secrets = cached(() => secretStore.readVendorSecrets(), secretAge);
  const firstKeyDigest = cached(async () => digestOf(await secretStore.readFirstKey()), secretAge);
  const keys = cachedMap((sha256) => reader.readKey(sha256), { freshForMs: 3_000, staleForMs: 8_000, now, onError });
  const upstream = createUpstream();
  const newId = () => randomUUID().replaceAll('-', '');
  const attempts = attemptState(parts, { now, newId, onError, snapshot: snapshot.current });

  async function findCaller(sha256: string): Promise<Caller | undefined> {
    const item = await keys.get(sha256);
    if (item) return callerOf(item, now(), (reason) => telemetry.event('KeyRejected', { reason }));
    const digest = await firstKeyDigest.get();
    return digest && timingSafeEqual(digest, Buffer.from(sha256, 'hex')) ? firstCaller : undefined;
  }

  const gateway = createGateway({
    snapshot: snapshot.current,
    findCaller,
    secrets,
    awsCredentials,
    live: async () => attempts.breakers.overlay(emptyLiveStats),
    ...attempts,
    measure: () => {},
    idempotency: idempotencyStore,
    accessTokens: createAccessTokens({ upstream, now }),
    upstream,
    now,
    monotonicMs: () => performance.now(),
    random: Math.random,
    newId,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    telemetry,
    coldStart,
  });
  return {
    gateway,
    warm: async () => void (await Promise.allSettled([snapshot.current(), secrets.get(), firstKeyDigest.get()])),
    settled: async () =>
      void (await Promise.all(
        [snapshot, secrets, firstKeyDigest, keys, attempts.breakers, attempts.turns].map((each) => each.settled()),
      )),
    close: upstream.close,
  };
}

type AttemptWorld = Pick<BreakerBoardParts, 'now' | 'newId' | 'onError'> & { snapshot: () => Promise<Snapshot> };

/** What attempts remember from one request to the next, and share with the fleet. */
function attemptState(parts: GatewayParts, world: AttemptWorld) {
  return {
    breakers: breakerBoard(parts, world),
    turns: fleetTurns({ store: parts.turnStore, random: Math.random, onError: world.onError }),
    retries: createRetryBudget(world.now),
    hedges: createHedgeBudget(),
    keyRing: createKeyRing(),
  };
}

const breakerMetrics = { BreakerOpened: 'breakersOpened', BreakerClosed: 'breakersClosed' } as const;

function breakerBoard({ breakerStore, telemetry }: GatewayParts, { snapshot, ...world }: AttemptWorld): BreakerBoard {
  const modelOf = targetModels();
  const tell = async ({ event, target, ...fields }: BreakerEvent) => {
    const { provider, model: targetModel } = splitTarget(target);
    // The metric is by `model`, which must not be a name that a caller made up.
    const asked = { provider, model: targetModel, outcome: 'reason' in fields ? fields.reason : ('answered' as const) };
    const model = modelOf(asked, await snapshot());
    telemetry.event(event, { provider, model, targetModel, ...fields }, { [breakerMetrics[event]]: 1 });
  };
  return createBreakerBoard({ ...world, store: breakerStore, emit: (event) => void tell(event).catch(world.onError) });
}

/** Whom a key item lets in: nobody when it is disabled, expired or not valid. */
function callerOf(item: RawItem, nowMs: number, reject: (reason: string) => void): Caller | undefined {
  const parsed = parseKeyItem(item);
  if ('errors' in parsed) {
    reject(parsed.errors.join(' '));
    return undefined;
  }
  const { name, label = `key-${name.slice(0, 8)}`, models, disabled, expiresAt } = parsed.key;
  // A time that cannot be read compares as false, and has to keep the key out.
  if (disabled || (expiresAt !== undefined && !(Date.parse(expiresAt) > nowMs))) return undefined;
  return { label, models };
}

function digestOf(key: string | undefined): Buffer | undefined {
  return key === undefined ? undefined : createHash('sha256').update(key).digest();
}
