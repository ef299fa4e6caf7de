// Imports one bundle as the Lambda runtime does and reports on file descriptor 3. Plain JavaScript: Node's type
// stripping would weigh more than what is measured.
//   node cold-child.mjs BUNDLE VARIABLE [EVENT]
// VARIABLE is the one that the bundle's entry asks for first, after all that it imports was loaded. With an EVENT, waits
// for a byte on standard input after init, then handles that event as the first request.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
// What aws-lambda-ric 4 has loaded by the time it imports a handler.
for (const name of ['fs', 'http', 'net', 'os', 'path', 'util', 'worker_threads']) require(`node:${name}`);
const { readSync, writeSync } = require('node:fs');
const { Writable } = require('node:stream');

const [bundle, variable, event] = process.argv.slice(2);
let loaded;
let status;

process.env = new Proxy(process.env, {
  get(environment, name) {
    if (name === variable) loaded ??= elapsed();
    return environment[name];
  },
});
globalThis.awslambda = {
  streamifyResponse: (handler) => handler,
  HttpResponseStream: {
    from(stream, metadata) {
      status = metadata.statusCode;
      return stream;
    },
  },
};

const { handler } = await import(pathToFileURL(bundle).href);
const ready = elapsed();
report({ loaded: loaded ?? ready, ready, undici: process.moduleLoadList.some((name) => name.includes('undici')) });
if (event) await firstRequest(JSON.parse(event));
process.exit(0);

async function firstRequest(request) {
  readSync(0, Buffer.alloc(1));
  const chunks = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
    final(done) {
      const answeredAtMs = performance.timeOrigin + performance.now();
      report({ status, body: Buffer.concat(chunks).toString(), answeredAtMs });
      done();
    },
  });
  stream.setContentType = () => undefined;
  await handler(request, stream, { awsRequestId: 'bench', getRemainingTimeInMillis: () => 60_000 });
}

/** Milliseconds since the process began, by the clock and of processor time. */
function elapsed() {
  const { user, system } = process.cpuUsage();
  return { wallMs: performance.now(), cpuMs: (user + system) / 1000 };
}

function report(value) {
  writeSync(3, `${JSON.stringify(value)}\n`);
}
