import { lowestLastSample, lowestMeanOfTen, oracle, peakEwma, randomChoice, roundRobin } from './competitors.ts';
import { ours } from './ours.ts';
import { type SimulationResult, simulate } from './simulate.ts';
import { verdictOf } from './verdict.ts';
import { worlds } from './worlds.ts';

/** A function's environment answers one request at a time: 20 a second that stream for 5 s each keep 100 of them busy. */
const options = { gateways: 100, requestsPerSecond: 20, seconds: 600, seed: 0.42 };
const policies = [ours, roundRobin, randomChoice, lowestLastSample, lowestMeanOfTen, peakEwma, oracle];

const whole = (ms: number) => String(Math.round(ms)).padStart(7);

function row({ policy, meanMs, p95Ms, p99Ms, failures, shares }: SimulationResult): string {
  const told = Object.entries(shares).map(([target, share]) => `${target} ${Math.round(share * 100)}%`);
  return `${policy.padEnd(20)}${whole(meanMs)}${whole(p95Ms)}${whole(p99Ms)}${String(failures).padStart(7)}   ${told.join('  ')}`;
}

console.log(
  `${options.gateways} gateways, ${options.requestsPerSecond} requests a second, ${options.seconds} s of each world, seed ${options.seed}`,
);
const results = [];
for (const world of worlds) {
  console.log(`\n${world.name.padEnd(20)}   mean    p95    p99 failed   share of first attempts`);
  const rows = [];
  for (const policy of policies) {
    const result = await simulate(world, policy, options);
    rows.push(result);
    console.log(row(result));
  }
  results.push({ world: world.name, rows });
}
const { lines, holds } = verdictOf(results);
console.log(`\n${lines.join('\n')}`);
process.exit(holds ? 0 : 1);
