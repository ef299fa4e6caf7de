import type { Verdict } from '../../recordings/replay.ts';
import { countsOf } from '../../recordings/summary.ts';
import { table } from './render.ts';

/** How many recorded answers reached the callers of each dialect, by vendor. */
export function recordingsTable(verdicts: readonly Verdict[]): string {
  const clients = [...new Set(verdicts.map(({ client }) => client))];
  const byVendor = Map.groupBy(verdicts, (one) => one.case.split('/')[0] ?? '');
  const rows = [...byVendor].map(([vendor, those]) => [
    vendor,
    ...clients.map((client) => shareOf(those.filter((one) => one.client === client))),
    String(casesWithout(those)),
  ]);
  return table(['', ...clients, 'no conversation'], rows);
}

/** Cases with nobody to tell them to: lists of models, embeddings, and others that are no conversation. */
function casesWithout(verdicts: readonly Verdict[]): number {
  const told = new Set(verdicts.filter(({ verdict }) => verdict !== 'skipped').map((one) => one.case));
  return new Set(verdicts.map((one) => one.case).filter((name) => !told.has(name))).size;
}

function shareOf(verdicts: readonly Verdict[]): string {
  const { passed, failed } = countsOf(verdicts);
  return `${passed}/${passed + failed}`;
}
