import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of a bundle: of all its files, and of those that are loaded before the first request. */
export type BundleSize = { totalBytes: number; initBytes: number };

/** Follows the imports from `index.mjs` that are not on demand. */
export function bundleSize(directory: string): BundleSize {
  const files = readdirSync(directory);
  const bytesOf = (names: Iterable<string>) =>
    [...names].reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  const initial = new Set(['index.mjs']);
  for (const name of initial) {
    const text = readFileSync(join(directory, name), 'utf8');
    for (const [, imported = ''] of text.matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"]+)"/g)) {
      if (files.includes(imported)) initial.add(imported);
    }
  }
  return { totalBytes: bytesOf(files), initBytes: bytesOf(initial) };
}
