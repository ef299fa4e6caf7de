import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { assembleGateway } from './assemble-gateway.ts';
import { libraryFacts } from './compiler/library-facts.ts';
import { publishConfiguration } from './compiler/publish-configuration.ts';
import { type ConfigFile, parseConfigFile } from './config/config-file.ts';
import { ConfigFileError } from './config/config-text.ts';
import { configFromEnvironment } from './config/environment-config.ts';
import { environmentNames } from './environment.ts';
import { nodeHttpServer } from './hosts/node-http.ts';
import { demoItems, startDemoVendor } from './providers/demo-vendor.ts';
import { roleCredentials } from './providers/role-credentials.ts';
import { memoryBreakerStore } from './store/memory-breaker-store.ts';
import { memoryConfigStore } from './store/memory-config-store.ts';
import { memoryIdempotencyStore } from './store/memory-idempotency-store.ts';
import { memorySecretStore } from './store/memory-secret-store.ts';
import { memoryStatsStore } from './store/memory-stats-store.ts';
import { memoryTurnStore } from './store/memory-turn-store.ts';
import { lineBatch } from './telemetry/line-batch.ts';
import { defaultMetricNamespace } from './telemetry/metric-names.ts';
import { readableLine } from './telemetry/readable-line.ts';
import { createTelemetry } from './telemetry/telemetry.ts';

const usage = `Usage: npm run serve -- [--config FILE] [--port N] [--host ADDRESS] [--json-logs]

  --config FILE   configuration, YAML or JSON; without it: the demo vendor, and the vendors whose keys are in the environment
  --port N        port to listen on, 0 for any free one (8787)
  --host ADDRESS  address to listen on (127.0.0.1); in a container 0.0.0.0
  --json-logs     print log lines as they are, also on a terminal; elsewhere they always are

SLUICE_API_KEY    a key that callers may use, besides those in the configuration`;

/** How long running answers may go on after SIGTERM. */
const longestDrainMs = 30_000;

const longestLogDelayMs = 50;

/** How often it is looked whether what was seen of the targets is to be learnt from. */
const settleEveryMs = 1_000;

/** A reason not to start that the person at the terminal can mend. */
class StartError extends Error {}

type Options = { config?: string; port: number; host: string; jsonLogs: boolean; help: boolean };

function readOptions(): Options {
  const option = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    const { values } = parseArgs({
      options: { config: option, port: option, host: option, 'json-logs': flag, help: flag },
    });
    const port = Number(values.port ?? 8787);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new StartError(`--port ${values.port} is not a port`);
    const { host = '127.0.0.1', 'json-logs': jsonLogs = !process.stdout.isTTY, help = false } = values;
    return { ...values, port, host, jsonLogs, help };
  } catch (error) {
    throw error instanceof StartError ? error : new StartError(`${(error as Error).message} Try --help.`);
  }
}

async function readConfig(file: string | undefined): Promise<ConfigFile> {
  const environment = configFromEnvironment(process.env);
  if (file === undefined) {
    const demo = await startDemoVendor();
    return { items: [...environment.items, ...demoItems(demo.url)], secrets: environment.secrets };
  }
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  try {
    const { items, secrets } = parseConfigFile(readFileSync(file, 'utf8'), { environment: process.env, sha256 });
    const named = new Set(items.map(({ kind, name }) => `${kind}/${name}`));
    const beneath = environment.items.filter(({ kind, name }) => !named.has(`${kind}/${name}`));
    return { items: [...beneath, ...items], secrets: { ...environment.secrets, ...secrets } };
  } catch (error) {
    if (error instanceof ConfigFileError)
      throw new StartError([`${file} cannot be used:`, ...error.problems].join('\n  '));
    throw new StartError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

async function listen(server: Server, port: number, host: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE' ? 'is taken; choose another with --port' : `cannot be used (${error.code})`;
      reject(new StartError(`Port ${port} of ${host} ${reason}.`));
    });
    server.listen(port, host, resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${actual}`;
}

/**
 * Lets running answers end, and exits; a second signal exits at once. Answers are counted, since a connection on which
 * nothing was ever sent does not count as idle to Node and would hold up the end for a minute.
 */
function stopOnSignals(server: Server): void {
  let running = 0;
  let stopping = false;
  const endWhenIdle = () => {
    if (stopping && running === 0) process.exit(0);
  };
  server.on('request', (_, response) => {
    running++;
    response.once('close', () => {
      running--;
      endWhenIdle();
    });
  });
  const stop = () => {
    if (stopping) process.exit(130);
    stopping = true;
    server.close();
    setTimeout(() => process.exit(0), longestDrainMs);
    endWhenIdle();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function addReadable(line: string, add: (line: string) => void): void {
  const text = readableLine(line, process.stdout.hasColors());
  if (text !== undefined) add(`${new Date().toTimeString().slice(0, 8)} ${text}`);
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) {
    console.log(usage);
    return;
  }
  const { items, secrets } = await readConfig(options.config);
  const firstKey = process.env['SLUICE_API_KEY'];
  const store = memoryConfigStore(items);
  await publishConfiguration({ store, emit: async () => {}, now: Date.now, factsOf: libraryFacts }, []);
  const lines = lineBatch((text) => process.stdout.write(text), longestLogDelayMs);
  process.on('exit', lines.flush);
  const secretStore = memorySecretStore(secrets, firstKey);
  const statsStore = memoryStatsStore();
  const { gateway, warm, settled } = assembleGateway({
    breakerStore: memoryBreakerStore(statsStore.breakers),
    turnStore: memoryTurnStore(),
    reader: store,
    secretStore,
    statsStore,
    awsCredentials: () => roleCredentials(process.env),
    idempotencyStore: memoryIdempotencyStore(),
    telemetry: createTelemetry({
      namespace: process.env[environmentNames.metricNamespace] ?? defaultMetricNamespace,
      write: options.jsonLogs ? lines.add : (line) => addReadable(line, lines.add),
      now: Date.now,
    }),
  });
  await warm();
  setInterval(() => void settled(), settleEveryMs).unref();
  const server = nodeHttpServer(gateway);
  const url = await listen(server, options.port, options.host);
  stopOnSignals(server);
  if (!firstKey && !items.some(({ kind }) => kind === 'key')) {
    console.error(
      'No caller key is configured, so every request is refused. Set SLUICE_API_KEY, or add keys to the configuration.',
    );
  }
  console.log(`ready ${JSON.stringify({ gateway: url })}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exit(1);
}
