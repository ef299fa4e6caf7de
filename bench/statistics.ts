/** The middle one of several measurements. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** What of two things was measured in the same rounds, by the ratio in each: both met the same state of the machine. */
export function medianRatio(values: readonly number[], floor: readonly number[]): number {
  return median(values.map((value, round) => value / (floor[round] ?? Number.NaN)));
}

/** One line of a verdict, and whether it holds. */
export function verdict(holds: boolean, text: string): boolean {
  console.log(`${holds ? 'PASS' : 'FAIL'}  ${text}`);
  return holds;
}
