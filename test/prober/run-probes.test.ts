import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import type { GatewayDeps } from '../../lambda/gateway/gateway-deps.ts';
import { runProbes } from '../../lambda/prober/run-probes.ts';
import type { AttemptSample } from '../../lambda/routing/attempt-sample.ts';
import { emptyLiveStats } from '../../lambda/routing/live-stats.ts';
import { memoryProbeBudgetStore } from '../../lambda/store/memory-probe-budget-store.ts';
import { createTelemetry } from '../../lambda/telemetry/telemetry.ts';
import { canary, canaryScripts } from '../support/canaries.ts';
import { coreDeps, vendorSecret } from '../support/core.ts';
import { answer, chunk, done, role, silence, stream, usageChunk } from '../support/scripted-vendor.ts';
import { aModel, aSnapshot } from '../support/snapshots.ts';
import { suiteVendor } from '../support/suite-vendor.ts';

const vendor = suiteVendor();
let world: ReturnType<typeof coreDeps>;
let promises: Record<string, object> = {};
let samples: AttemptSample[] = [];

beforeEach(() => {
  promises = {};
  samples = [];
});
afterEach(() => world.close());

function snapshotWith(targets: string[], settings: Snapshot['settings'] = {}): Snapshot {
  return aSnapshot({
    providers: recordByName([['scripted', { type: 'openai-compatible', baseUrl: vendor.url }]]),
    models: recordByName([
      [
        'fast',
        { ...aModel('scripted'), targets: targets.map((model) => ({ provider: 'scripted', model, weight: 1 })) },
      ],
    ]),
    settings,
  });
}

const knowledge = {
  foldedAtMs: 1,
  targets: { 'scripted/known': { updatedAtMs: Date.now(), attemptsPerSecond: 1, counters: { attempts: 50 } } },
};

type Probing = {
  untilMs?: number;
  budget?: ReturnType<typeof memoryProbeBudgetStore>;
  secrets?: Partial<GatewayDeps['secrets']>;
};

async function probe(snapshot: Snapshot, options: Probing = {}) {
  const { untilMs = Date.now() + 60_000, budget = memoryProbeBudgetStore(), secrets } = options;
  const lines: string[] = [];
  world = coreDeps(snapshot, {
    ...(secrets && { secrets: { get: async () => ({}), refresh: async () => ({}), ...secrets } }),
    measure: (sample) => void samples.push(sample),
    telemetry: createTelemetry({ namespace: 'Test', write: (line) => void lines.push(line), now: Date.now }),
  });
  const probed = await runProbes(
    {
      deps: world.deps,
      stats: { readKnowledge: async () => knowledge, readLive: async () => emptyLiveStats },
      budget,
      measurement: {
        probed(target, found) {
          promises[target] = found;
        },
      },
    },
    untilMs,
  );
  return { probed, lines: lines.map((line) => JSON.parse(line)) };
}

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 10));
const honest = stream(
  role,
  chunk({ content: '1, 2, 3, ' }),
  pause,
  chunk({ content: '4, 5, 6, ' }),
  pause,
  chunk({ content: '7, 8, 9' }),
  chunk({}, 'stop'),
  usageChunk({ prompt_tokens: 12, completion_tokens: 14, total_tokens: 26 }),
  done,
);

describe('a probe', () => {
  test('is a tiny streamed request, whose sample is marked and whose promises are kept', async () => {
    vendor.next(honest);

    const { probed, lines } = await probe(snapshotWith(['known', 'model-1']));

    expect(probed).toBe(1);
    expect(vendor.seen.map(({ body }) => body)).toMatchObject([{ model: 'model-1', stream: true, max_tokens: 16 }]);
    expect(vendor.seen[0]!.bytes.length).toBeLessThan(300);
    expect(samples).toMatchObject([{ target: 'scripted/model-1', outcome: 'answered', probe: true, outputTokens: 14 }]);
    expect(promises['scripted/model-1']).toMatchObject({ streams: true, echoesModel: true, reportsUsage: true });
    expect(lines).toMatchObject([{ event: 'ProbeCompleted', provider: 'scripted', outcome: 'answered', tokens: 26 }]);
  });

  test('tells a stream that only looks like one, another model, and missing usage', async () => {
    vendor.next(
      stream(
        [
          role,
          ...'123456789'.split('').map((content) => chunk({ content })),
          chunk({}, 'stop'),
          usageChunk({ prompt_tokens: 9, completion_tokens: 9 }),
          done,
        ]
          .join('')
          .replaceAll('model-1-dated', 'something-else'),
      ),
    );
    await probe(snapshotWith(['known', 'model-1']));
    expect(promises['scripted/model-1']).toMatchObject({ streams: false, echoesModel: false, reportsUsage: true });

    vendor.next(stream(chunk({ content: '1' }), chunk({}, 'stop'), done));
    await probe(snapshotWith(['known', 'model-1']));
    expect(promises['scripted/model-1']).toMatchObject({ reportsUsage: false });
    expect(promises['scripted/model-1']).not.toHaveProperty('streams');
  });

  test('that fails counts as a failure of the target, and costs no tokens', async () => {
    const budget = memoryProbeBudgetStore();
    vendor.always(answer(503, { error: { message: 'busy' } }));

    const { lines } = await probe(snapshotWith(['known', 'model-1']), { budget });

    expect(lines.at(-1)).toMatchObject({ event: 'ProbeCompleted', outcome: 'overloaded', tokens: 0 });
    expect(samples.at(-1)).toMatchObject({ outcome: 'overloaded', probe: true });
    expect(await budget.reserve('scripted/model-1', { tokens: 100, dailyTokens: 100, nowMs: Date.now() })).toBe(true);
  });

  test.each([
    ['stays silent', silence, 'timeout'],
    ['breaks off', stream(role, chunk({ content: '1, ' }), (response) => void response.destroy()), 'connection'],
    ['sends something else', answer(200, {}), 'bad_response'],
  ])('of a vendor that %s costs what it may have cost', async (_, script, outcome) => {
    const budget = memoryProbeBudgetStore();
    vendor.always(script);

    const settings = { timeouts: { firstContentMs: 50 } };
    const { lines } = await probe(snapshotWith(['known', 'model-1'], settings), { budget });

    expect(lines.at(-1)).toMatchObject({ event: 'ProbeCompleted', outcome, tokens: 64 });
    expect(await budget.reserve('scripted/model-1', { tokens: 37, dailyTokens: 100, nowMs: Date.now() })).toBe(false);
  });

  test('of a vendor that cannot be reached costs nothing', async () => {
    const providers = recordByName([['scripted', { type: 'openai-compatible', baseUrl: 'http://127.0.0.1:9' }]]);

    const { lines } = await probe({ ...snapshotWith(['known', 'model-1']), providers });

    expect(lines.at(-1)).toMatchObject({ event: 'ProbeCompleted', outcome: 'connection', tokens: 0 });
  });

  test('is not made without a budget', async () => {
    const { probed } = await probe(snapshotWith(['known', 'model-1'], { probes: { dailyTokens: 63 } }));

    expect(probed).toBe(0);
    expect(vendor.seen).toHaveLength(0);
  });

  test('is left out while the table that keeps its budget is throttled, which is told, and costs the others nothing', async () => {
    vendor.always(honest);
    const kept = memoryProbeBudgetStore();
    const throttled = Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    const budget: typeof kept = {
      reserve: async (target, wish) => {
        if (target.endsWith('model-1')) throw throttled;
        return kept.reserve(target, wish);
      },
      settle: async () => {
        throw throttled;
      },
    };

    const { probed, lines } = await probe(snapshotWith(['known', 'model-1', 'model-2']), { budget });

    expect(probed).toBe(1);
    expect(vendor.seen.map(({ body }) => body['model'])).toEqual(['model-2']);
    const told = lines.filter(({ event }) => event === 'RefreshFailed');
    expect(told).toHaveLength(2);
    expect(told[0]).toMatchObject({ of: 'probe-budget', reason: 'ThrottlingException', 'sluice.refresh.failures': 1 });
    // Nothing was given back.
    expect(await kept.reserve('scripted/model-2', { tokens: 37, dailyTokens: 100, nowMs: Date.now() })).toBe(false);
  });

  test('without a key is told, and counts as nothing that the vendor did', async () => {
    const providers = recordByName([['scripted', { type: 'openai', baseUrl: vendor.url }]]);

    const { lines } = await probe({ ...snapshotWith(['known', 'model-1']), providers }, { secrets: {} });

    expect(vendor.seen).toHaveLength(0);
    expect(lines.at(-1)).toMatchObject({ event: 'ProbeCompleted', outcome: 'no_secret', tokens: 0 });
    expect(lines.at(-1)).not.toHaveProperty('_aws');
  });

  test('is left to the next run while the keys of the vendors cannot be read, which says nothing of any target', async () => {
    const get = () => Promise.reject(new Error('out of reach'));

    const { probed, lines } = await probe(snapshotWith(['known', 'model-1']), { secrets: { get } });

    expect(probed).toBe(0);
    expect(lines).toEqual([]);
    expect(promises).toEqual({});
  });

  test('is not begun when it might not end in time', async () => {
    const { probed } = await probe(snapshotWith(['known', 'model-1']), { untilMs: Date.now() + 10_000 });

    expect(probed).toBe(0);
    expect(vendor.seen).toHaveLength(0);
  });

  test('reaches every target that is due, eight at a time', async () => {
    let running = 0;
    let most = 0;
    vendor.always(async (request, response) => {
      most = Math.max(most, ++running);
      await pause();
      running--;
      await honest(request, response);
    });
    const names = Array.from({ length: 20 }, (_, i) => `model-${i}`);

    const { probed } = await probe(snapshotWith(['known', ...names]));

    expect(probed).toBe(20);
    expect(new Set(vendor.seen.map(({ body }) => body['model']))).toEqual(new Set(names));
    expect(most).toBeLessThanOrEqual(8);
  });

  test.each(Object.entries(canaryScripts(true, vendorSecret)))(
    'writes nothing down of what is said or secret when the vendor sends %s',
    async (_, script) => {
      vendor.always(script);

      const { lines } = await probe(snapshotWith(['known', 'model-1']));

      expect(vendor.seen[0]?.headers.authorization).toContain(vendorSecret);
      expect(lines.at(-1)).toMatchObject({ event: 'ProbeCompleted', provider: 'scripted' });
      expect(JSON.stringify([lines, samples, promises])).not.toContain(canary);
    },
  );
});
