import { existsSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readCases } from './recorded-case.ts';
import { replayAll } from './replay.ts';
import { countsOf, summaryTable } from './summary.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const [folder] = positionals;
if (!folder) {
  console.error('Say which folder of recordings to replay: npm run test:recordings -- DIR [--json FILE]');
  process.exit(2);
}

if (!existsSync(folder)) {
  console.error(`There is no folder ${folder}.`);
  process.exit(2);
}

const cases = readCases(folder);
const verdicts = await replayAll(cases);
if (values.json) writeFileSync(values.json, `${JSON.stringify(verdicts, undefined, 1)}\n`);

console.log(summaryTable(cases, verdicts));
for (const { case: name, client, verdict, difference } of verdicts) {
  if (verdict === 'failed') console.log(`${name} to ${client}: ${difference?.slice(0, 400)}`);
}
const { passed, failed, skipped } = countsOf(verdicts);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || verdicts.length === 0 ? 1 : 0);
