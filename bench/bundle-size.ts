import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of a bundle: of all its files, and of those that are loaded before the first request. */
export type BundleSize = { totalBytes: number; initBytes: number };

export function bundleSize(directory: string): BundleSize {
  const bytesOf = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  return { totalBytes: bytesOf(readdirSync(directory)), initBytes: bytesOf(initFiles(directory)) };
}

/** Names of the files that are loaded before the first request: follows the imports from `index.mjs` that are not on demand. */
export function initFiles(directory: string): string[] {
  const files = readdirSync(directory);
  const initial = new Set(['index.mjs']);
  for (const name of initial) {
    const text = readFileSync(join(directory, name), 'utf8');
    for (const [, imported = ''] of text.matchAll(/(?:\bfrom|\bimport)\s*"\.\/([^"]+)"/g)) {
      if (files.includes(imported)) initial.add(imported);
    }
  }
  return [...initial];
}
