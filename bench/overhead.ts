import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildServer } from '../bin/build.ts';
import { type MeasuredProcess, startMeasured } from './measured-process.ts';

/**
 * What the gateway costs on top of the smallest possible forwarder: CPU time per buffered request and per streamed
 * chunk, and resident memory, each as a ratio within one run, since the machine is noisy and the ratio is not.
 */
const callers = 32;
const rounds = 7;
const bufferedPerRound = 3_000;
const streamsPerRound = 64;
const chunksPerStream = 202;
const limits = { buffered: 1.6, streamed: 1.6, memory: 1.5 };

/** As `npm run serve` has them in package.json. */
const serveOptions = ['--max-semi-space-size=8'];
const apiKey = 'sk-bench';
const messages = [{ role: 'user', content: 'Say some words. '.repeat(40) }];

type Subject = { name: string; process: MeasuredProcess; buffered: number[]; streamed: number[] };

const agent = new Agent({ keepAlive: true, maxSockets: callers });

function call(url: string, stream: boolean): Promise<void> {
  const body = JSON.stringify({ model: 'bench', messages, stream });
  const headers = {
    authorization: `Bearer ${apiKey}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url} answered ${answer.statusCode}`));
      answer.on('error', reject).on('end', resolve).resume();
    });
    outgoing.on('error', reject).end(body);
  });
}

/** `count` calls by as many callers at once as the benchmark has. */
async function load(url: string, count: number, stream: boolean): Promise<void> {
  let left = count;
  const caller = async () => {
    while (left-- > 0) await call(url, stream);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

async function cpuMicrosecondsOf(subject: Subject, work: () => Promise<void>): Promise<number> {
  const before = await subject.process.usage();
  await work();
  return (await subject.process.usage()).cpuMicroseconds - before.cpuMicroseconds;
}

async function measure(subject: Subject): Promise<void> {
  const { url } = subject.process;
  const buffered = await cpuMicrosecondsOf(subject, () => load(url, bufferedPerRound, false));
  subject.buffered.push(buffered / bufferedPerRound);
  const streamed = await cpuMicrosecondsOf(subject, () => load(url, streamsPerRound, true));
  subject.streamed.push(streamed / (streamsPerRound * chunksPerStream));
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function report(what: string, unit: string, [floor, gateway]: [number, number], limit: number): boolean {
  const ratio = gateway / floor;
  const verdict = ratio <= limit ? 'PASS' : 'FAIL';
  console.log(
    `${verdict}  ${what.padEnd(28)} floor ${floor.toFixed(1)} ${unit}, gateway ${gateway.toFixed(1)} ${unit}, ratio ${ratio.toFixed(2)} (limit ${limit})`,
  );
  return ratio <= limit;
}

async function startSubjects(
  vendor: MeasuredProcess,
  directory: string,
  configFile: string,
): Promise<[Subject, Subject]> {
  const floor = await startMeasured('bench/floor-forwarder.mjs', [`${vendor.url}/v1/chat/completions`]);
  const bundle = await buildServer({ outdir: directory });
  const gateway = await startMeasured(join(bundle, 'index.mjs'), ['--config', configFile, '--port', '0'], {
    environment: { SLUICE_API_KEY: apiKey },
    nodeOptions: serveOptions,
  });
  return [
    { name: 'floor', process: floor, buffered: [], streamed: [] },
    { name: 'gateway', process: gateway, buffered: [], streamed: [] },
  ];
}

async function main(): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const vendor = await startMeasured('bench/bench-vendor.mjs', []);
  const configFile = join(directory, 'config.json');
  const providers = { vendor: { type: 'openai-compatible', baseUrl: `${vendor.url}/v1` } };
  writeFileSync(configFile, JSON.stringify({ providers, models: { bench: { targets: ['vendor/bench'] } } }));
  const subjects = await startSubjects(vendor, directory, configFile);
  try {
    // The first round warms up and is forgotten.
    for (let round = 0; round <= rounds; round++) {
      for (const subject of subjects) {
        await measure(subject);
        if (round === 0) Object.assign(subject, { buffered: [], streamed: [] });
      }
    }
    const [floor, gateway] = subjects;
    const [floorUsage, gatewayUsage] = await Promise.all([floor.process.usage(), gateway.process.usage()]);
    const mebibytes = (bytes: number) => bytes / 1024 / 1024;
    console.log(`${callers} callers, medians of ${rounds} interleaved rounds`);
    return [
      report('CPU per buffered request', 'µs', [median(floor.buffered), median(gateway.buffered)], limits.buffered),
      report('CPU per streamed chunk', 'µs', [median(floor.streamed), median(gateway.streamed)], limits.streamed),
      report(
        'resident memory',
        'MiB',
        [mebibytes(floorUsage.residentBytes), mebibytes(gatewayUsage.residentBytes)],
        limits.memory,
      ),
    ].every(Boolean);
  } finally {
    for (const { process } of subjects) process.close();
    vendor.close();
    agent.destroy();
    rmSync(directory, { recursive: true });
  }
}

process.exitCode = (await main()) ? 0 : 1;
