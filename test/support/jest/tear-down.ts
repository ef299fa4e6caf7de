import { rmSync } from 'node:fs';
import { buildsVariable } from '../built-once.ts';

/** After a run of tests: nothing is left of what its suites shared. */
export default function tearDown(): void {
  rmSync(process.env[buildsVariable] ?? '', { recursive: true, force: true });
}
