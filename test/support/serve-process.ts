import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sharedServer } from './built-once.ts';

/** A gateway that runs somewhere for a test. */
export type RunningGateway = {
  url: string;
  apiKey: string;
  /** Everything it has written to its log so far. */
  logs(): string;
  close(): Promise<void>;
};

/** What a test wants the gateway to know: a config file's content, and a key that callers may use. */
export type GatewayOptions = { config: object; apiKey: string };

/** Starts what `npm run serve` runs on a free port. */
export async function startServeProcess({ config, apiKey }: GatewayOptions): Promise<RunningGateway> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const file = join(directory, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(process.execPath, [await sharedServer(), '--config', file, '--port', '0'], {
    env: { PATH: process.env['PATH'], SLUICE_API_KEY: apiKey },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines: string[] = [];
  const ready = new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('ready ')) resolve(JSON.parse(line.slice('ready '.length)).gateway);
    });
    createInterface(child.stderr).on('line', (line) => lines.push(line));
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}:\n${lines.join('\n')}`)));
  });
  return {
    url: await ready,
    apiKey,
    logs: () => lines.join('\n'),
    async close() {
      child.kill('SIGTERM');
      await exited;
      rmSync(directory, { recursive: true });
    },
  };
}
