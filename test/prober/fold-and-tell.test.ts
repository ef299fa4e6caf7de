import { expect, test } from '@jest/globals';
import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import { foldAndTell } from '../../lambda/prober/fold-and-tell.ts';
import type { Breaker } from '../../lambda/routing/breaker.ts';
import { memoryStatsStore } from '../../lambda/store/memory-stats-store.ts';
import type { StatsStore } from '../../lambda/store/stats-store.ts';
import { createTelemetry } from '../../lambda/telemetry/telemetry.ts';
import { emittedMetrics } from '../support/emitted-metrics.ts';
import { aSample, slicesOf } from '../support/samples.ts';
import { aModel, aSnapshot } from '../support/snapshots.ts';

const nowMs = Date.UTC(2026, 10, 26, 3);
const opened = { openedAtMs: nowMs - 5_000, openings: 1, reason: 'overloaded' } as const;

/** The lines of one run of the prober. */
async function linesOf(snapshot: Snapshot, stats: StatsStore): Promise<string[]> {
  const lines: string[] = [];
  await foldAndTell({
    stats,
    snapshot: async () => snapshot,
    telemetry: createTelemetry({ namespace: 'Test', write: (line) => void lines.push(line), now: () => nowMs }),
    now: () => nowMs,
  });
  return lines;
}

/** What the prober says when these breakers are open. */
async function told(snapshot: Snapshot, breakers: Record<string, Pick<Breaker, 'openUntilMs' | 'leasedUntilMs'>>) {
  const stats = memoryStatsStore();
  for (const [target, until] of Object.entries(breakers)) stats.breakers.set(target, { ...opened, ...until });
  const lines = await linesOf(snapshot, stats);
  const line = lines.find((each) => each.includes('"ScoresFolded"')) ?? '{}';
  const [metric] = emittedMetrics(line);
  return { named: JSON.parse(line).modelsWithoutTarget as string[], counted: metric?.value, length: line.length };
}

test('a model counts as without a target while all that it may end at are down', async () => {
  const snapshot = aSnapshot({
    models: recordByName([
      ['alone', aModel('openai')],
      ['saved', { ...aModel('openai'), fallbacks: ['other'] }],
      ['other', aModel('azure')],
    ]),
  });
  const [target] = snapshot.models['alone']!.targets;

  const result = await told(snapshot, { [`${target!.provider}/${target!.model}`]: { openUntilMs: nowMs + 5_000 } });

  expect(result).toMatchObject({ named: ['alone'], counted: 1 });
});

test.each<[string, 'counts' | 'is well', Pick<Breaker, 'openUntilMs' | 'leasedUntilMs'>]>([
  ['has to rest', 'counts', { openUntilMs: nowMs + 1 }],
  ['may be tried since a moment ago', 'counts', { openUntilMs: nowMs - 44_000 }],
  ['might have been tried long ago, and was not', 'is well', { openUntilMs: nowMs - 46_000 }],
  ['is being tried', 'counts', { openUntilMs: nowMs - 90_000, leasedUntilMs: nowMs + 1 }],
  ['was tried a moment ago, with no end yet', 'counts', { openUntilMs: nowMs - 90_000, leasedUntilMs: nowMs - 44_000 }],
  ['was last tried long ago', 'is well', { openUntilMs: nowMs - 90_000, leasedUntilMs: nowMs - 46_000 }],
])('a model whose only target %s %s', async (_, verdict, breaker) => {
  const snapshot = aSnapshot({ models: recordByName([['alone', aModel('openai')]]) });

  expect(await told(snapshot, { 'openai/gpt-4o': breaker })).toMatchObject({ counted: verdict === 'counts' ? 1 : 0 });
});

test('an outage of thousands of models is counted in full, and its line stays short', async () => {
  const models = Array.from({ length: 10_000 }, (_, i) => [`team-${i}/a-model-with-a-name`, aModel('openai')] as const);
  const snapshot = aSnapshot({ models: recordByName(models.map(([name, model]) => [name, model])) });
  const [target] = models[0]![1].targets;

  const result = await told(snapshot, { [`${target!.provider}/${target!.model}`]: { openUntilMs: nowMs + 5_000 } });

  expect(result.counted).toBe(10_000);
  expect(result.length).toBeLessThan(2_000);
});

test('a score is counted by its model where a model or a rule names the target, and as other elsewhere', async () => {
  const model = (name: string) => ({ provider: 'openai', model: name, weight: 1 });
  const rules = [{ use: { targets: [model('by-rule')] } }];
  const targets = [model('plain'), model('modèle')];
  const snapshot = aSnapshot({ models: recordByName([['one', { ...aModel('openai'), targets, rules }]]) });
  const asked = ['plain', 'by-rule', 'made-up', 'modèle'];
  const atMs = nowMs - 20_000;
  const slices = slicesOf(...asked.map((name) => aSample({ atMs, target: `openai/${name}` })));
  const stats = memoryStatsStore();
  await stats.writeSamples({ name: 'a-gateway', atMs, slices });

  const lines = (await linesOf(snapshot, stats)).filter((line) => line.includes('"TargetScored"'));

  const counted = lines.map((line) => [JSON.parse(line).targetModel, emittedMetrics(line)[0]?.dimensions['model']]);
  expect(Object.fromEntries(counted)).toEqual({
    ...{ plain: 'plain', 'by-rule': 'by-rule', 'made-up': 'other' },
    // CloudWatch takes no such name.
    modèle: 'other',
  });
});
