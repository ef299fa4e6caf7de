import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildsVariable } from '../built-once.ts';

/** Before a run of tests: an empty directory for what its suites share. */
export default function setUp(): void {
  process.env[buildsVariable] = mkdtempSync(join(tmpdir(), 'sluice-builds-'));
}
