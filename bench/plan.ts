// What the plan of a request costs: `npm run bench:plan`.
import { type PlanCase, planCases, planner, targetCount } from './plan-cases.ts';
import { median, verdict } from './statistics.ts';

const mostMicroseconds = 30;
/** 30 µs where the floor takes 3; how a process happens to compile the planner makes up to half of that. */
const mostOfFloor = 10;
const mostGrowth = 1.2;
const manyModels = 10_000;
const plansPerBatch = 200;
const batchesPerRound = 9;
const rounds = 15;
const warmUpRounds = 4;

type Subject = { name: string; run(entropy: number): unknown; samples: number[] };

/** A list as long as the targets in JSON, read and sorted: it has nothing to do with the gateway, and shows what the machine is worth now. */
const floorText = JSON.stringify(
  Array.from({ length: targetCount }, (_, i) => ({ name: `p${i}/model-0`, waitMs: (i * 7) % targetCount, weight: 1 })),
);
const readAndSort = () => (JSON.parse(floorText) as { waitMs: number }[]).sort((a, b) => a.waitMs - b.waitMs);

/** The median of a few batches, in microseconds: what the machine does besides spoils some of them, not most. */
function measureOnce({ run }: Subject): number {
  const batches = Array.from({ length: batchesPerRound }, () => {
    const began = process.hrtime.bigint();
    for (let i = 0; i < plansPerBatch; i++) run((i * 0.618_033_988_749) % 1);
    return Number(process.hrtime.bigint() - began) / 1_000 / plansPerBatch;
  });
  return median(batches);
}

function subjectOf(planCase: PlanCase, models?: number): Subject {
  const { read, plan } = planner(planCase, models);
  const wish = read();
  if (plan(wish, 0).attempts.length < 2) throw new Error(`Too few targets are planned for ${planCase.name}`);
  return { name: planCase.name, run: (entropy) => plan(wish, entropy), samples: [] };
}

const floor: Subject = { name: 'floor', run: readAndSort, samples: [] };
const reading: Subject = { name: 'reading the request', run: planner({ name: 'usual' }).read, samples: [] };
const [usual, ...others] = planCases.map((planCase) => subjectOf(planCase)) as [Subject, ...Subject[]];
const many = subjectOf({ name: `${manyModels} models` }, manyModels);
const subjects = [floor, reading, usual, many, ...others];
for (let round = 0; round < warmUpRounds; round++) subjects.forEach(measureOnce);
// In turns, so that a slow moment of the machine meets all alike.
for (let round = 0; round < rounds; round++) for (const subject of subjects) subject.samples.push(measureOnce(subject));

/** The best round: what it costs when nobody else has the processor. */
const best = ({ samples }: Subject) => Math.min(...samples);
const toFloor = best(usual) / best(floor);
/** A machine that is slow for everything must not look like a planner that has become slow. */
const limit = Math.max(mostMicroseconds, mostOfFloor * best(floor));
const growth = best(many) / best(usual);

console.log(`${targetCount} targets, the best of ${rounds} medians each, and how many times the floor that is`);
for (const subject of [floor, reading, usual, ...others]) {
  const ratio = `(${(best(subject) / best(floor)).toFixed(1)} ×)`;
  console.log(`      ${subject.name.padEnd(26)} ${best(subject).toFixed(1).padStart(6)} µs ${ratio.padStart(9)}`);
}
const held = [
  verdict(
    best(usual) <= limit,
    `a plan for ${targetCount} targets: ${best(usual).toFixed(1)} µs at the median (limit ${limit.toFixed(0)})`,
  ),
  verdict(toFloor <= mostOfFloor, `that is ${toFloor.toFixed(2)} x the floor of the same run (limit ${mostOfFloor})`),
  verdict(
    growth <= mostGrowth,
    `with ${manyModels} models configured: ${growth.toFixed(2)} x that (limit ${mostGrowth})`,
  ),
];
process.exit(held.every(Boolean) ? 0 : 1);
