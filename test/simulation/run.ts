import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { lowestLastSample, lowestMeanOfTen, oracle, peakEwma, randomChoice, roundRobin } from './competitors.ts';
import { ours } from './ours.ts';
import { type SimulationOptions, type SimulationResult, simulate } from './simulate.ts';
import { verdictOf, type WorldResult } from './verdict.ts';
import { worlds } from './worlds.ts';

const policies = [ours, roundRobin, randomChoice, lowestLastSample, lowestMeanOfTen, peakEwma, oracle];

const { values } = parseArgs({
  options: {
    /** A function's environment answers one request at a time: 20 a second that stream for 5 s each keep 100 of them busy. */
    gateways: { type: 'string', default: '100' },
    /** From 0 to 1: the luck of the run. */
    seed: { type: 'string', default: '0.42' },
    /** Many fleets and seeds, and of each only whether the promise holds. */
    sweep: { type: 'boolean', default: false },
    /** Fails too when the document that shows the numbers of this run shows others. */
    documented: { type: 'boolean', default: false },
  },
});

const whole = (ms: number) => String(Math.round(ms)).padStart(7);

function row({ policy, meanMs, p95Ms, p99Ms, failures, shares }: SimulationResult): string {
  const told = Object.entries(shares).map(([target, share]) => `${target} ${Math.round(share * 100)}%`);
  return `${policy.padEnd(20)}${whole(meanMs)}${whole(p95Ms)}${whole(p99Ms)}${String(failures).padStart(7)}   ${told.join('  ')}`;
}

async function run(options: SimulationOptions, print: (line: string) => void): Promise<WorldResult[]> {
  const results = [];
  for (const world of worlds) {
    print(`\n${world.name.padEnd(20)}   mean    p95    p99 failed   share of first attempts`);
    const rows = [];
    for (const policy of policies) {
      const result = await simulate(world, policy, options);
      rows.push(result);
      print(row(result));
    }
    results.push({ world: world.name, rows });
  }
  return results;
}

function optionsOf(gateways: number, seed: number): SimulationOptions {
  return { gateways, requestsPerSecond: 20, seconds: 600, seed };
}

function introduced({ gateways, requestsPerSecond, seconds, seed }: SimulationOptions): string {
  return `${gateways} gateways, ${requestsPerSecond} requests a second, ${seconds} s of each world, seed ${seed}`;
}

/** Prints everything of one run, and whether it keeps what is promised. */
async function one(gateways: number, seed: number): Promise<boolean> {
  const options = optionsOf(gateways, seed);
  const printed: string[] = [];
  const print = (line: string) => {
    console.log(line);
    printed.push(...line.split('\n'));
  };
  print(introduced(options));
  const { lines, holds } = verdictOf(await run(options, print));
  print(`\n${lines.join('\n')}`);
  return (!values.documented || isDocumented(printed)) && holds;
}

/** The numbers depend on nothing but the code and the seed: where the document shows others, it is out of date. */
function isDocumented(printed: readonly string[]): boolean {
  const path = 'docs/routing.md';
  const document = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  if (document.includes(printed.join('\n'))) return true;
  const shown = new Set(document.split('\n'));
  console.error(
    `${path} does not show this run. First line that it lacks: ${printed.find((line) => !shown.has(line))}`,
  );
  return false;
}

const fleets = [20, 50, 100, 200];
const seeds = [0.03, 0.17, 0.29, 0.42, 0.77];

async function sweep(): Promise<boolean> {
  let held = true;
  for (const gateways of fleets) {
    for (const seed of seeds) {
      const { lines, holds, highestRatio } = verdictOf(await run(optionsOf(gateways, seed), () => {}));
      console.log(
        `${gateways} gateways, seed ${seed}: at most ${highestRatio.toFixed(3)} x the oracle's mean, ${lines.at(-1)}`,
      );
      held &&= holds;
    }
  }
  return held;
}

const [gateways, seed] = [Number(values.gateways), Number(values.seed)];
if (!Number.isInteger(gateways) || gateways < 1 || !(seed >= 0 && seed < 1)) {
  console.error('--gateways takes a whole number from 1, --seed a number from 0 and below 1');
  process.exit(2);
}
process.exit((values.sweep ? await sweep() : await one(gateways, seed)) ? 0 : 1);
