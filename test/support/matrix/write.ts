// Writes the tables of what works with which vendor: `npm run matrix [-- RECORDINGS.json]`, where the file is what
// `npm run test:recordings -- DIR --json FILE` made.
import { readFileSync, writeFileSync } from 'node:fs';
import { generatedFiles } from './generated.ts';
import { recordingsTable } from './recordings-table.ts';
import { withGenerated } from './render.ts';

for (const { path, text } of await generatedFiles()) writeFileSync(path, text);

const [recordings] = process.argv.slice(2);
if (recordings) {
  const path = 'docs/dialects.md';
  const table = recordingsTable(JSON.parse(readFileSync(recordings, 'utf8')));
  writeFileSync(path, withGenerated(readFileSync(path, 'utf8'), 'recordings', table));
}
