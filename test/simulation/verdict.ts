import type { SimulationResult } from './simulate.ts';

export type WorldResult = { world: string; rows: readonly SimulationResult[] };

/** In so many worlds at least ours has to be the best that does not know the world, on the mean and on p95. */
const leastBest = 7;
/** And in every world its mean within this many times of the oracle's. */
const mostOfOracle = 1.15;

/** Says in words whether ours keeps what is promised of it. */
export function verdictOf(results: readonly WorldResult[]): { lines: string[]; holds: boolean; highestRatio: number } {
  const verdicts = results.map(({ world, rows }) => {
    const find = (name: string) => rows.find(({ policy }) => policy === name)!;
    const [own, oracle] = [find('ours'), find('oracle')];
    const others = rows.filter(({ policy }) => policy !== 'ours' && policy !== 'oracle');
    const best = others.every(({ meanMs, p95Ms }) => own.meanMs <= meanMs && own.p95Ms <= p95Ms);
    const worst = others.every(({ meanMs }) => own.meanMs >= meanMs) || others.every(({ p95Ms }) => own.p95Ms >= p95Ms);
    const ratio = own.meanMs / oracle.meanMs;
    return { world, best, worst, ratio };
  });
  const lines = verdicts.map(
    ({ world, best, worst, ratio }) =>
      `${world.padEnd(20)}${best ? 'best on mean and p95' : 'not the best'}${worst ? ', the worst' : ''}; ${ratio.toFixed(3)} x the oracle's mean`,
  );
  const bests = verdicts.filter(({ best }) => best).length;
  const highestRatio = Math.max(...verdicts.map(({ ratio }) => ratio));
  const isNear = highestRatio <= mostOfOracle;
  const isWorst = verdicts.some(({ worst }) => worst);
  const holds = bests >= Math.min(leastBest, results.length) && isNear && !isWorst;
  lines.push(
    `best in ${bests} of ${results.length} worlds (at least ${leastBest}); ${holds ? 'holds' : 'DOES NOT HOLD'}`,
  );
  return { lines, holds, highestRatio };
}
