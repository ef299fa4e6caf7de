import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createGateway } from '../../../lambda/gateway/gateway.ts';
import { dynamoStatsStore } from '../../../lambda/store/dynamo-stats-store.ts';
import { foldSamples } from '../../../lambda/store/fold-samples.ts';
import { createMeasurement } from '../../../lambda/store/measurement.ts';
import { chatRequest, closedBreakers, collectingSink, coreDeps } from '../../support/core.ts';
import { createStatsTable, type EmbeddedDynamoDb, startEmbeddedDynamoDb } from '../../support/embedded-dynamodb.ts';
import { died, gatewayCount, modelOf, vendorsAnswering } from '../../support/fleet.ts';
import { completion } from '../../support/scripted-vendor.ts';

const requestsEach = 20;
const firstTries = gatewayCount * requestsEach;

let dynamoDb: EmbeddedDynamoDb;
beforeAll(async () => {
  dynamoDb = await startEmbeddedDynamoDb();
});
afterAll(() => dynamoDb.stop());

/** Fifty gateways that measure into one table, and a target in trouble. No breaker opens: the budget alone protects it. */
async function fleet() {
  const tableName = `Stats-${randomUUID()}`;
  await createStatsTable(dynamoDb.client, tableName);
  const world = { nowMs: 1_800_000_000_000, asked: 0 };
  const now = () => world.nowMs;
  const upstream = vendorsAnswering((provider) => {
    if (provider === 'well') return { status: 200, body: completion('hi') };
    world.asked++;
    return died;
  });
  const store = dynamoStatsStore(dynamoDb.client, tableName);
  const gateways = Array.from({ length: gatewayCount }, () => {
    const measurement = createMeasurement({
      store,
      now,
      random: () => 1,
      newId: randomUUID,
      onError: (_, error) => {
        throw error;
      },
    });
    const { live, measure } = measurement;
    const { deps, close } = coreDeps(modelOf('troubled', 'well'), {
      ...{ upstream, now, live, measure, breakers: closedBreakers() },
    });
    close();
    return { measurement, handle: createGateway(deps).handle };
  });
  return { world, store, gateways };
}

test('fifty gateways under load add at most a fifth of second tries, and none when the fleet has made too many', async () => {
  const { world, store, gateways } = await fleet();
  const statuses = new Set<number | undefined>();
  const ask = async (handle: (typeof gateways)[number]['handle']) => {
    const sink = collectingSink();
    await handle(chatRequest({}, { receivedAtMs: world.nowMs, deadlineMs: world.nowMs + 60_000 }), sink);
    statuses.add(sink.heads[0]?.status);
  };
  /** All requests at the same moment; says how many second tries came of it. */
  const burst = async () => {
    world.asked = 0;
    await Promise.all(gateways.flatMap(({ handle }) => Array.from({ length: requestsEach }, () => ask(handle))));
    return world.asked - firstTries;
  };
  const fold = async () => {
    // One after the other: fifty writes at once are more than an embedded table takes in time on a busy machine.
    for (const { measurement } of gateways) await measurement.settle();
    // Whoever of them has just folded holds the lease for eight seconds.
    world.nowMs += 10_000;
    expect(await foldSamples(store, world.nowMs)).toBe(true);
    await Promise.all(gateways.map(({ measurement }) => measurement.warm()));
  };
  await Promise.all(gateways.map(({ measurement }) => measurement.warm()));

  const unknown = await burst();
  await fold();
  const tooMany = await burst();
  await fold();
  const fewAgain = await burst();

  // Of its own each gateway has a fifth of its attempts, and three.
  expect(unknown).toBeGreaterThanOrEqual(3 * gatewayCount);
  expect(unknown).toBeLessThanOrEqual(0.2 * (firstTries + unknown) + 3 * gatewayCount);
  // That was more than a fifth over the fleet, and the gateways would have had more.
  expect(unknown / (firstTries + unknown)).toBeGreaterThan(0.2);
  expect(tooMany).toBe(0);
  expect(fewAgain).toBeGreaterThan(0);
  expect(statuses).toEqual(new Set([200]));
}, 60_000);
