import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { createChildProcesses } from '../../local/child-processes.ts';
import { isRunning, until } from './function-harness.ts';

describe('the processes of a stack', () => {
  test('are gone when it has closed, frozen or not', async () => {
    const children = createChildProcesses();
    const [running, frozen] = [1, 2].map(() => children.spawn('sleep', ['600'], { stdio: 'ignore' }));
    frozen?.kill('SIGSTOP');

    await children.close();

    expect([running, frozen].map((child) => isRunning(child!.pid!))).toEqual([false, false]);
  });

  test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('do not outlive a parent that dies by %s', async (signal) => {
    const parent = spawn(process.execPath, [fileURLToPath(new URL('fixtures/parent.ts', import.meta.url))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    const pids: number[] = JSON.parse(String(line));
    expect(pids.map(isRunning)).toEqual([true, true]);

    parent.kill(signal);

    await until(() => !pids.some(isRunning));
  });
});
