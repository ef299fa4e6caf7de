import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { type KeyReading, readKeyItem } from './config/read-key-item.ts';
import { splitTarget } from './config/resolve-target.ts';
import type { Snapshot } from './config/snapshot.ts';
import {
  type BreakerBoard,
  type BreakerBoardParts,
  type BreakerEvent,
  createBreakerBoard,
} from './gateway/attempts/breaker-board.ts';
import { createHedgeBudget } from './gateway/attempts/hedge-budget.ts';
import { createRetryBudget } from './gateway/attempts/retry-budget.ts';
import { fleetTurns } from './gateway/attempts/turns.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import type { Caller, GatewayDeps } from './gateway/gateway-deps.ts';
import { createAccessTokens } from './providers/access-tokens.ts';
import { createKeyRing } from './providers/key-ring.ts';
import type { AwsCredentials } from './providers/sigv4.ts';
import { createUpstream } from './providers/upstream.ts';
import { isConfiguredTarget } from './routing/configured-targets.ts';
import type { BreakerStore } from './store/breaker-store.ts';
import { type Cached, cached } from './store/cached.ts';
import { type CachedMap, cachedMap } from './store/cached-map.ts';
import type { ConfigReader } from './store/config-store.ts';
import type { IdempotencyStore } from './store/idempotency-store.ts';
import { liveSnapshot } from './store/live-config.ts';
import { createMeasurement, type Measurement, type MeasurementParts } from './store/measurement.ts';
import type { SecretStore } from './store/secret-store.ts';
import type { StatsStore } from './store/stats-store.ts';
import type { TurnStore } from './store/turn-store.ts';
import { within } from './store/within.ts';
import { errorName } from './telemetry/error-name.ts';
import { targetModels } from './telemetry/target-model.ts';
import type { Telemetry } from './telemetry/telemetry.ts';

/** The gateway with its stores behind caches, as both entries run it. */
export type AssembledGateway = {
  gateway: Gateway;
  /** The world of its core, for requests that come from nobody outside. */
  deps: GatewayDeps;
  measurement: Measurement;
  /** Reads snapshot, secrets and scores ahead of the first request. Never fails: what is missing is read when it is needed. */
  warm(): Promise<void>;
  /**
   * Writes what was seen when it is time, and resolves when nothing runs behind the requests any more; after 2.5 seconds
   * too, since the callers have their answers and a function costs as long as it waits.
   */
  settled(): Promise<void>;
  close(): void;
};

/** What a gateway is assembled from; `coldStart` says whether its first request has to wait for its start. */
export type GatewayParts = {
  reader: ConfigReader;
  secretStore: SecretStore;
  statsStore: StatsStore;
  awsCredentials: () => AwsCredentials | undefined;
  idempotencyStore: IdempotencyStore;
  telemetry: Telemetry;
  breakerStore: BreakerStore;
  turnStore: TurnStore;
  coldStart?: boolean;
};

const firstCaller: Caller = { label: 'first-key', models: undefined };

const longestSettleMs = 2_500;

/** Puts the core together with a config table, a source of secrets and a log. */
export function assembleGateway(parts: GatewayParts): AssembledGateway {
  const { reader, secretStore, statsStore, awsCredentials, idempotencyStore, telemetry, coldStart = false } = parts;
  const now = Date.now;
  const newId = () => randomUUID().replaceAll('-', '');
  const onError = (error: unknown) =>
    telemetry.event('RefreshFailed', { reason: errorName(error) }, { refreshFailures: 1 });
  const snapshot = liveSnapshot(reader, { now, onError });
  const secretAge = { freshForMs: 300_000, staleForMs: 900_000, now, onError };
  const secrets = cached(() => secretStore.readVendorSecrets(), secretAge);
  const firstKeyDigest = cached(async () => digestOf(await secretStore.readFirstKey()), secretAge);
  const keys = cachedMap((sha256) => readKey(reader, sha256), { freshForMs: 3_000, staleForMs: 8_000, now, onError });
  const upstream = createUpstream();
  const attempts = attemptState(parts, { now, newId, onError, snapshot: snapshot.current });
  const { random } = Math;
  const measurement = createMeasurement({ store: statsStore, now, random, newId, onError: tellLoss(telemetry) });

  const deps: GatewayDeps = {
    snapshot: snapshot.current,
    findCaller: callerFinder({ keys, firstKeyDigest, telemetry, now }),
    secrets,
    awsCredentials,
    live: async () => attempts.breakers.overlay(await measurement.live()),
    ...attempts,
    measure: measurement.measure,
    idempotency: idempotencyStore,
    accessTokens: createAccessTokens({ upstream, now }),
    upstream,
    now,
    monotonicMs: () => performance.now(),
    random,
    newId,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    telemetry,
    coldStart,
  };
  return {
    gateway: createGateway(deps),
    deps,
    measurement,
    async warm() {
      await Promise.allSettled([snapshot.current(), secrets.get(), firstKeyDigest.get(), measurement.warm()]);
    },
    async settled() {
      const others = [snapshot, secrets, firstKeyDigest, keys, attempts.breakers, attempts.turns];
      await within(longestSettleMs, Promise.all([...others.map((each) => each.settled()), measurement.settle()]));
    },
    close: upstream.close,
  };
}

type CallerSources = {
  keys: CachedMap<KeyReading>;
  firstKeyDigest: Cached<Buffer | undefined>;
  telemetry: Telemetry;
  now: () => number;
};

function callerFinder({ keys, firstKeyDigest, telemetry, now }: CallerSources): GatewayDeps['findCaller'] {
  return async (sha256) => {
    const reading = await keys.get(sha256);
    if (reading) return callerOf(reading, now(), (reason) => telemetry.event('KeyRejected', { reason }));
    const digest = await firstKeyDigest.get();
    return digest && timingSafeEqual(digest, Buffer.from(sha256, 'hex')) ? firstCaller : undefined;
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
  return createBreakerBoard({
    ...world,
    store: breakerStore,
    isConfigured: async (target) => isConfiguredTarget(target, await snapshot()),
    emit: (event) => void tell(event).catch(world.onError),
  });
}

async function readKey(reader: ConfigReader, sha256: string): Promise<KeyReading | undefined> {
  const item = await reader.readKey(sha256);
  return item && readKeyItem(item);
}

/** Whom a key item lets in: nobody when it is disabled, expired or not valid. */
function callerOf(reading: KeyReading, nowMs: number, reject: (reason: string) => void): Caller | undefined {
  if ('errors' in reading) {
    reject(reading.errors.join(' '));
    return undefined;
  }
  const { name, label = `key-${name.slice(0, 8)}`, models, disabled, expiresAt } = reading.key;
  // A time that cannot be read compares as false, and has to keep the key out.
  if (disabled || (expiresAt !== undefined && !(Date.parse(expiresAt) > nowMs))) return undefined;
  return { label, models };
}

/** What could not be learnt or told to the others costs no request anything, but operators should know. */
function tellLoss(telemetry: Telemetry): MeasurementParts['onError'] {
  return (what, error) => {
    const reason = errorName(error);
    if (what === 'read') telemetry.event('RefreshFailed', { reason, of: 'stats' }, { refreshFailures: 1 });
    else if (what === 'write') telemetry.event('SamplesLost', { reason }, { samplesLost: 1 });
    else telemetry.event('FoldFailed', { reason }, { foldFailures: 1 });
  };
}

function digestOf(key: string | undefined): Buffer | undefined {
  return key === undefined ? undefined : createHash('sha256').update(key).digest();
}
