// Runs an entry of this project on a Node that can: `node bin/run.mjs [options of Node] FILE [arguments]`.
//
// Node runs TypeScript by itself from 22.18 on. `npm ci` brings Node 24 for the machine along and, with npm 11, puts it
// on the path of npm scripts; npm 10 leaves it in its package, where it is found here.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const args = process.argv.slice(2);
const [major, minor] = process.versions.node.split('.').map(Number);
const isNewEnough = major > 22 || (major === 22 && minor >= 18);

if (isNewEnough && !args[0].startsWith('-')) {
  process.argv = [process.argv[0], resolve(args[0]), ...args.slice(1)];
  await import(pathToFileURL(process.argv[1]).href);
} else runAsChild(isNewEnough ? process.execPath : bundledNode());

/** The Node 24 that `npm ci` installed for this machine. */
function bundledNode() {
  const machine = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const paths = [`node-${machine}`, `node-bin-${machine}`].map((name) =>
    fileURLToPath(new URL(`../node_modules/${name}/bin/${file}`, import.meta.url)),
  );
  const found = paths.find((path) => existsSync(path));
  if (found) return found;
  console.error(
    `Node ${process.versions.node} is too old, and there is no newer one here: run \`npm ci\`, or install Node 24 (for ${machine} npm may have none).`,
  );
  process.exit(1);
}

/** Passes signals on and ends as the child does. */
function runAsChild(node) {
  const child = spawn(node, args, { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; the child decides what it means.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
