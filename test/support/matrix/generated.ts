import { readFileSync } from 'node:fs';
import { endpointsTable } from './endpoints-table.ts';
import { type Matrix, measureMatrix } from './matrix.ts';
import { shortTable, wholeTables, withGenerated } from './render.ts';

/** The documents with tables in them as the suite would write them now. */
export async function generatedFiles(matrix?: Matrix): Promise<{ path: string; text: string }[]> {
  const measured = matrix ?? (await measureMatrix());
  const write = (path: string, name: string, table: string) => ({
    path,
    text: withGenerated(readFileSync(path, 'utf8'), name, table),
  });
  return [
    write('README.md', 'vendors', shortTable(measured)),
    write('docs/dialects.md', 'dialects', wholeTables(measured)),
    write('docs/endpoints.md', 'endpoints', endpointsTable()),
  ];
}
