import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/** The processes that the local stack starts; none of them outlives it, however it ends. */
export type ChildProcesses = {
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** Kills what still runs and resolves when it is gone. */
  close(): Promise<void>;
};

// A frozen child (SIGSTOP) cannot notice that its parent was killed. This shell can: its input ends with the parent,
// by whatever means, and it then kills every process it was told of and not told to forget.
const watchdogScript = `
trap '' INT TERM HUP
pids=
while read -r change pid; do
  case $change in
    start) pids="$pids $pid" ;;
    exit) rest=; for p in $pids; do [ "$p" = "$pid" ] || rest="$rest $p"; done; pids=$rest ;;
  esac
done
[ -z "$pids" ] || kill -9 $pids 2>/dev/null
`;

/** Starts the watchdog behind which all children of one stack are spawned. */
export function createChildProcesses(): ChildProcesses {
  const watchdog = startWatchdog();
  const running = new Set<ChildProcess>();

  return {
    spawn(command, args, options) {
      // A session of its own keeps a terminal's Ctrl-C from reaching the child before the parent has said goodbye.
      const child = spawn(command, args, { ...options, detached: process.platform !== 'win32' });
      if (child.pid === undefined) return child;
      running.add(child);
      watchdog?.stdin?.write(`start ${child.pid}\n`);
      child.once('exit', () => {
        running.delete(child);
        watchdog?.stdin?.write(`exit ${child.pid}\n`);
      });
      return child;
    },
    async close() {
      await Promise.all([...running].map(killAndWait));
      if (!watchdog || watchdog.exitCode !== null) return;
      const exited = new Promise((resolve) => watchdog.once('exit', resolve));
      watchdog.ref();
      watchdog.stdin?.end();
      await exited;
    },
  };
}

/** Kills one child, frozen or not, and resolves when it is gone. */
export async function killAndWait(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

function startWatchdog(): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const watchdog = spawn('/bin/sh', ['-c', watchdogScript], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watchdog.unref();
  // Without a shell the stack still stops its children itself; only a SIGKILL of the parent could leave some behind.
  watchdog.on('error', () => {});
  watchdog.stdin?.on('error', () => {});
  return watchdog;
}
