import { describe, expect, test } from '@jest/globals';
import { foldScores } from '../../lambda/routing/fold-scores.ts';
import { forgottenAfterMs, noKnowledge } from '../../lambda/routing/knowledge.ts';
import { emptyLiveStats } from '../../lambda/routing/live-stats.ts';
import { emptyScores } from '../../lambda/routing/score.ts';
import { createMeasurement, type MeasurementParts } from '../../lambda/store/measurement.ts';
import { memoryStatsStore } from '../../lambda/store/memory-stats-store.ts';
import type { StatsStore } from '../../lambda/store/stats-store.ts';
import { aSample, folded, slicesOf } from '../support/samples.ts';

const startMs = 1_800_000_000_000;
const target = 'openai/gpt-4o';

function setUp({ random = 0, broken = {} }: { random?: number; broken?: Partial<StatsStore> } = {}) {
  const clock = { now: startMs };
  const store = memoryStatsStore();
  const written: number[] = [];
  const failures: string[] = [];
  const counting: StatsStore = {
    ...store,
    async writeSamples(batch) {
      written.push(batch.atMs - startMs);
      await store.writeSamples(batch);
    },
    ...broken,
  };
  let ids = 0;
  const gateway = (fields: Partial<MeasurementParts> = {}) =>
    createMeasurement({
      ...{ store: counting, now: () => clock.now, random: () => random, newId: () => `id-${ids++}` },
      onError: (what) => void failures.push(what),
      ...fields,
    });
  const see = async (measurement: ReturnType<typeof gateway>, fields: Parameters<typeof aSample>[0] | object = {}) => {
    measurement.measure(aSample({ atMs: clock.now, ...fields }));
    await measurement.settle();
  };
  return { clock, store, written, failures, gateway, see };
}

describe('what a gateway knows', () => {
  test('is nothing until the first read, for which nobody waits', async () => {
    const { store, gateway } = setUp();
    await store.writeKnowledge(folded(foldScores(noKnowledge, slicesOf(aSample({ atMs: startMs })), startMs)), 0);
    const measurement = gateway();

    expect(await measurement.live()).toMatchObject(emptyLiveStats);
    await measurement.settle();
    expect(Object.keys((await measurement.live()).scores.targets)).toEqual([target]);
  });

  test('is read ahead of the first request', async () => {
    const { store, gateway } = setUp();
    await store.writeKnowledge(folded(foldScores(noKnowledge, slicesOf(aSample({ atMs: startMs })), startMs)), 0);
    const measurement = gateway();

    await measurement.warm();

    expect(Object.keys((await measurement.live()).scores.targets)).toEqual([target]);
  });

  test('is read again behind a request when it is two seconds old', async () => {
    let reads = 0;
    const readLive = async () => ({ ...emptyLiveStats, scores: { ...emptyScores, foldedAtMs: startMs + reads++ } });
    const { clock, gateway } = setUp({ broken: { readLive } });
    const measurement = gateway();
    await measurement.warm();

    clock.now += 1_999;
    await measurement.live();
    await measurement.settle();
    expect(reads).toBe(1);

    clock.now += 1;
    expect((await measurement.live()).scores.foldedAtMs).toBe(startMs);
    await measurement.settle();
    expect((await measurement.live()).scores.foldedAtMs).toBe(startMs + 1);
  });

  test('is read before the request is planned when it is four seconds old', async () => {
    let reads = 0;
    const readLive = async () => ({ ...emptyLiveStats, scores: { ...emptyScores, foldedAtMs: startMs + reads++ } });
    const { clock, gateway } = setUp({ broken: { readLive } });
    const measurement = gateway();
    await measurement.warm();

    clock.now += 4_000;

    expect((await measurement.live()).scores.foldedAtMs).toBe(startMs + 1);
  });

  test('is planned by as it is, however old, when the table does not answer at once', async () => {
    let reads = 0;
    const never = new Promise<never>(() => {});
    const known = { ...emptyLiveStats, scores: { ...emptyScores, foldedAtMs: startMs } };
    const { clock, gateway } = setUp({ broken: { readLive: () => (reads++ === 0 ? Promise.resolve(known) : never) } });
    const measurement = gateway();
    await measurement.warm();

    clock.now += 60_000;

    expect((await measurement.live()).scores.foldedAtMs).toBe(startMs);
    expect(reads).toBe(2);
  });

  test('stays what it was while the table is down, and scores are forgotten when nobody folds any more', async () => {
    const { clock, store, gateway, failures } = setUp();
    await store.writeKnowledge(folded(foldScores(noKnowledge, slicesOf(aSample({ atMs: startMs })), startMs)), 0);
    store.breakers.set(target, { openedAtMs: 0, openUntilMs: 1, openings: 1, reason: 'timeout' });
    const measurement = gateway({ store: { ...store, readLive: flaky(store.readLive) } });
    await measurement.warm();

    clock.now += 60_000;
    await measurement.live();
    await measurement.settle();
    expect(failures).toEqual(['read']);
    expect(Object.keys((await measurement.live()).scores.targets)).toEqual([target]);

    clock.now += forgottenAfterMs;
    expect((await measurement.live()).scores).toEqual(emptyScores);
    expect(Object.keys((await measurement.live()).breakers)).toEqual([target]);
  });

  test('is nothing, and costs no time, while the table never answers', async () => {
    const never = () => new Promise<never>(() => {});
    const { gateway } = setUp({ broken: { readLive: never } });

    expect(await gateway().live()).toMatchObject(emptyLiveStats);
  });
});

describe('what a gateway sees', () => {
  test('is written once in three seconds, however many requests there are', async () => {
    const { clock, gateway, see, store, written } = setUp({ random: 1 });
    const measurement = gateway();

    for (let request = 0; request < 120; request++) {
      await see(measurement);
      clock.now += 100;
    }

    expect(written).toEqual([0, 3_000, 6_000, 9_000]);
    const slices = await store.readSamples(startMs, startMs + 60_000);
    expect(slices.reduce((sum, { targets }) => sum + (targets[target]?.counters['attempts'] ?? 0), 0)).toBe(91);
  });

  test('is not written when nothing was seen', async () => {
    const { gateway, written } = setUp();

    await gateway().settle();

    expect(written).toEqual([]);
  });

  test('is lost, and nothing else, when the table does not take it', async () => {
    const refuse = async () => {
      throw new Error('down');
    };
    const { clock, gateway, see, failures } = setUp({ broken: { writeSamples: refuse, takeFoldLease: refuse } });
    const measurement = gateway();

    await see(measurement);
    clock.now += 1_000;
    await see(measurement);

    expect(failures).toEqual(['write']);
  });

  test('becomes scores within ten seconds, by one of the gateways', async () => {
    const { clock, gateway, see, store } = setUp({ random: 0.9 });
    let folds = 0;
    const writeKnowledge: StatsStore['writeKnowledge'] = async (written, previousMs) => {
      folds++;
      return store.writeKnowledge(written, previousMs);
    };
    const fleet = Array.from({ length: 10 }, () => gateway({ store: { ...store, writeKnowledge } }));

    for (let second = 0; second <= 25; second++) {
      for (const one of fleet) await see(one, { waitMs: 900 });
      clock.now += 1_000;
    }

    const { scores } = await store.readLive();
    expect(scores.targets[target]!.streamed.small!.samples).toBeGreaterThan(50);
    expect(clock.now - scores.foldedAtMs).toBeLessThan(10_000);
    expect(folds).toBeLessThanOrEqual(6);
    const seen = (await fleet[0]!.live()).scores.targets[target];
    expect(seen!.streamed.small!.p50Ms).toBeGreaterThan(800);
  });

  test('is known seconds after the first request of all', async () => {
    const { clock, gateway, see, store } = setUp({ random: 0.99 });
    const one = gateway();

    for (let second = 0; second <= 4; second++) {
      await see(one);
      clock.now += 1_000;
    }

    const { scores } = await store.readLive();
    expect(scores.targets[target]?.streamed.small?.samples).toBeGreaterThan(0.9);
  });

  test('is known although nothing follows', async () => {
    const { clock, gateway, see, store } = setUp({ random: 0.99 });
    const one = gateway();
    let folds = 0;
    const takeFoldLease: StatsStore['takeFoldLease'] = (nowMs, untilMs) => {
      folds++;
      return store.takeFoldLease(nowMs, untilMs);
    };
    const quiet = gateway({ store: { ...store, takeFoldLease } });

    await see(quiet, { target: 'openai/last' });
    for (let second = 0; second < 30; second++) {
      clock.now += 1_000;
      await quiet.settle();
      await one.settle();
    }

    expect((await store.readLive()).scores.targets['openai/last']?.streamed.small?.samples).toBeGreaterThan(0.9);
    expect(folds).toBe(1);
  });

  test('is not folded by it when that fails, and the failure is told', async () => {
    const takeFoldLease = async () => {
      throw new Error('down');
    };
    const { clock, gateway, see, failures, written } = setUp({ broken: { takeFoldLease } });
    const one = gateway();

    await see(one);
    clock.now += 3_000;
    await see(one);

    expect(written).toEqual([0, 3_000]);
    expect(failures).toEqual(['fold']);
  });
});

/** Answers the first time. */
function flaky<T>(read: () => Promise<T>): () => Promise<T> {
  let calls = 0;
  return async () => {
    if (calls++ > 0) throw new Error('down');
    return read();
  };
}
