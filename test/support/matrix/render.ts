import type { DialectName } from '../../../lambda/dialects/chat-request.ts';
import { type Cell, type Feature, features, type Matrix, type VendorRow, vendorRows } from './matrix.ts';

const signs = { unchanged: '=', holds: '✓', named: '–', impossible: '' } as const;

function signOf(cell: Cell | undefined): string {
  if (cell === undefined) return '';
  return typeof cell === 'string' ? signs[cell] : '✗';
}

/** The columns of the README: the features that people ask about first. */
const shortFeatures: readonly Feature[] = [
  ...(['text', 'tool calls', 'parallel tool calls', 'images in results', 'images', 'files', 'audio'] as const),
  ...(['reasoning', 'JSON Schema', 'stop sequences', 'seed', 'several choices', 'logprobs'] as const),
];

/** Vendors by features, in one table: vendors of which the same is true share a row. */
export function shortTable(matrix: Matrix): string {
  const rows = vendorRows([...matrix.keys()]);
  const byCells = Map.groupBy(rows, (row) =>
    shortFeatures.map((feature) => sharedSign(matrix, row, feature)).join('|'),
  );
  return table(
    ['vendors', ...shortFeatures],
    [...byCells].map(([cells, group]) => [namesOf(group, rows).join(', '), ...cells.split('|')]),
  );
}

/** A vendor whose rows are all in one group needs no word about its dialects. */
function namesOf(group: readonly VendorRow[], all: readonly VendorRow[]): string[] {
  const isWhole = (name: string) => all.filter((row) => row.name === name).every((row) => group.includes(row));
  return [...new Set(group.map(({ name, label }) => (isWhole(name) ? name : label)))];
}

/** The sign that holds with the callers of every dialect who can ask for it; both where they differ. */
function sharedSign(matrix: Matrix, { spoken }: VendorRow, feature: Feature): string {
  const cells = [...spoken].map(([client, vendor]) => signOf(matrix.get(client)?.get(vendor)?.get(feature)));
  const said = [...new Set(cells.filter((sign) => sign !== '').map((sign) => (sign === '=' ? '✓' : sign)))];
  return said.toSorted().join(' ');
}

/** Who is called in which dialect, and for callers of each what becomes of every feature. */
export function wholeTables(matrix: Matrix): string {
  const clients = [...matrix.keys()];
  const spoken = vendorRows(clients).map(({ label, spoken: by }) => [
    label,
    ...clients.map((client) => (by.get(client) === client ? `**${client}**` : (by.get(client) ?? ''))),
  ]);
  const parts = clients.map((client) => `## Callers of ${client}\n\n${clientTable(matrix, client)}`);
  return ['## Who is called in which dialect', table(['', ...clients], spoken), ...parts].join('\n\n');
}

function clientTable(matrix: Matrix, client: DialectName): string {
  const byVendor = matrix.get(client) ?? new Map();
  const rows = features.map((feature) => [
    feature,
    ...[...byVendor.values()].map((cells: ReadonlyMap<Feature, Cell>) => signOf(cells.get(feature))),
  ]);
  return table(
    ['', ...byVendor.keys()],
    rows.filter((row) => row.slice(1).some((sign) => sign !== '')),
  );
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : ':-:'))), ...rows.map(line)].join('\n');
}

/** The text with what stands between the two markers replaced. Throws when they are not there. */
export function withGenerated(text: string, name: string, generated: string): string {
  const [begin, end] = [`<!-- ${name}: written by npm run matrix -->`, `<!-- end of ${name} -->`];
  const [start, stop] = [text.indexOf(begin), text.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`The markers of "${name}" are missing`);
  return `${text.slice(0, start + begin.length)}\n\n${generated}\n\n${text.slice(stop)}`;
}
