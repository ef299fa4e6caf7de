import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A caller key made at random. With a data directory it is made once and kept there, as the rest of the state is. */
export function findApiKey(dataDirectory: string | undefined): string {
  const made = `sk-sluice-${randomBytes(24).toString('base64url')}`;
  if (!dataDirectory) return made;
  const file = join(dataDirectory, 'api-key');
  try {
    writeFileSync(file, `${made}\n`, { flag: 'wx', mode: 0o600 });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readFileSync(file, 'utf8').trim();
  }
}
