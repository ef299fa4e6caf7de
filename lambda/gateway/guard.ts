import { UpstreamError, type UpstreamExchange } from '../providers/upstream.ts';

/** Ends a call that stays silent, outlives its deadline or has lost its caller. */
export type Guard = {
  /** From now on something must come within `ms`, again and again after each `progress`. */
  expect(what: string, ms: number): void;
  progress(): void;
  stop(): void;
};

export type GuardOptions = { deadlineInMs: number; signal: AbortSignal };

export function guardExchange(exchange: UpstreamExchange, { deadlineInMs, signal }: GuardOptions): Guard {
  const expire = (message: string) => exchange.abort(new UpstreamError('timeout', message));
  const leave = () => exchange.abort(new UpstreamError('connection', 'The caller has gone'));
  const deadline = setTimeout(expire, Math.max(0, deadlineInMs), 'The time for the whole request is over');
  let silence: NodeJS.Timeout | undefined;
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });

  return {
    expect(what, ms) {
      clearTimeout(silence);
      silence = setTimeout(expire, ms, `No ${what} within ${ms} ms`);
    },
    progress() {
      silence?.refresh();
    },
    stop() {
      clearTimeout(deadline);
      clearTimeout(silence);
      signal.removeEventListener('abort', leave);
    },
  };
}
