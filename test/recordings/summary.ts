import type { RecordedCase } from './recorded-case.ts';
import type { Verdict } from './replay.ts';

export type Counts = { passed: number; failed: number; skipped: number };

export function countsOf(verdicts: readonly Verdict[]): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { verdict } of verdicts) counts[verdict]++;
  return counts;
}

/** A table of features by vendors, each cell `passed/failed/skipped`, and why cases were skipped. */
export function summaryTable(cases: readonly RecordedCase[], verdicts: readonly Verdict[]): string {
  const byCase = Map.groupBy(verdicts, (one) => one.case);
  const vendors = [...new Set(cases.map(({ vendor }) => vendor))].sort();
  const features = [...new Set(cases.flatMap((one) => one.features))].sort();
  const cell = (vendor: string, feature: string | undefined) => {
    const those = cases.filter((one) => one.vendor === vendor && (!feature || one.features.includes(feature)));
    const { passed, failed, skipped } = countsOf(those.flatMap(({ name }) => byCase.get(name) ?? []));
    return those.length === 0 ? '' : `${passed}/${failed}/${skipped}`;
  };
  const rows = [
    ['passed/failed/skipped', ...vendors],
    ...features.map((feature) => [feature, ...vendors.map((vendor) => cell(vendor, feature))]),
    ['all', ...vendors.map((vendor) => cell(vendor, undefined))],
  ];
  const skips = Map.groupBy(
    verdicts.filter(({ verdict }) => verdict === 'skipped'),
    ({ difference = '' }) => difference,
  );
  const reasons = [...skips].map(([why, those]) => `skipped ${those.length}: ${why}`);
  return [aligned(rows), ...reasons].join('\n');
}

function aligned(rows: readonly string[][]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
