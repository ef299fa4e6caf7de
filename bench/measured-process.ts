import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process under measurement that serves HTTP at `url`. */
export type MeasuredProcess = {
  url: string;
  /** CPU time since its start, and the most memory that was resident at once: what a container must be given. */
  usage(): Promise<{ cpuMicroseconds: number; peakResidentBytes: number }>;
  close(): void;
};

/** Starts a module that prints a `ready` line with its URL, with the usage report preloaded. */
export async function startMeasured(
  modulePath: string,
  args: string[],
  { environment = {}, nodeOptions = [] }: { environment?: Record<string, string>; nodeOptions?: string[] } = {},
): Promise<MeasuredProcess> {
  const child = fork(modulePath, args, {
    execArgv: [...nodeOptions, '--import', new URL('./report-usage.mjs', import.meta.url).href],
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  if (!child.stdout) throw new Error('The process has no standard output');
  const lines = createInterface(child.stdout);
  const url = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      if (line.startsWith('ready ')) resolve((JSON.parse(line.slice('ready '.length)) as { gateway: string }).gateway);
    });
    child.once('exit', (code) => reject(new Error(`${modulePath} ended with ${code}`)));
  });
  return {
    url,
    usage: () =>
      new Promise((resolve) => {
        child.once('message', resolve);
        child.send('usage');
      }),
    close: () => void child.kill('SIGKILL'),
  };
}
