import type { LocalFunction } from './local-function.ts';

/** What a template says about a schedule that wakes a function. */
export type ScheduleDefinition = {
  logicalId: string;
  functionName: string;
  everyMs: number;
  /** The event, as text; an empty object where there is none. */
  input: string;
};

/** `run` wakes the function now, besides its schedule, and resolves when it has ended. */
export type Scheduler = { run(): Promise<void>; close(): void };

export type SchedulerOptions = {
  schedule: ScheduleDefinition;
  target: LocalFunction;
  /** Hears of runs that failed. */
  onFailure(reason: string): void;
};

const unitsMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** `rate(1 minute)` in milliseconds; throws on the other kinds of expressions, which nothing here runs. */
export function rateMs(expression: string): number {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const unitMs = unitsMs[unit];
  if (count === undefined || unitMs === undefined) throw new Error(`The schedule ${expression} is no rate`);
  return Number(count) * unitMs;
}

/** Wakes the function as EventBridge Scheduler does: the first time after one interval, and again whatever became of it. */
export function startScheduler({ schedule, target, onFailure }: SchedulerOptions): Scheduler {
  const event: unknown = JSON.parse(schedule.input);
  const run = async () => {
    const { error } = await target.invoke(event);
    if (error) onFailure(`${error.errorType}: ${error.errorMessage}`);
  };
  const timer = setInterval(run, schedule.everyMs);
  timer.unref();
  return { run, close: () => clearInterval(timer) };
}
