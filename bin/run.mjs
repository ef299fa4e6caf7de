// Runs a TypeScript entry of this project, or says in one line why this Node cannot.
const [entry, ...rest] = process.argv.slice(2);
const [major, minor] = process.versions.node.split('.').map(Number);

// Node runs TypeScript by itself from 22.18 on; `npm ci` brings 24 where npm has a build of it for this machine.
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Node ${process.versions.node} cannot run this. Run \`npm ci\` here first, and start by \`npm start\`, \`npm run …\` or \`npx\`; without a Node 24 from npm for ${process.platform}-${process.arch}, install Node 24.`,
  );
  process.exit(1);
}
const { resolve } = await import('node:path');
const { pathToFileURL } = await import('node:url');
process.argv = [process.argv[0], resolve(entry), ...rest];
await import(pathToFileURL(resolve(entry)).href);
