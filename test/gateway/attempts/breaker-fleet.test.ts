import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type BreakerEvent, createBreakerBoard } from '../../../lambda/gateway/attempts/breaker-board.ts';
import { createGateway } from '../../../lambda/gateway/gateway.ts';
import { emptyLiveStats } from '../../../lambda/routing/live-stats.ts';
import type { BreakerStore } from '../../../lambda/store/breaker-store.ts';
import { dynamoBreakerStore } from '../../../lambda/store/dynamo-breaker-store.ts';
import { dynamoStatsStore } from '../../../lambda/store/dynamo-stats-store.ts';
import { chatRequest, collectingSink, coreDeps } from '../../support/core.ts';
import { createStatsTable, type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../../support/embedded-dynamodb.ts';
import { died, gatewayCount, modelOf, vendorsAnswering } from '../../support/fleet.ts';
import { completion } from '../../support/scripted-vendor.ts';

const pollEveryMs = 3_000;
const tickMs = 500;

let dynamoDb: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamoDb = await startEmbeddedDynamoDb();
});
afterAll(() => dynamoDb.stop());

const snapshot = modelOf('dying', 'well');

/** Fifty gateways over one table, each with what it polled last, and two vendors, one of which can die. */
async function fleet() {
  const tableName = `Stats-${randomUUID()}`;
  await createStatsTable(dynamoDb.client, tableName);
  const world = { nowMs: 1_000_000, isDead: true, leave: undefined as (() => void) | undefined };
  const asked: { provider: string; atMs: number }[] = [];
  const won: number[] = [];
  const events: (BreakerEvent & { atMs: number })[] = [];
  const table = dynamoBreakerStore(dynamoDb.client, tableName);
  const store: BreakerStore = {
    ...table,
    async lease(...wish) {
      const written = await table.lease(...wish);
      if (written.mine) won.push(world.nowMs);
      return written;
    },
  };
  const upstream = vendorsAnswering((provider) => {
    asked.push({ provider, atMs: world.nowMs });
    if (provider === 'dying' && world.leave) {
      world.leave();
      return Promise.reject(new Error('nobody is there any more'));
    }
    return provider === 'dying' && world.isDead ? died : { status: 200, body: completion('hi') };
  });
  const gateways = Array.from({ length: gatewayCount }, (_, index) => {
    const breakers = createBreakerBoard({
      store,
      isConfigured: async () => true,
      now: () => world.nowMs,
      newId: randomUUID,
      emit: (event) => void events.push({ ...event, atMs: world.nowMs }),
      onError: (error) => {
        throw error;
      },
    });
    const stats = dynamoStatsStore(dynamoDb.client, tableName);
    const cache = { polledAtMs: world.nowMs - (index * pollEveryMs) / gatewayCount, live: emptyLiveStats };
    const { deps, close } = coreDeps(snapshot, {
      upstream,
      breakers,
      live: async () => breakers.overlay(cache.live),
      now: () => world.nowMs,
    });
    close();
    return {
      breakers,
      ask: async ({ signal } = new AbortController()) => {
        const sink = collectingSink();
        const request = chatRequest({}, { receivedAtMs: world.nowMs, deadlineMs: world.nowMs + 60_000, signal });
        await createGateway(deps).handle(request, sink);
        return sink.heads[0]?.status;
      },
      poll: async () => {
        if (world.nowMs - cache.polledAtMs < pollEveryMs) return;
        cache.polledAtMs = world.nowMs;
        cache.live = await stats.readLive();
      },
    };
  });
  return { world, asked, won, events, gateways };
}

test('fifty gateways ask a dead target once per interval, all callers are served, and it is back when it is up', async () => {
  const { world, asked, won, events, gateways } = await fleet();
  const statuses: (number | undefined)[] = [];
  const tick = async () => {
    await Promise.all(gateways.map(({ poll }) => poll()));
    // Every gateway at the same moment: as many as can be want to be the one that tries.
    statuses.push(...(await Promise.all(gateways.map(({ ask }) => ask()))));
    await Promise.all(gateways.map(({ breakers }) => breakers.settled()));
    world.nowMs += tickMs;
  };
  const diesAtMs = world.nowMs;
  while (world.nowMs < diesAtMs + 60_000) await tick();
  const attempts = asked.filter(({ provider }) => provider === 'dying').map(({ atMs }) => atMs);

  // Until everybody has polled, some find out by themselves.
  const known = attempts.filter((atMs) => atMs >= diesAtMs + pollEveryMs + tickMs);
  const openings = events.filter(({ event }) => event === 'BreakerOpened');
  expect(openings[0]?.atMs).toBe(diesAtMs);
  // 5, 10, then 15 seconds between two tries: at 5, 15, 30 and 45 seconds.
  expect(known.map((atMs) => atMs - diesAtMs)).toEqual([5_000, 15_000, 30_000, 45_000]);
  expect(won).toEqual(known);
  expect(openings).toHaveLength(1 + known.length);

  world.isDead = false;
  const upAtMs = world.nowMs;
  while (world.nowMs < upAtMs + 15_000 + pollEveryMs) await tick();

  expect(events.at(-1)).toMatchObject({ event: 'BreakerClosed', target: 'dying/m' });
  expect((events.at(-1)?.atMs ?? Infinity) - upAtMs).toBeLessThanOrEqual(15_000);
  const last = asked.slice(-gatewayCount).map(({ provider }) => provider);
  expect(new Set(last)).toEqual(new Set(['dying']));
  expect(new Set(statuses)).toEqual(new Set([200]));
}, 120_000);

test('a caller that leaves while its request finds out keeps no target away: the next request of the fleet finds out', async () => {
  const { world, asked, events, gateways } = await fleet();
  const [here, there] = gateways as [(typeof gateways)[number], (typeof gateways)[number]];
  const settled = () => Promise.all([here, there].map(({ breakers }) => breakers.settled()));
  for (let i = 0; i < 3; i++) await here.ask();
  await settled();
  world.nowMs += 5_000;
  await there.poll();
  world.isDead = false;
  asked.length = 0;
  const caller = new AbortController();
  world.leave = () => caller.abort();

  await here.ask(caller);
  await settled();
  world.leave = undefined;
  world.nowMs += 400;
  await there.ask();
  await settled();

  expect(asked.map(({ provider }) => provider)).toEqual(['dying', 'dying']);
  expect(events.at(-1)).toMatchObject({ event: 'BreakerClosed', target: 'dying/m' });
});
