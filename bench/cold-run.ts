import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { environmentNames } from '../lambda/environment.ts';

/** Time since the process began: by the clock, and of processor time. */
export type Elapsed = { wallMs: number; cpuMs: number };

/** One cold start: when all code was loaded, when the handler was ready, and whether undici was loaded by then. */
export type ColdStart = { loaded: Elapsed; ready: Elapsed; undici: boolean };

/** What the first request gave, and when it had its last byte, in milliseconds since the epoch. */
export type FirstAnswer = { status?: number; body: string; answeredAtMs: number };

export type ColdRun = {
  /** Directory of a bundle. */
  bundle: string;
  environment: Record<string, string>;
  /** The first request; `onReady` runs between init and its start. */
  request?: { event: unknown; onReady: () => void };
};

/** Starts one child that imports the bundle as Lambda's runtime does. */
export async function coldStart({ bundle, environment, request }: ColdRun): Promise<[ColdStart, FirstAnswer?]> {
  const script = join(import.meta.dirname, 'cold-child.mjs');
  const args = [script, join(bundle, 'index.mjs'), environmentNames.configTable];
  if (request) args.push(JSON.stringify(request.event));
  const child = spawn(process.execPath, args, { env: environment, stdio: ['pipe', 'ignore', 'inherit', 'pipe'] });
  const reports: unknown[] = [];
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    reports.push(JSON.parse(line));
    if (reports.length > 1 || !request) continue;
    request.onReady();
    (child.stdin as Writable).end('\n');
  }
  if (reports.length !== (request ? 2 : 1)) throw new Error(`${bundle} did not start; its error stands above`);
  return reports as [ColdStart, FirstAnswer?];
}
