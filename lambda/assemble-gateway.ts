import { createHash, randomUUID } from 'node:crypto';
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
import { type CallerSources, callerFinder } from './gateway/caller/find-caller.ts';
import { createGateway, type Gateway } from './gateway/gateway.ts';
import type { GatewayDeps } from './gateway/gateway-deps.ts';
import { unavailable } from './gateway/gateway-error.ts';
import { createAccessTokens } from './providers/access-tokens.ts';
import { createKeyRing } from './providers/key-ring.ts';
import type { AwsCredentials } from './providers/sigv4.ts';
import { createUpstream } from './providers/upstream.ts';
import { isConfiguredTarget } from './routing/configured-targets.ts';
import type { BreakerStore } from './store/breaker-store.ts';
import { cached } from './store/cached.ts';
import { cachedMap } from './store/cached-map.ts';
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

/** Longer than one call may take, so that what a table did not answer is told; less than the many calls of a fold. */
const longestSettleMs = 2_500;

/** Puts the core together with a config table, a source of secrets and a log. */
export function assembleGateway(parts: GatewayParts): AssembledGateway {
  const { statsStore, awsCredentials, idempotencyStore, telemetry, coldStart = false } = parts;
  const now = Date.now;
  const newId = () => randomUUID().replaceAll('-', '');
  const sources = sourcesOf(parts, now);
  const { snapshot, secrets, firstKeyDigest, keys } = sources;
  const upstream = createUpstream();
  const onError = tellRefreshFailure(telemetry, 'breakers');
  const attempts = attemptState(parts, { now, newId, onError, snapshot: snapshot.current });
  const { random } = Math;
  const measurement = createMeasurement({ store: statsStore, now, random, newId, onError: tellLoss(telemetry) });

  const deps: GatewayDeps = {
    ...orUnavailable(sources, { telemetry, now }),
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

/** What is read from AWS, in memory. */
function sourcesOf({ reader, secretStore, telemetry }: GatewayParts, now: () => number) {
  const lost = (of: string) => ({ now, onError: tellRefreshFailure(telemetry, of) });
  const secretAge = { freshForMs: 300_000, staleForMs: 900_000 };
  const keyAge = { freshForMs: 3_000, staleForMs: 8_000 };
  const readFirstKey = async () => digestOf(await secretStore.readFirstKey());
  return {
    snapshot: liveSnapshot(reader, lost('config')),
    secrets: cached(() => secretStore.readVendorSecrets(), { ...secretAge, ...lost('vendor-keys') }),
    firstKeyDigest: cached(readFirstKey, { ...secretAge, ...lost('first-key') }),
    keys: cachedMap((sha256) => readKey(reader, sha256), { ...keyAge, ...lost('caller-keys') }),
  };
}

/** The sources as the core asks them: without an answer and without a memory of one its caller may try again. */
function orUnavailable(
  { snapshot, secrets, ...sources }: ReturnType<typeof sourcesOf>,
  world: Pick<CallerSources, 'telemetry' | 'now'>,
): Pick<GatewayDeps, 'snapshot' | 'findCaller' | 'secrets'> {
  const findCaller = callerFinder({ ...sources, ...world });
  const withoutSecrets = unavailable('The keys of the providers');
  return {
    snapshot: () => snapshot.current().catch(unavailable('The configuration of this gateway')),
    findCaller: (sha256) => findCaller(sha256).catch(unavailable('The API keys of this gateway')),
    secrets: {
      get: () => secrets.get().catch(withoutSecrets),
      refresh: () => secrets.refresh().catch(withoutSecrets),
    },
  };
}

type AttemptWorld = Pick<BreakerBoardParts, 'now' | 'newId' | 'onError'> & { snapshot: () => Promise<Snapshot> };

/** What attempts remember from one request to the next, and share with the fleet. */
function attemptState(parts: GatewayParts, world: AttemptWorld) {
  return {
    breakers: breakerBoard(parts, world),
    turns: fleetTurns({
      store: parts.turnStore,
      random: Math.random,
      onError: tellRefreshFailure(parts.telemetry, 'turns'),
    }),
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

/** What could not be learnt or told to the others costs no request anything, but operators should know. */
function tellLoss(telemetry: Telemetry): MeasurementParts['onError'] {
  return (what, error) => {
    const reason = errorName(error);
    if (what === 'read') tellRefreshFailure(telemetry, 'stats')(error);
    else if (what === 'write') telemetry.event('SamplesLost', { reason }, { samplesLost: 1 });
    else telemetry.event('FoldFailed', { reason }, { foldFailures: 1 });
  };
}

function tellRefreshFailure(telemetry: Telemetry, of: string): (error: unknown) => void {
  return (error) => telemetry.event('RefreshFailed', { reason: errorName(error), of }, { refreshFailures: 1 });
}

function digestOf(key: string | undefined): Buffer | undefined {
  return key === undefined ? undefined : createHash('sha256').update(key).digest();
}
