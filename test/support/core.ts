import { randomUUID } from 'node:crypto';
import { type ProviderConfig, recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import { type BreakerBoard, createBreakerBoard } from '../../lambda/gateway/attempts/breaker-board.ts';
import { createHedgeBudget } from '../../lambda/gateway/attempts/hedge-budget.ts';
import { createRetryBudget } from '../../lambda/gateway/attempts/retry-budget.ts';
import { fleetTurns } from '../../lambda/gateway/attempts/turns.ts';
import type { GatewayRequest, Sink } from '../../lambda/gateway/exchange.ts';
import { createGateway } from '../../lambda/gateway/gateway.ts';
import type { GatewayDeps } from '../../lambda/gateway/gateway-deps.ts';
import { createAccessTokens } from '../../lambda/providers/access-tokens.ts';
import { createKeyRing } from '../../lambda/providers/key-ring.ts';
import { createUpstream } from '../../lambda/providers/upstream.ts';
import { emptyLiveStats } from '../../lambda/routing/live-stats.ts';
import { memoryBreakerStore } from '../../lambda/store/memory-breaker-store.ts';
import { memoryIdempotencyStore } from '../../lambda/store/memory-idempotency-store.ts';
import { memoryTurnStore } from '../../lambda/store/memory-turn-store.ts';
import { createTelemetry } from '../../lambda/telemetry/telemetry.ts';
import { emittedMetrics } from './emitted-metrics.ts';
import { aSnapshot } from './snapshots.ts';

/** A sink that keeps what it gets. */
export type CollectingSink = Sink & {
  heads: { status: number; headers: Record<string, string> }[];
  text(): string;
  bytes(): Buffer;
  ended: boolean;
};

export function collectingSink(): CollectingSink {
  const pieces: Buffer[] = [];
  const keep = (bytes: Uint8Array | string = '') => {
    pieces.push(Buffer.from(bytes as string));
    return undefined;
  };
  const sink: CollectingSink = {
    heads: [],
    ended: false,
    bytes: () => Buffer.concat(pieces),
    text: () => Buffer.concat(pieces).toString('utf8'),
    head: (status, headers) => void sink.heads.push({ status, headers }),
    write: keep,
    end(bytes) {
      sink.ended = true;
      return keep(bytes);
    },
  };
  return sink;
}

export const vendorSecret = 'canary-vendor-secret';

/** Breakers that only this gateway knows. */
export function aBreakerBoard(now = Date.now): BreakerBoard {
  const store = memoryBreakerStore();
  return createBreakerBoard({
    store,
    isConfigured: async () => true,
    now,
    newId: randomUUID,
    emit: () => {},
    onError: () => {},
  });
}

/** Breakers that never open: for tests whose vendors fail again and again, and which are about something else. */
export function closedBreakers(): BreakerBoard {
  return { ...aBreakerBoard(), note: () => {} };
}

/** Dependencies of the core: real connections, everything else in memory. `close` ends the connections. */
export function coreDeps(snapshot: Snapshot, fields: Partial<GatewayDeps> = {}) {
  const lines: string[] = [];
  // Whatever a test is about: a line that CloudWatch would not read fails it.
  const write = (line: string) => {
    emittedMetrics(line);
    lines.push(line);
  };
  const upstream = createUpstream();
  const secrets = recordByName(Object.keys(snapshot.providers).map((name) => [name, [vendorSecret]]));
  const breakers = fields.breakers ?? aBreakerBoard(fields.now);
  const deps: GatewayDeps = {
    snapshot: async () => snapshot,
    findCaller: async () => ({ label: 'tester', models: undefined }),
    secrets: { get: async () => secrets, refresh: async () => secrets },
    awsCredentials: () => undefined,
    live: async () => breakers.overlay(emptyLiveStats),
    breakers,
    retries: createRetryBudget(fields.now ?? Date.now),
    hedges: createHedgeBudget(),
    turns: fleetTurns({ store: memoryTurnStore(), random: () => 0, onError: () => {} }),
    measure: () => {},
    accessTokens: createAccessTokens({ upstream, now: fields.now ?? Date.now }),
    idempotency: memoryIdempotencyStore(),
    upstream,
    keyRing: createKeyRing(),
    now: Date.now,
    monotonicMs: () => performance.now(),
    random: () => 0.5,
    newId: () => 'id',
    sleep: async () => {},
    telemetry: createTelemetry({ namespace: 'Test', write, now: Date.now }),
    coldStart: false,
    ...fields,
  };
  return { deps, lines, close: upstream.close };
}

/** A snapshot whose provider `scripted` listens there, with the model `one`. */
export function snapshotOf(
  url: string,
  more: { provider?: Partial<ProviderConfig>; timeouts?: object } = {},
): Snapshot {
  const provider = { type: 'openai-compatible', baseUrl: url, ...more.provider };
  const targets = [{ provider: 'scripted', model: 'model-1', weight: 1 }];
  return aSnapshot({
    providers: recordByName([['scripted', provider]]),
    models: recordByName([['one', { targets, strategy: 'priority', fallbacks: [], timeouts: more.timeouts ?? {} }]]),
  });
}

export function chatRequest(fields: object = {}, request: Partial<GatewayRequest> = {}): GatewayRequest {
  const body = { model: 'one', messages: [{ role: 'user', content: 'canary-prompt' }], ...fields };
  return {
    id: 'request-1',
    method: 'POST',
    path: '/v1/chat/completions',
    query: '',
    headers: { authorization: 'Bearer key' },
    body: Buffer.from(JSON.stringify(body)),
    receivedAtMs: Date.now(),
    deadlineMs: Date.now() + 20_000,
    signal: new AbortController().signal,
    ...request,
  };
}

const running: (() => void)[] = [];

/** Ends the connections of all cores that `handled` has made. They stay until then, so that a leak can be seen. */
export function closeCores(): void {
  for (const close of running.splice(0)) close();
}

/** Answers one request with a core made for it, and says what came of it. Call `closeCores` afterwards. */
export async function handled(
  snapshot: Snapshot,
  request: GatewayRequest,
  { deps: fields = {}, sink = collectingSink() }: { deps?: Partial<GatewayDeps>; sink?: CollectingSink } = {},
) {
  const { deps, lines, close } = coreDeps(snapshot, fields);
  running.push(close);
  await createGateway(deps).handle(request, sink);
  return { sink, text: sink.text(), head: sink.heads[0], line: requestLine(lines), log: lines.join('\n') };
}

/** The line that says everything of a request, the last of its lines. */
export function requestLine(lines: readonly string[]) {
  return JSON.parse(lines.findLast((line) => line.includes('"event":"RequestCompleted"')) ?? '{}');
}
