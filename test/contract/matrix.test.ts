import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { catalogue } from '../../lambda/providers/catalogue.ts';
import { generatedFiles } from '../support/matrix/generated.ts';
import { type Matrix, measureMatrix, translatingClients, vendorRows } from '../support/matrix/matrix.ts';

describe('between callers and vendors of all dialects', () => {
  let matrix: Matrix;
  beforeAll(async () => {
    matrix = await measureMatrix();
  });

  test('nothing is lost without being named', () => {
    const lost = [...matrix].flatMap(([client, byVendor]) =>
      [...byVendor].flatMap(([vendor, cells]) =>
        [...cells].flatMap(([feature, cell]) =>
          typeof cell === 'string' ? [] : [`${client}, ${vendor}, ${feature}: ${cell.lost.join('; ')}`],
        ),
      ),
    );

    expect(lost).toEqual([]);
  });

  test('every vendor of the catalogue has its row, and is reached from every dialect', async () => {
    const clients = (await translatingClients()).map(({ name }) => name);
    const rows = vendorRows(clients);

    expect(new Set(rows.map(({ name }) => name))).toEqual(new Set(catalogue.map(({ name }) => name)));
    for (const { spoken } of rows) expect([...spoken.keys()]).toEqual(clients);
  });

  test('the tables in the documents say what was measured; `npm run matrix` writes them', async () => {
    for (const { path, text } of await generatedFiles(matrix)) expect(readFileSync(path, 'utf8')).toBe(text);
  });
});
