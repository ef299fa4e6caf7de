import { type ModelConfig, recordByName, type Snapshot } from '../lambda/config/snapshot.ts';
import { foldScores } from '../lambda/routing/fold-scores.ts';
import { noKnowledge } from '../lambda/routing/knowledge.ts';
import { planAttempts } from '../lambda/routing/plan-attempts.ts';
import { createSampleBuffer } from '../lambda/routing/sample-slice.ts';
import { scoresOf } from '../lambda/routing/scores-of.ts';

/** What a plan for ten measured targets costs, and that it does not matter how many models are configured. */
const mostMicroseconds = 30;
const mostGrowth = 1.2;
const targetCount = 10;
const plansPerRound = 2_000;
const rounds = 15;

function snapshotOf(models: number): Snapshot {
  const model = (name: string): ModelConfig => ({
    targets: Array.from({ length: targetCount }, (_, i) => ({ provider: `p${i}`, model: name, weight: 1 })),
    strategy: 'latency',
    fallbacks: [],
    timeouts: {},
  });
  const names = Array.from({ length: models }, (_, i) => `model-${i}`);
  return {
    version: 1,
    compiledAt: '2026-01-01T00:00:00.000Z',
    providers: recordByName([]),
    models: recordByName(names.map((name) => [name, model(name)])),
    settings: {},
  };
}

function microsecondsPerPlan(snapshot: Snapshot): number {
  const nowMs = 1_800_000_000_000;
  const buffer = createSampleBuffer();
  for (let i = 0; i < targetCount; i++)
    for (let n = 0; n < 50; n++)
      buffer.add({
        target: `p${i}/model-0`,
        atMs: nowMs,
        streamed: true,
        promptSize: 'small',
        outcome: 'answered',
        retry: false,
        waitMs: 300 + 60 * i + n,
      });
  const live = { scores: scoresOf(foldScores(noKnowledge, buffer.take(), nowMs)), breakers: {} };
  const model = { name: 'model-0', ...(snapshot.models['model-0'] as ModelConfig) };
  const request = { stream: true, inputTokens: 500, maxOutputTokens: undefined, bodyBytes: 2_000, conversation: 'c' };
  const startedNs = process.hrtime.bigint();
  for (let i = 0; i < plansPerRound; i++)
    planAttempts({ snapshot, model, live, request, nowMs: nowMs + 1_000, entropy: (i * 0.618_033_988_749) % 1 });
  return Number(process.hrtime.bigint() - startedNs) / 1_000 / plansPerRound;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const few = snapshotOf(1);
const many = snapshotOf(10_000);
for (let round = 0; round < 5; round++) [few, many].map(microsecondsPerPlan);
const measured = Array.from({ length: rounds }, () => [microsecondsPerPlan(few), microsecondsPerPlan(many)] as const);
const own = median(measured.map(([one]) => one));
const growth = median(measured.map(([one, other]) => other / one));
const verdict = (holds: boolean) => (holds ? 'PASS' : 'FAIL');
console.log(
  `${verdict(own <= mostMicroseconds)}  a plan for ${targetCount} targets: ${own.toFixed(1)} µs at the median (limit ${mostMicroseconds})`,
);
console.log(
  `${verdict(growth <= mostGrowth)}  with 10000 models configured: ${growth.toFixed(2)} x that (limit ${mostGrowth})`,
);
process.exit(own <= mostMicroseconds && growth <= mostGrowth ? 0 : 1);
