import { expect, test } from '@jest/globals';
import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import { foldAndTell } from '../../lambda/prober/fold-and-tell.ts';
import { forgottenAfterMs } from '../../lambda/routing/breaker.ts';
import { memoryStatsStore } from '../../lambda/store/memory-stats-store.ts';
import { createTelemetry } from '../../lambda/telemetry/telemetry.ts';
import { emittedMetrics } from '../support/emitted-metrics.ts';
import { aModel, aSnapshot } from '../support/snapshots.ts';

const nowMs = Date.UTC(2026, 10, 26, 3);
const opened = { openedAtMs: nowMs - 5_000, openings: 1, reason: 'overloaded' } as const;

/** What the prober says when the breakers of these targets will be tried again at that time. */
async function told(snapshot: Snapshot, breakers: Record<string, number>) {
  const lines: string[] = [];
  const stats = memoryStatsStore();
  for (const [target, openUntilMs] of Object.entries(breakers)) stats.breakers.set(target, { ...opened, openUntilMs });
  await foldAndTell({
    stats,
    snapshot: async () => snapshot,
    telemetry: createTelemetry({ namespace: 'Test', write: (line) => void lines.push(line), now: () => nowMs }),
    now: () => nowMs,
  });
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

  const result = await told(snapshot, { [`${target!.provider}/${target!.model}`]: nowMs + 5_000 });

  expect(result).toMatchObject({ named: ['alone'], counted: 1 });
});

test('a breaker that nobody has tried for long wakes nobody, though its item is still there', async () => {
  const snapshot = aSnapshot({ models: recordByName([['alone', aModel('openai')]]) });
  const [target] = snapshot.models['alone']!.targets;
  const name = `${target!.provider}/${target!.model}`;

  expect(await told(snapshot, { [name]: nowMs - forgottenAfterMs + 1 })).toMatchObject({ counted: 1 });
  expect(await told(snapshot, { [name]: nowMs - forgottenAfterMs - 1 })).toMatchObject({ named: [], counted: 0 });
});

test('an outage of thousands of models is counted in full, and its line stays short', async () => {
  const models = Array.from({ length: 10_000 }, (_, i) => [`team-${i}/a-model-with-a-name`, aModel('openai')] as const);
  const snapshot = aSnapshot({ models: recordByName(models.map(([name, model]) => [name, model])) });
  const [target] = models[0]![1].targets;

  const result = await told(snapshot, { [`${target!.provider}/${target!.model}`]: nowMs + 5_000 });

  expect(result.counted).toBe(10_000);
  expect(result.length).toBeLessThan(2_000);
});
