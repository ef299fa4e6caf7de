import { randomUUID } from 'node:crypto';
import type { ChildProcesses } from './child-processes.ts';
import { type FunctionDefinition, runtimeVariables } from './function-definition.ts';
import { type EnvironmentOptions, FunctionEnvironment, InitError } from './function-environment.ts';
import type { FunctionAnswer, FunctionError } from './runtime-api.ts';

/** What Lambda's REPORT line says about one invocation. */
export type InvocationReport = {
  functionName: string;
  requestId: string;
  /** The environment was started for a waiting invocation and this is its first. */
  coldStart: boolean;
  durationMs: number;
  /** Whole milliseconds; since August 2025 a cold start's initialization is billed too. */
  billedMs: number;
  error: FunctionError | undefined;
};

/** Options of one function. */
export type LocalFunctionOptions = {
  definition: FunctionDefinition;
  children: ChildProcesses;
  /** Variables that the platform adds to those of the template, and that win over them. */
  platformVariables: Record<string, string>;
  freeze?: boolean;
  concurrency?: number;
  initTimeoutMs?: number;
  /** How long an unused environment lives. */
  idleTimeoutMs?: number;
  onLog(functionName: string, line: string): void;
  onReport?(report: InvocationReport): void;
};

/** The error type of an invocation that was refused because of the concurrency limit. */
export const throttledErrorType = 'TooManyRequestsException';

const closedError: FunctionError = { errorType: 'Sandbox.Closed', errorMessage: 'The local stack is closing' };

type Slot = { environment: FunctionEnvironment; isNew: boolean; reaper?: NodeJS.Timeout };
type OnAnswer = (answer: FunctionAnswer) => void;
type Waiting = {
  requestId: string;
  event: unknown;
  onAnswer: OnAnswer;
  resolve: (report: InvocationReport) => void;
};

/** A function with its environments: one per invocation in flight, reused when idle. */
export class LocalFunction {
  readonly definition: FunctionDefinition;
  readonly #options: LocalFunctionOptions;
  readonly #concurrency: number;
  readonly #slots = new Set<Slot>();
  readonly #idle: Slot[] = [];
  readonly #waiting: Waiting[] = [];
  #starting = 0;
  #isClosed = false;

  /** No process starts before the first invocation or `prewarm`. */
  constructor(options: LocalFunctionOptions) {
    const { definition, concurrency = 100 } = options;
    this.definition = definition;
    this.#options = options;
    this.#concurrency = Math.min(concurrency, definition.reservedConcurrency ?? concurrency);
  }

  /** Resolves when the invocation is over, which may be after the end of its answer. Never rejects. */
  invoke(event: unknown, onAnswer: OnAnswer = drain, requestId: string = randomUUID()): Promise<InvocationReport> {
    const { promise, resolve } = Promise.withResolvers<InvocationReport>();
    const invocation: Waiting = { requestId, event, onAnswer, resolve };
    if (this.#isClosed) {
      this.#fail(invocation, closedError);
    } else if (this.#isFull()) {
      this.#fail(invocation, { errorType: throttledErrorType, errorMessage: 'Rate Exceeded.' });
    } else {
      this.#waiting.push(invocation);
      this.#pump();
    }
    return promise;
  }

  /** Starts one environment ahead of the first invocation; rejects with `InitError` when the function cannot start. */
  async prewarm(): Promise<void> {
    await this.#startSlot(false);
    this.#pump();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const slot of this.#idle) clearTimeout(slot.reaper);
    for (const invocation of this.#waiting.splice(0)) this.#fail(invocation, closedError);
    await Promise.all([...this.#slots].map((slot) => slot.environment.stop()));
  }

  #isFull(): boolean {
    const spare = this.#idle.length + this.#starting - this.#waiting.length;
    return spare <= 0 && this.#slots.size + this.#starting >= this.#concurrency;
  }

  #pump(): void {
    while (this.#waiting.length > 0) {
      const slot = this.#takeIdle();
      if (!slot) break;
      void this.#run(slot, this.#waiting.shift() as Waiting);
    }
    while (this.#starting < this.#waiting.length && this.#slots.size + this.#starting < this.#concurrency) {
      void this.#startForWaiting();
    }
  }

  async #startForWaiting(): Promise<void> {
    try {
      await this.#startSlot(true);
    } catch (error) {
      const invocation = this.#waiting.shift();
      if (invocation) this.#fail(invocation, toFunctionError(error));
    }
    this.#pump();
  }

  async #startSlot(isNew: boolean): Promise<void> {
    this.#starting += 1;
    try {
      const environment = await FunctionEnvironment.start(environmentOptions(this.#options));
      if (this.#isClosed) return await environment.stop();
      const slot: Slot = { environment, isNew };
      this.#slots.add(slot);
      this.#rest(slot);
    } finally {
      this.#starting -= 1;
    }
  }

  #rest(slot: Slot): void {
    this.#idle.push(slot);
    const reap = (): void => {
      this.#idle.splice(this.#idle.indexOf(slot), 1);
      this.#slots.delete(slot);
      void slot.environment.stop();
    };
    slot.reaper = setTimeout(reap, this.#options.idleTimeoutMs ?? 300_000).unref();
  }

  #takeIdle(): Slot | undefined {
    for (let slot = this.#idle.pop(); slot; slot = this.#idle.pop()) {
      clearTimeout(slot.reaper);
      if (slot.environment.isAlive()) return slot;
      this.#slots.delete(slot);
    }
    return undefined;
  }

  async #run(slot: Slot, invocation: Waiting): Promise<void> {
    const { environment, isNew: coldStart } = slot;
    const { requestId, event, onAnswer } = invocation;
    const { arn: functionArn, timeoutMs } = this.definition;
    slot.isNew = false;
    const request = { requestId, event, functionArn, deadlineMs: Date.now() + timeoutMs };
    const { durationMs, error } = await environment.invoke(request, onAnswer);
    const billedMs = Math.ceil(durationMs + (coldStart ? environment.initMs : 0));
    if (environment.isAlive()) this.#rest(slot);
    else this.#slots.delete(slot);
    this.#report(invocation, { coldStart, durationMs, billedMs, error });
    this.#pump();
  }

  #fail(invocation: Waiting, error: FunctionError): void {
    this.#report(invocation, { coldStart: false, durationMs: 0, billedMs: 0, error });
  }

  #report(invocation: Waiting, result: Omit<InvocationReport, 'functionName' | 'requestId'>): void {
    const report = { functionName: this.definition.name, requestId: invocation.requestId, ...result };
    this.#options.onReport?.(report);
    invocation.resolve(report);
  }
}

function drain(answer: FunctionAnswer): void {
  answer.body.resume();
}

function environmentOptions({
  definition,
  children,
  platformVariables,
  onLog,
  ...limits
}: LocalFunctionOptions): EnvironmentOptions {
  const { name, codeDirectory, memoryMb, timeoutMs } = definition;
  return {
    children,
    codeDirectory,
    memoryMb,
    timeoutMs,
    initTimeoutMs: limits.initTimeoutMs ?? 10_000,
    freeze: limits.freeze ?? process.platform !== 'win32',
    variables: { ...definition.variables, ...platformVariables, ...runtimeVariables(definition) },
    log: (line: string) => onLog(name, line),
  };
}

function toFunctionError(error: unknown): FunctionError {
  if (error instanceof InitError) return error.functionError;
  return { errorType: 'Runtime.StartError', errorMessage: error instanceof Error ? error.message : String(error) };
}
