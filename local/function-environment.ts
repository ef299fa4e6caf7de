import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type ChildProcesses, killAndWait } from './child-processes.ts';
import {
  createRuntimeApi,
  type FunctionAnswer,
  type FunctionError,
  type Invocation,
  type RuntimeApi,
} from './runtime-api.ts';

/** What an environment needs to know about its function. */
export type EnvironmentOptions = {
  children: ChildProcesses;
  codeDirectory: string;
  memoryMb: number;
  timeoutMs: number;
  initTimeoutMs: number;
  /** Stops the process between invocations, as Lambda does: work that nobody awaited does not go on in secret. */
  freeze: boolean;
  /** The function's whole environment, all but AWS_LAMBDA_RUNTIME_API. */
  variables: Record<string, string>;
  log(line: string): void;
};

/** How an invocation ended. */
export type InvocationEnd = { durationMs: number; error: FunctionError | undefined };

/** The failure of an environment to become ready. */
export class InitError extends Error {
  readonly functionError: FunctionError;

  constructor(functionError: FunctionError) {
    super(`${functionError.errorType}: ${functionError.errorMessage}`);
    this.functionError = functionError;
  }
}

type Running = {
  requestId: string;
  startedAt: number;
  error: FunctionError | undefined;
  onAnswer: (answer: FunctionAnswer) => void;
  end: (end: InvocationEnd) => void;
};

const runtimeClient = createRequire(import.meta.url).resolve('aws-lambda-ric');
const preload = fileURLToPath(new URL('rapid-client-preload.cjs', import.meta.url));

/** One execution environment: one process with AWS's runtime client and the function's code, one invocation at a time. */
export class FunctionEnvironment {
  /** Time from the start of the process to its first request for an invocation. */
  initMs = 0;
  readonly #options: EnvironmentOptions;
  readonly #initialized = Promise.withResolvers<void>();
  readonly #api: RuntimeApi;
  #child: ChildProcess | undefined;
  #running: Running | undefined;
  #isFrozen = false;

  /** Starts an environment and waits until it is ready; rejects with `InitError` when that fails. */
  static async start(options: EnvironmentOptions): Promise<FunctionEnvironment> {
    const startedAt = performance.now();
    const environment = new FunctionEnvironment(options);
    await environment.#spawn();
    await environment.#untilInitialized();
    environment.initMs = performance.now() - startedAt;
    return environment;
  }

  private constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.#api = createRuntimeApi({
      next: () => this.#onNext(),
      initError: (error) => this.#initialized.reject(new InitError(error)),
      answer: (requestId, answer) => this.#onAnswer(requestId, answer),
      invocationError: (requestId, error) => this.#onInvocationError(requestId, error),
    });
  }

  isAlive(): boolean {
    return this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when the invocation is over: with how long it took and, when it failed, why. */
  invoke(invocation: Invocation, onAnswer: (answer: FunctionAnswer) => void): Promise<InvocationEnd> {
    if (this.#isFrozen) this.#child?.kill('SIGCONT');
    this.#isFrozen = false;
    const { promise, resolve } = Promise.withResolvers<InvocationEnd>();
    const { requestId } = invocation;
    const running: Running = { requestId, startedAt: performance.now(), error: undefined, onAnswer, end: resolve };
    this.#running = running;
    const timer = setTimeout(() => {
      running.error = timeoutError(this.#options.timeoutMs);
      this.#child?.kill('SIGKILL');
    }, this.#options.timeoutMs);
    this.#api.deliver(invocation);
    return promise.finally(() => clearTimeout(timer));
  }

  async stop(): Promise<void> {
    if (this.#child) await killAndWait(this.#child);
  }

  async #spawn(): Promise<void> {
    const child = spawnRuntime(this.#options, await this.#api.listen());
    child.once('error', (error) => this.#initialized.reject(error));
    child.once('exit', (code, signal) => this.#onExit(exitError(code, signal)));
    this.#child = child;
  }

  #onNext(): void {
    if (this.#running) this.#finish();
    else this.#initialized.resolve();
    // Whoever awaits the end may hand over the next invocation at once; it is frozen only if nobody did.
    setImmediate(() => this.#freezeWhenIdle());
  }

  #onAnswer(requestId: string, answer: FunctionAnswer): void {
    const running = this.#running;
    if (running?.requestId !== requestId) {
      answer.body.resume();
      return;
    }
    answer.body.once('end', () => {
      running.error ??= answer.trailingError();
    });
    running.onAnswer(answer);
  }

  #onInvocationError(requestId: string, error: FunctionError): void {
    if (this.#running?.requestId === requestId) this.#running.error = error;
  }

  #onExit(error: FunctionError): void {
    this.#api.close();
    this.#initialized.reject(new InitError(error));
    if (!this.#running) return;
    this.#running.error ??= error;
    this.#finish();
  }

  #finish(): void {
    const { end, startedAt, error } = this.#running as Running;
    this.#running = undefined;
    end({ durationMs: performance.now() - startedAt, error });
  }

  #freezeWhenIdle(): void {
    if (!this.#options.freeze || this.#running || !this.isAlive()) return;
    this.#isFrozen = this.#child?.kill('SIGSTOP') ?? false;
  }

  async #untilInitialized(): Promise<void> {
    const { initTimeoutMs } = this.#options;
    const timer = setTimeout(
      () => this.#initialized.reject(new InitError(timeoutError(initTimeoutMs, 'Init'))),
      initTimeoutMs,
    );
    try {
      await this.#initialized.promise;
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function spawnRuntime(options: EnvironmentOptions, runtimeApi: string): ChildProcess {
  const { children, codeDirectory, memoryMb, variables, log } = options;
  const child = children.spawn(process.execPath, [...nodeFlags(memoryMb), '--require', preload, runtimeClient], {
    cwd: codeDirectory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...variables, AWS_LAMBDA_RUNTIME_API: runtimeApi },
  });
  for (const output of [child.stdout, child.stderr]) {
    if (output) createInterface({ input: output }).on('line', log);
  }
  return child;
}

/** The heap that Lambda's own start script gives: https://dev.to/wonderfulsoap/deep-dive-into-aws-lambda-3-official-nodejs-runtime-analysis-43je */
export function nodeFlags(memoryMb: number): string[] {
  const newSpaceMb = Math.floor(memoryMb / 10);
  return [
    '--expose-gc',
    '--max-http-header-size=81920',
    `--max-semi-space-size=${Math.floor(newSpaceMb / 2)}`,
    `--max-old-space-size=${memoryMb - newSpaceMb}`,
  ];
}

function timeoutError(limitMs: number, what = 'Task'): FunctionError {
  return {
    errorType: 'Sandbox.Timedout',
    errorMessage: `${what} timed out after ${(limitMs / 1000).toFixed(2)} seconds`,
  };
}

function exitError(code: number | null, signal: NodeJS.Signals | null): FunctionError {
  const how = signal ? `signal: ${signal}` : `exit status ${code}`;
  return { errorType: 'Runtime.ExitError', errorMessage: `Runtime exited with error: ${how}` };
}
